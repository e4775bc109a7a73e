"""Measures a failover: RTO by callers, RPO by sentinels.

The RTO is the time from before the first call of the loss to the first good answer at the entrance after the
last bad one, asked from outside from the proof of the loss until something is taken back. The RPO is the time
of that proof minus that of the newest sentinel of this very run that was in the other region then: never the
age of a backup. Nothing of it is taken for zero: without a bad answer the RTO, and without a sentinel, or
where sentinels still come in after the loss, the RPO is not known. Whatever ends the run between the first
call of the loss and the failover leaves both unknown, on record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from maestro_cli.chaos.faults import REMEDIES
from maestro_cli.chaos.injecting import POLL_SECONDS, Injecting
from maestro_cli.chaos.model import FailedOver, Guarded
from maestro_cli.chaos.ports import Platform
from maestro_cli.chaos.regions.probing import Prober
from maestro_cli.chaos.regions.recording import ENDED, METHOD, record_failover, record_unshown
from maestro_cli.chaos.regions.sentinels import Sentinel, SentinelWriter
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.errors import ActionFailed, MaestroError
from maestro_cli.core.quantities import format_duration
from maestro_cli.journal.store import Journal

TRIES, PAUSE_SECONDS = 5, 0.2


@dataclass(frozen=True, slots=True)
class _Loss:
    """It began at `at` (`began`, monotonic) at the earliest; since it was proved `prober` asks."""

    at: datetime
    began: float
    proved_at: datetime
    prober: Prober


class RegionDrill:
    """Of one run; `injecting` puts in what it puts in. Nothing is asked of regions until a method does."""

    def __init__(
        self, guarded: Guarded, injecting: Injecting, platform: Platform, clock: Clock, run: str
    ) -> None:
        self._bounds, self._injecting, self._platform = guarded.failover, injecting, platform
        remedies = {one.name for one in guarded.faults if one.fault in REMEDIES}
        self._hurts = {one.name for one in guarded.faults} - remedies if remedies else set()
        self._clock, self._run = clock, run
        self._writer: SentinelWriter | None = None
        self._had: Sentinel | str | None = None  # what the other region had when the loss was proved
        self._loss: _Loss | None = None
        self._rpo: tuple[float | None, str, int | None] | None = None  # once callers are sent on

    @property
    def failed_over(self) -> FailedOver | None:
        """None where it did not come to that; the RTO as it is by now, for good once `settle` was called."""
        if self._loss is None or self._rpo is None:
            return None
        regions, loss = self._platform.regions, self._loss
        (rto, rto_why), (rpo, rpo_why, number) = self._rto(loss), self._rpo
        return FailedOver(
            of=regions.own, to=regions.other, lost_at=loss.at, proved_at=loss.proved_at,
            is_felt=loss.prober.bad > 0, rto_seconds=rto, rpo_seconds=rpo, why=(rto_why, rpo_why),
            written=self._written, newest=number, bounds=self._bounds, service=self._service,
        )  # fmt: skip

    def write_sentinels(self, seconds: float) -> Mapping[str, Any]:
        """From now until the loss is proved; waits so long. Raises ActionFailed where none can be written."""
        if self._writer is None:
            write = self._platform.regions.write_sentinel
            self._writer = SentinelWriter(write, self._run, self._clock, self._bounds.every_seconds)
            self._writer.start()
        self._injecting.hold(seconds)
        if not self._writer.written:
            raise ActionFailed("no sentinel could be written", why=self._writer.problem)
        return {"written": self._writer.written}

    def inject(self, name: str) -> Mapping[str, Any]:
        """As `Injecting.inject`; the loss begins right before the first call of the first that hurts."""
        if name not in self._hurts or self._loss is not None:
            return self._injecting.inject(name)
        lost_at, began = self._clock.now(), self._clock.monotonic()
        done = self._injecting.inject(name)
        prober = Prober(self._platform.regions.unserved, self._clock)
        self._loss = _Loss(lost_at, began, self._clock.now(), prober)
        prober.start()
        if self._writer is not None:  # until now, so that what the injection took counts as lost as well
            self._writer.stop()
        self._had = self._newest()
        return done

    def fail_over(self, name: str) -> Mapping[str, Any]:
        """Put the switch in, and measure. Raises as `inject`, and ActionFailed where no region was lost."""
        if self._loss is None:
            raise ActionFailed("there is nothing to fail over from", why="no fault was put in before")
        done, prober = self._injecting.inject(name), self._loss.prober
        while prober.served_since is None and self._is_lost() and not prober.is_stopped:
            self._injecting.hold(POLL_SECONDS)
        self._rpo = self._lost_data(self._loss)
        found = self.failed_over
        assert found is not None
        return {**done, "rto_seconds": found.rto_seconds, "rpo_seconds": found.rpo_seconds, "why": found.why}

    def settle(self) -> None:
        """Something is taken back: what callers are answered from now on is no merit of the failover."""
        if self._loss is not None:
            self._loss.prober.stop()

    def end(self) -> None:
        """Nothing is written, and nobody asks, after this."""
        if self._writer is not None:
            self._writer.stop()
        self.settle()

    @cached_property
    def declared(self) -> Mapping[str, Any] | None:
        """What is to be measured, for the record, by the first look; None where no remedy is declared."""
        if not self._hurts:
            return None
        regions = self._platform.regions
        return {"of": regions.own, "to": regions.other, "service": regions.service or None}

    @property
    def _service(self) -> str:
        return str((self.declared or {}).get("service") or "")

    def record(self, journal: Journal, actor: str) -> None:
        """What was measured, or that nobody can tell, for reports of objectives; raises as the journal."""
        loss, declared = self._loss, self.declared
        if declared is None:
            return
        if loss is None:  # it may be lost all the same, where nobody waited for the proof
            record_unshown(journal, actor, self._run, ENDED)
            return
        found = self.failed_over
        measured = {
            "at": loss.at, "passed": found is not None and found.passed, "method": METHOD,
            "rto_seconds": found and found.rto_seconds, "rpo_seconds": found and found.rpo_seconds,
            "unknown": ["rto", "rpo"] if found is None else found.unknown,
        }  # fmt: skip
        record_failover(journal, actor, self._run, declared, measured)

    def _is_lost(self) -> bool:
        return any(one.order.name in self._hurts for one in self._injecting.in_force)

    def _rto(self, loss: _Loss) -> tuple[float | None, str]:
        served_since, bad, last = loss.prober.seen()
        if not bad:
            return None, "no caller was unserved after the loss: it was not felt at the entrance"
        if served_since is None:
            return None, f"nobody was served for good before the region came back: {last}"
        seconds = round(served_since - loss.began, 3)
        return seconds, f"served again after {format_duration(seconds)}"

    @property
    def _written(self) -> int:
        return self._writer.written if self._writer is not None else 0

    def _newest(self) -> Sentinel | str | None:
        """What is of sentinels in the other region; why it cannot be told, in words."""
        regions = self._platform.regions
        try:
            return _patiently(regions.newest_sentinel, self._clock)
        except MaestroError as error:
            return f"whether a sentinel is in {regions.other} cannot be told: {error.what}"

    def _lost_data(self, loss: _Loss) -> tuple[float | None, str, int | None]:
        """The RPO, how it is known or why not, and the number of the sentinel."""
        other, had, found, written = self._platform.regions.other, self._had, self._newest(), self._written
        for one in (found, had):
            if isinstance(one, str):
                return None, one, None
        if found != had:
            return None, f"sentinels came to {other} after the loss: what copies them was not lost", None
        if not isinstance(found, Sentinel) or found.run != self._run or not written:
            return None, f"none of the {written} sentinels of this run is in {other}", None
        seconds = round(max(0.0, seconds_between(found.at, loss.proved_at)), 3)
        why = f"sentinel {found.number} of {written} is in {other}: what came after it is lost"
        return seconds, f"{why}, {format_duration(seconds)}", found.number


def _patiently(look: Callable[[], Sentinel | None], clock: Clock) -> Sentinel | None:
    """What a few tries find; raises what the last one raised."""
    for _ in range(TRIES - 1):
        try:
            return look()
        except MaestroError:
            clock.sleep(PAUSE_SECONDS)
    return look()
