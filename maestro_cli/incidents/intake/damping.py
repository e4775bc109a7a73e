"""Signals that come and go.

Invariant: whether a signal flaps follows from the journal and the time alone: it came back on its incident as
often as its rule says within the time that it says. While it flaps it is held as firing, and an incident that
ended is not reopened for it; what was recorded until then ages, so that it is told again in the end.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.rules.projection import MAX_FLAPPING_SECONDS
from maestro_cli.incidents.register import Reads

FLAPS = "it flaps"


@dataclass(frozen=True, slots=True)
class Flapping:
    """One signal that flaps: how often it came back, and until when that holds if it does not again."""

    returns: int
    within_seconds: float
    until: datetime


class Damping:
    """The signals that flap at one instant, read when first asked."""

    def __init__(self, reads: Reads, bindings: Bindings, now: datetime) -> None:
        self._reads, self._bindings, self._now = reads, bindings, now

    def of(self, incident: str, fingerprint: str) -> Flapping | None:
        """Whether a signal flaps on an incident."""
        return self._flapping.get((incident, fingerprint)) if self._bindings.damps else None

    @cached_property
    def _flapping(self) -> dict[tuple[str, str], Flapping]:
        since = self._now - timedelta(seconds=MAX_FLAPPING_SECONDS)
        rows = self._reads.query(
            "SELECT incident, fingerprint, rule, at FROM signal_returns WHERE at >= ? ORDER BY at",
            (to_rfc3339(since),),
        )
        returns: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        rules: dict[tuple[str, str], str] = {}
        for incident, fingerprint, rule, at in rows:
            returns[incident, fingerprint].append(from_rfc3339(at))
            rules[incident, fingerprint] = rule
        found = {}
        for signal, instants in returns.items():
            limit = self._bindings.flapping_of(rules[signal])
            if limit is None:
                continue
            within = timedelta(seconds=limit.within_seconds)
            recent = [at for at in instants if self._now - at < within]
            if len(recent) >= limit.times:
                found[signal] = Flapping(len(recent), limit.within_seconds, recent[-limit.times] + within)
        return found
