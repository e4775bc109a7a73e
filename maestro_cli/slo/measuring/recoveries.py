"""Objectives of recovery: how long drills and incidents took, and what they lost.

Invariant: each recovery is one event; a span without any is not known, whatever was measured before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from maestro_cli.core.quantities import format_duration
from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.slo.measuring.model import Bounds, Measured
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Objective, Recovery

RECOVERY_MEASURED = "recovery.measured"  # an event of the journal, of the subject `recovery/NAME`
Seconds = Annotated[float, msgspec.Meta(ge=0, lt=1e12)]


class RecoveryMeasured(msgspec.Struct, frozen=True):
    """What such an event holds: who restores something, and measures that, writes it down so.

    `of` names the drill or the restore, `at` is when the loss came. `rto_seconds` is from then until the
    service answered well from outside again, `rpo_seconds` the age, at the loss, of the newest data that was
    there after the restore, never the age of a backup; None is not measured. `unknown` are those that were to
    be measured and could not be told. `service` is "" for every one, and None for none: nobody says of which
    it was. `method` says in words how it was measured.
    """

    of: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    rto_seconds: Seconds | None = None
    rpo_seconds: Seconds | None = None
    service: str | None = ""
    passed: bool = True
    method: str = ""
    unknown: list[Literal["rto", "rpo"]] = []


_UNMEASURED = {
    "rto": "no incident was mended and no drill measured it",
    "rpo": "no recovery drill measured it: how old the newest data is after a restore, only a restore tells",
}


@dataclass(frozen=True, slots=True)
class Recovered:
    """One measured recovery: when, which of the two, how many seconds, and of what (incident or drill).

    While it is not over, `seconds` is the time so far. Not `is_known`: it was to be measured, and nobody can
    tell; `seconds` says nothing then.
    """

    at: datetime
    kind: Literal["rto", "rpo"]
    seconds: float
    of: str
    service: str | None = ""  # as in RecoveryMeasured
    is_over: bool = True
    is_known: bool = True

    @property
    def is_open(self) -> bool:
        """Whether nothing is decided by it yet, or ever."""
        return not (self.is_over and self.is_known)


def measure_recoveries(
    objective: Objective, kind: Recovery, span: Span, over: Span, recovered: Iterable[Recovered]
) -> Measured:
    """Judge those of the span that are of this kind and, where they name one, of this service."""
    found = [
        one
        for one in recovered
        if one.kind == kind.kind
        and over.start <= one.at < over.end
        and one.service in ("", objective.service)
    ]
    good = sum(not one.is_open and one.seconds <= kind.seconds for one in found)
    pending = sum(one.is_open and one.seconds <= kind.seconds for one in found)
    total, known = len(found), len(found) - pending
    bounds = Bounds(good / total, (good + pending) / total) if total else None
    judgement = _judged(objective, kind, found, good, bounds)
    return Measured(
        objective, span, over,
        good=float(good) if known else None, total=float(known) if known else None,
        ratio=good / known if known else None, bounds=bounds, coverage=judgement.coverage,
        judgement=judgement, budget_consumed=None, budget_projected=None, budget_left=None,
        bad_minutes=None, exact=True,
    )  # fmt: skip


def _judged(
    objective: Objective, kind: Recovery, found: Sequence[Recovered], good: int, bounds: Bounds | None
) -> Judgement:
    """What may still come in time leaves it open; what is late already does not."""
    if bounds is None:
        return Judgement(Verdict.INDETERMINATE, 0.0, _UNMEASURED[kind.kind])
    why = f"{good} of {len(found)} within {format_duration(kind.seconds)}"
    if known := [one for one in found if one.is_known]:
        longest = max(known, key=lambda one: one.seconds)
        why += f", longest {format_duration(longest.seconds)} ({longest.of})"
    for word, some in (
        ("not over", [one.of for one in found if not one.is_over]),
        ("not known", [one.of for one in found if not one.is_known]),
    ):
        if some:
            why += f"; {word}: {', '.join(some[:3])}"
    if bounds.low >= objective.target:
        return Judgement(Verdict.PASS, 1.0, why, bounds.low)
    if bounds.high < objective.target:
        return Judgement(Verdict.FAIL, 1.0, why, bounds.high)
    return Judgement(Verdict.INDETERMINATE, 1.0, why)
