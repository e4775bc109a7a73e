"""How a service does before a drill breaks it, and what was counted when it is over.

Invariant: counters are totals over every series of the window, also of pods that are gone; baseline and score
look back to the same instant, so both count the same pods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.chaos.drills.ports import Cluster, Metrics, Responder
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.errors import NoData, TimedOut
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Counters, Objective

TIMEOUT_SECONDS = 120.0
HEALTHY_SECONDS = 5.0
POLL_SECONDS = 0.5
LOOKBACK_SECONDS = 3600.0


def await_baselines(
    measured: Sequence[Measuring], clock: Clock, progress: Progress, cancellation: Cancellation
) -> tuple[Baseline, ...]:
    """Wait until all services answer, all replicas run, nothing fires, for a few seconds on end; then how
    each of them is. Raises TimedOut with what is unwell, Interrupted.
    """
    progress.phase("baseline", "waiting for a healthy baseline")
    deadline = clock.monotonic() + TIMEOUT_SECONDS
    healthy_since: float | None = None
    why = ""
    while clock.monotonic() < deadline:
        why = next((words for one in measured if (words := one.why_unhealthy())), "")
        now = clock.monotonic()
        healthy_since = None if why else (healthy_since if healthy_since is not None else now)
        if healthy_since is not None and now - healthy_since >= HEALTHY_SECONDS:
            return tuple(one.take_baseline() for one in measured)
        progress.update(why or f"healthy for {now - (healthy_since or now):.0f} s")
        cancellation.pause(POLL_SECONDS)
    raise TimedOut(
        f"no healthy baseline within {TIMEOUT_SECONDS:.0f} s",
        why=why,
        fix="maestro local status, maestro status",
    )


class Measuring:
    """Reads one workload, and one objective of it if there is one that counts its events."""

    def __init__(
        self,
        cluster: Cluster,
        metrics: Metrics,
        responder: Responder,
        target: WorkloadRef,
        objective: Objective | None,
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._responder = responder
        self._target = target
        self._counters = None if objective is None else objective.counters
        self._objective = None if self._counters is None else objective
        self._clock = clock

    def totals_since(self, baseline: Baseline) -> tuple[float | None, float | None]:
        """Requests and bad ones, counted as the baseline counted them; None where they are not known."""
        counters = self._counters
        if counters is None:
            return None, None
        window = LOOKBACK_SECONDS + seconds_between(baseline.at, self._clock.now())
        return self._counter(counters.total, window), self._errors(counters, window)

    def why_unhealthy(self) -> str:
        """Empty when the drill may begin."""
        target = self._target
        workload = self._cluster.get_workload(target)
        if not workload.is_rolled_out or workload.replicas_ready < workload.replicas_wanted:
            return f"{workload.replicas_ready} of {workload.replicas_wanted} replicas of {target} are ready"
        if self._objective is not None and self._counters is not None:
            why = self._why_missed(self._objective, self._counters)
            if why:
                return why
        firing = self._responder.firing(target)
        return f"still firing: {', '.join(firing)}" if firing else ""

    def _why_missed(self, objective: Objective, counters: Counters) -> str:
        rate = self._value(f"sum(rate({counters.total}[5s]))")
        if rate is None or rate <= 0:
            return "no requests are answered yet"
        ratio = self._value(ratio_query(objective, "5s"))
        if ratio is None or ratio > objective.budget:
            return f"the error ratio is {'not known' if ratio is None else format(ratio, '.2%')}"
        return ""

    def take_baseline(self) -> Baseline:
        """How it is it is now. Raises NoData."""
        workload = self._cluster.get_workload(self._target)
        counters = self._counters
        if counters is None:
            return Baseline(self._clock.now(), workload.revision, workload.template, None, None)
        requests = self._counter(counters.total, LOOKBACK_SECONDS)
        errors = self._errors(counters, LOOKBACK_SECONDS)
        if requests is None or errors is None:
            raise NoData("the request counters vanished", fix="maestro local status")
        return Baseline(self._clock.now(), workload.revision, workload.template, requests, errors)

    def _value(self, promql: str) -> float | None:
        value = self._metrics.query(promql).only
        return None if value is None or math.isnan(value) else value

    def _counter(self, selector: str, seconds: float) -> float | None:
        """A counter's total over every series of that long, also of pods that are gone."""
        return self._value(f"sum(max_over_time({selector}[{prometheus_duration(seconds)}]))")

    def _errors(self, counters: Counters, seconds: float) -> float | None:
        if counters.bad is None:
            total = self._counter(counters.total, seconds)
            good = self._counter(counters.good or "", seconds)
            return None if total is None or good is None else total - good
        window = prometheus_duration(seconds)
        return self._value(f"sum(max_over_time({counters.bad}[{window}])) or vector(0)")
