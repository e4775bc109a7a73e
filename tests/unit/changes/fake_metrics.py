"""A FAKE Prometheus that knows how some ReplicaSets fared; a real one answers in tests/contract/changes.

It answers the range queries of a rollback: what is live, and how many requests a second, bad ones too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.metrics import Instant, Series
from maestro_cli.slo.objectives import Counters, Objective

TOTAL = 'http_requests_total{namespace="ml", deployment="fraud"}'
BAD = 'http_requests_total{namespace="ml", deployment="fraud", code=~"5.."}'


def objective(target: float = 0.99) -> Objective:
    return Objective("fraud-availability", "", "fraud", target, 2592000.0, Counters(TOTAL, BAD), {})


OBJECTIVES = {"fraud-availability": objective()}


@dataclass(frozen=True)
class Life:
    """A ReplicaSet was live so long ago, for so many minutes, with these requests and bad ones a second."""

    minutes_ago: float
    minutes: float
    rate: float = 10.0
    bad: float = 0.0


@dataclass
class FakeMetrics:
    """Implements MetricsPort. `label` is what its series tell revisions apart by."""

    lives: Mapping[str, Sequence[Life]]
    label: str = "replica_set"
    down: bool = False
    asked: list[str] = field(default_factory=list)

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        return Instant(promql, at or datetime.now(UTC), ())

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self.asked.append(promql)
        if self.down:
            raise Unreachable("Prometheus does not answer")
        ready = "kube_replicaset_status_ready_replicas" in promql
        label = "replicaset" if ready else self.label
        steps = int((end - start).total_seconds() / step_seconds)
        instants = [start + timedelta(seconds=number * step_seconds) for number in range(steps + 1)]
        found = []
        for name, lives in self.lives.items():
            points = tuple(
                (at, _value(promql, life)) for at in instants for life in lives if _holds(life, at, end)
            )
            if points:
                found.append(Series({label: name} if label else {}, points))
        return tuple(found)


def _holds(life: Life, at: datetime, end: datetime) -> bool:
    begin = end - timedelta(minutes=life.minutes_ago)
    return begin <= at < begin + timedelta(minutes=life.minutes)


def _value(promql: str, life: Life) -> float:
    if "rate(" not in promql:
        return 3.0
    return life.bad if BAD in promql else life.rate
