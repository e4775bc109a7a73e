"""Measures a failover: RTO by callers, RPO by sentinels.

The RTO is the time from the loss to the first of three good answers in a row at the entrance, asked from
outside once the loss was felt. The RPO is the time of the loss minus that of the newest sentinel of this very
run that is in the other region after the failover: never the age of a backup. Nothing of it is taken for
zero: without a sentinel the RPO is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from maestro_cli.chaos.faults import REMEDIES
from maestro_cli.chaos.injecting import POLL_SECONDS, Injecting
from maestro_cli.chaos.model import FailedOver, Guarded
from maestro_cli.chaos.ports import Platform, Regions
from maestro_cli.chaos.regions.probing import Prober
from maestro_cli.chaos.regions.sentinels import Sentinel, SentinelWriter
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.errors import ActionFailed, MaestroError
from maestro_cli.core.quantities import format_duration
from maestro_cli.journal.store import Journal
from maestro_cli.slo.measuring.recoveries import RECOVERY_MEASURED

TRIES, PAUSE_SECONDS = 5, 0.2


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
        self._prober: Prober | None = None
        self._lost_at: datetime | None = None
        self.failed_over: FailedOver | None = None

    def write_sentinels(self, seconds: float) -> Mapping[str, Any]:
        """From now until the region is lost; waits so long. Raises ActionFailed where none can be written."""
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
        if name not in self._hurts or self._lost_at is not None:
            return self._injecting.inject(name)
        if self._writer is not None:
            self._writer.stop()
        lost_at = self._clock.now()
        done = self._injecting.inject(name)
        self._lost_at = lost_at
        self._prober = Prober(self._platform.regions.unserved, self._clock)
        self._prober.start()
        return done

    def fail_over(self, name: str) -> Mapping[str, Any]:
        """Put the switch in, and measure. Raises as `inject`, and ActionFailed where no region was lost."""
        if self._lost_at is None or self._prober is None:
            raise ActionFailed("there is nothing to fail over from", why="no fault was put in before")
        done, regions = self._injecting.inject(name), self._platform.regions
        while self._prober.served_since is None and self._is_lost():
            self._injecting.hold(POLL_SECONDS)
        rto, rto_why = self._rto(self._lost_at, self._prober)
        rpo, rpo_why, number = self._rpo(self._lost_at, regions)
        self.failed_over = FailedOver(
            of=regions.own, to=regions.other, lost_at=self._lost_at, rto_seconds=rto, rpo_seconds=rpo,
            why=(rto_why, rpo_why), written=self._writer.written if self._writer is not None else 0,
            newest=number, bounds=self._bounds,
        )  # fmt: skip
        return {**done, "rto_seconds": rto, "rpo_seconds": rpo, "why": [rto_why, rpo_why]}

    def end(self) -> None:
        """Nothing is written, and nobody asks, after this."""
        for one in (self._writer, self._prober):
            if one is not None:
                one.stop()

    def record(self, journal: Journal, actor: str) -> None:
        """What was measured, for reports of objectives; raises what the journal raises."""
        found = self.failed_over
        if found is None:
            return
        data = {
            "of": f"failover of {found.of} to {found.to} ({self._run})",
            "at": found.lost_at, "rto_seconds": found.rto_seconds, "rpo_seconds": found.rpo_seconds,
            "service": "", "passed": found.passed, "unknown": found.unknown,
            "method": "three good answers in a row at the entrance; sentinels",
        }  # fmt: skip
        journal.append(RECOVERY_MEASURED, f"recovery/{self._run}", actor, plain(data))

    def _is_lost(self) -> bool:
        return any(one.order.name in self._hurts for one in self._injecting.in_force)

    def _rto(self, lost_at: datetime, prober: Prober) -> tuple[float | None, str]:
        served_at = prober.served_since
        prober.stop()
        if served_at is None:
            return None, f"nobody was served before the region came back: {prober.last}"
        seconds = round(seconds_between(lost_at, served_at), 3)
        return seconds, f"served again after {format_duration(seconds)}"

    def _rpo(self, lost_at: datetime, regions: Regions) -> tuple[float | None, str, int | None]:
        try:
            found = _patiently(regions.newest_sentinel, self._clock)
        except MaestroError as error:
            return None, f"whether a sentinel is in {regions.other} cannot be told: {error.what}", None
        written = self._writer.written if self._writer is not None else 0
        if found is None or found.run != self._run or not written:
            return None, f"none of the {written} sentinels of this run is in {regions.other}", None
        seconds = round(max(0.0, seconds_between(found.at, lost_at)), 3)
        why = f"sentinel {found.number} of {written} is in {regions.other}: what came after it is lost"
        return seconds, f"{why}, {format_duration(seconds)}", found.number


def _patiently(look: Callable[[], Sentinel | None], clock: Clock) -> Sentinel | None:
    """What a few tries find; raises what the last one raised."""
    for _ in range(TRIES - 1):
        try:
            return look()
        except MaestroError:
            clock.sleep(PAUSE_SECONDS)
    return look()
