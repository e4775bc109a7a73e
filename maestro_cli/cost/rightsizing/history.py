"""What containers used in a window, read as it was scraped: two requests for many pods, none a workload.

Samples are decoded and summed up portion by portion; of a workload stays what the rules need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.rightsizing.chunks import HELD, USED, Portions, selector_of
from maestro_cli.cost.rightsizing.collecting import (
    BEFORE,
    Collected,
    Key,
    Sampled,
    Window,
    held_by,
    used_by,
)
from maestro_cli.cost.rightsizing.grid import engine_of
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import ContainerId, Usage, WorkloadId
from maestro_cli.cost.rightsizing.own_rule import BATCH
from maestro_cli.cost.rightsizing.owners import PodKey
from maestro_cli.cost.rightsizing.ports import History
from maestro_cli.slo.ports import RawSeries, TooMuch

if TYPE_CHECKING:
    from maestro_cli.cost.rightsizing.grid import Times

_USUAL_SAMPLES = 120.0  # an hour: every half a minute
_LEAST = timedelta(milliseconds=1)
_HOUR_SECONDS = 3600
_TARGET = ("job", "metrics_path")  # the kubelet's own metrics often have the same job as those of containers
Read = Callable[[Window, Sequence[RawSeries]], dict[Key, Sampled]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One container of a workload: its usage, KRR's figures, and how long there were how many of it.

    `hours` are those in which there was one at least; of what runs at times, all since it was seen first.
    """

    container: ContainerId
    usage: Usage
    krr: KrrSeries
    pod_hours: float
    hours: float


def window_of(history: History, end: datetime, span: timedelta) -> Window:
    """The window as the version of this Prometheus counts its ends."""
    return Window(end, span, engine_of(history.version()))


def read_usage(
    history: History, series: ClusterSeries, owners: Mapping[PodKey, WorkloadId], window: Window
) -> Iterator[Measured]:
    """Every container of the workloads, workload by workload. Raises what a History raises."""
    pods = sorted(owners, key=lambda pod: (owners[pod], pod))
    watched = _watched(history, series, window) if any(of.kind in BATCH for of in owners.values()) else None
    portions = Portions(pods, _samples_a_pod(history, series, window))
    step_seconds = window.means.step_ms / 1000
    open_: dict[ContainerId, Collected] = {}
    with DaemonPool(1, "memory") as beside:
        for portion in portions:
            later = beside.submit(partial(_read, history, series, window, HELD, portion, held_by))
            used, samples = _read(history, series, window, USED, portion, used_by)
            held, others = later.result()
            portions.seen(len(portion), max(samples, others))
            for key, found in sorted(used.items()):
                _of(open_, owners, key, step_seconds).add_used(key[1], found)
            for key, found in sorted(held.items()):
                _of(open_, owners, key, step_seconds).add_held(key[1], found)
            last = owners[portion[-1]]  # of this one there may be pods in the next portion
            yield from _done(open_, window, watched, last)
        yield from _done(open_, window, watched, None)


def _read(
    history: History,
    series: ClusterSeries,
    window: Window,
    metric: str,
    pods: Sequence[PodKey],
    read: Read,
) -> tuple[dict[Key, Sampled], int]:
    """What is known of each container, and how many samples that were; half as many at once if too many."""
    selector = selector_of(series, metric, pods)
    try:
        told = _samples(history, selector, window.start - BEFORE, window.end + _LEAST)
    except TooMuch:
        if len(pods) == 1:
            raise
        half = len(pods) // 2
        first, some = _read(history, series, window, metric, pods[:half], read)
        second, others = _read(history, series, window, metric, pods[half:], read)
        return first | second, some + others
    chosen = set(pods)  # the selector also takes pods of these names in others of these namespaces
    told = [one for one in told if (one.labels.get("namespace"), one.labels.get("pod")) in chosen]
    return read(window, told), sum(len(one.times) for one in told)


def _samples(history: History, selector: str, start: datetime, end: datetime) -> list[RawSeries]:
    """In as few stretches of time as its source can take, each series put together."""
    import numpy as np

    at_once = timedelta(days=history.days_at_once)
    if end - start <= at_once + BEFORE + _LEAST:
        return list(history.samples(selector, start, end))
    parts: dict[tuple[tuple[str, str], ...], list[RawSeries]] = {}
    while start < end:
        until = min(end, start + at_once)
        for one in history.samples(selector, start, until):
            parts.setdefault(tuple(sorted(one.labels.items())), []).append(one)
        start = until
    return [
        RawSeries(
            of[0].labels,
            np.concatenate([np.asarray(one.times) for one in of]),
            np.concatenate([np.asarray(one.values) for one in of]),
        )
        for of in parts.values()
    ]


def _of(
    open_: dict[ContainerId, Collected], owners: Mapping[PodKey, WorkloadId], key: Key, step_seconds: float
) -> Collected:
    namespace, pod, container = key
    return open_.setdefault(ContainerId(owners[namespace, pod], container), Collected(step_seconds))


def _done(
    open_: dict[ContainerId, Collected], window: Window, watched: Times | None, but: WorkloadId | None
) -> Iterator[Measured]:
    """What runs at times is known by the hours in which it would have been seen; all else by its own."""
    import numpy as np

    for container in sorted(found for found in open_ if found.workload != but):
        one = open_.pop(container)
        at_times = container.workload.kind in BATCH
        its = watched if watched is not None and at_times else np.empty(0, np.int64)
        hours = (window.end.timestamp() - one.first) / _HOUR_SECONDS if at_times else one.hours
        yield Measured(container, one.usage(its), one.krr, one.pod_hours, hours)


def _samples_a_pod(history: History, series: ClusterSeries, window: Window) -> float:
    found = (
        history.query(f"avg(count_over_time({series.of(HELD)}[1h]))", at=window.end).only or _USUAL_SAMPLES
    )
    return found * (window.span / timedelta(hours=1))


def _watched(history: History, series: ClusterSeries, window: Window) -> Times:
    """The hours since 1970 in which what tells of containers was scraped with success."""
    import numpy as np

    containers = series.of(HELD, extra='container!=""')
    tells = {
        tuple((name, one.labels.get(name, "")) for name in _TARGET)
        for one in history.query(f"group by ({', '.join(_TARGET)}) ({containers})", at=window.end).samples
    }
    up = [
        f"max_over_time({series.of('up', {name: value for name, value in of if value})}[1h])"
        for of in sorted(tells)
    ]
    if not up:
        return np.empty(0, np.int64)
    hours = [
        np.asarray(one.times)[np.asarray(one.values) > 0] // _HOUR_SECONDS
        for one in history.steps(f"max({' or '.join(up)})", window.start, window.end, _HOUR_SECONDS)
    ]
    return np.concatenate([*hours, np.empty(0)]).astype(np.int64)
