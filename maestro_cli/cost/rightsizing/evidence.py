"""What a figure rests on: the query that tells it again at the end of the window, and what it said.

Invariant: the query is about the pods of the workload and about no others, over the window that was looked
at; asked by hand at that time, it answers the value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.cost.cluster_series import ANY_CLUSTER, ClusterSeries
from maestro_cli.cost.rightsizing.asking import ENDED, ENDED_NOW, MAIN, OOM_REASON, RESTARTS
from maestro_cli.cost.rightsizing.chunks import HELD, USED, selector_of
from maestro_cli.cost.rightsizing.collecting import mean_ms
from maestro_cli.cost.rightsizing.facts import Fact, KilledAfter
from maestro_cli.cost.rightsizing.model import ContainerId, Usage, Vector
from maestro_cli.cost.rightsizing.owners import PodKey
from maestro_cli.cost.rightsizing.thinness import WEEK_SECONDS

_OF_CONTAINER = "max by (namespace, pod, container)"
_FINE = 1e-4  # cores: percentiles are told to a tenth of a millicore, upwards


@dataclass(frozen=True, slots=True)
class Looked:
    """How long was looked at, and how much history is enough: a week, unless somebody trusts less."""

    span_seconds: float
    least_seconds: float = WEEK_SECONDS


@dataclass(frozen=True, slots=True)
class Asked:
    """One container, in the pods that its workload had in the window."""

    container: ContainerId
    pods: Sequence[PodKey]
    looked: Looked
    series: ClusterSeries = ANY_CLUSTER
    family: str = MAIN

    @property
    def span(self) -> str:
        return prometheus_duration(self.looked.span_seconds)

    def selector(self, metric: str, *matchers: str) -> str:
        pods = self.pods or [(self.container.workload.namespace, "")]
        return selector_of(
            self.series, metric, pods, f"container={promql_string(self.container.container)}", *matchers
        )


def used(asked: Asked, usage: Usage) -> Iterator[Fact]:
    """The percentiles of all pods pooled, which PromQL has no word for: as the share that is below them."""
    import numpy as np

    step = prometheus_duration(mean_ms(round(asked.looked.span_seconds * 1000)) / 1000)
    rates = f"{_OF_CONTAINER} (rate({asked.selector(USED)}[{step}]))"
    every = f"[{asked.span}:{step}]"
    for percent in (95, 99):
        if not len(usage.cpu):
            yield Fact(f"means of {step} of its processor time", f"{rates}", None)
            break
        most = math.ceil(round(float(np.percentile(usage.cpu, percent)) / _FINE, 6)) * _FINE
        query = (
            f"sum(count_over_time(({rates} <= {most:.4f}){every})) / sum(count_over_time(({rates}){every}))"
        )
        what = f"share of its means of {step} of up to {most:.4f} cores, its P{percent}, all pods pooled"
        yield Fact(what, query, _share_up_to(usage.cpu, round(most, 4)))
    query = f"max(max_over_time({asked.selector(HELD)}[{asked.span}]))"
    yield Fact("its largest working set, bytes", query, usage.peak)


def throttled(asked: Asked, share: float | None) -> Fact:
    """In which share of its periods it wanted more than its limit; of what was asked, the same sums."""
    some, every = (
        f"sum(increase({asked.selector(f'container_cpu_{which}_total')}[{asked.span}]))"
        for which in ("cfs_throttled_periods", "cfs_periods")
    )
    return Fact("share of its periods in which it was throttled", f"{some} / {every}", share)


def killed(asked: Asked) -> Fact:
    ended = (asked.selector(f"{asked.family}_{name}", OOM_REASON) for name in (ENDED, ENDED_NOW))
    most = " or ".join(f"max_over_time({of}[{asked.span}])" for of in ended)
    return Fact("whether it was killed for its memory", f"max({most})", 1.0)


def killed_after(undone: KilledAfter) -> Fact:
    """What the journal has of it: the change that saw it."""
    return Fact("kills for its memory that the change saw", f"maestro change show {undone.change}", 1.0)


def ends_untold(asked: Asked, starts: float | None) -> Iterator[Fact]:
    """That nothing tells its restarts, or that it was started again and nothing tells why it had ended."""
    restarts, ended = (asked.selector(f"{asked.family}_{name}") for name in (RESTARTS, ENDED))
    yield Fact("how often it was started again", f"max({restarts})", starts)
    if starts is not None:
        yield Fact("why it ended", f"count(count_over_time({ended}[{asked.span}]))", None)


def _share_up_to(values: Vector, most: float) -> float:
    return float((values <= most).mean())
