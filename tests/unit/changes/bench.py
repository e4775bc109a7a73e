"""A pipeline over a fake cluster and a real journal, with a clock that ticks by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.journal.store import Journal
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.some_world import SomeWorld

YES = Consent(given=True)
POLICY = Policy(context="staging", poll_seconds=0.001, verify_timeout_seconds=20)


class TickingClock:
    """Each look at the monotonic clock is a second later; the day moves only when told."""

    def __init__(self) -> None:
        self.today = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
        self._ticks = 0.0

    def now(self) -> datetime:
        self.today += timedelta(milliseconds=1)
        return self.today

    def monotonic(self) -> float:
        self._ticks += 1
        return self._ticks

    def sleep(self, seconds: float) -> None:
        self._ticks += seconds

    def pass_time(self, **amount: float) -> None:
        self.today += timedelta(**amount)


@dataclass
class Bench:
    """What a test of the pipeline holds in its hands."""

    journal: Journal
    cluster: FakeCluster
    clock: TickingClock

    @property
    def world(self) -> SomeWorld:
        return SomeWorld(self.cluster)

    def pipeline(self, *, actor: str = "ada", **policy: Any) -> ChangePipeline:
        return ChangePipeline(
            self.journal, self.world, policy=replace(POLICY, **policy), clock=self.clock, actor=actor
        )

    def kinds(self, change_id: str | None = None) -> list[str]:
        """The events of a change, or all of them, without the prefix."""
        subject = None if change_id is None else f"change/{change_id}"
        return [event.kind.removeprefix("change.") for event in self.journal.events(subject=subject)]
