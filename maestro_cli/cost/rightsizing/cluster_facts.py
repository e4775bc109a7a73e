"""Facts of a cluster from its metrics: a dozen queries, and two for 200 pods that have a CPU limit."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from maestro_cli.core.facts.metrics import Sample
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.rightsizing.asking import ENDED, GPU, INIT, MAIN, RESTARTS, FactQueries
from maestro_cli.cost.rightsizing.chunks import MOST_PODS
from maestro_cli.cost.rightsizing.facts import (
    Autoscaler,
    Facts,
    Gpu,
    Throttling,
)
from maestro_cli.cost.rightsizing.model import ContainerId, OutOfMemory, Size, WorkloadId
from maestro_cli.cost.rightsizing.node_facts import read_placed, read_rooms
from maestro_cli.cost.rightsizing.own_rule import BATCH
from maestro_cli.cost.rightsizing.owners import PodKey
from maestro_cli.cost.rightsizing.ports import History

_WEEK_HOURS = 168
_SIDES = ("requests", "limits")
# by side (requests, limits), then by namespace, pod, container, then by resource
Amounts = dict[str, dict[tuple[str, str, str], dict[str, float]]]


def read_facts(
    history: History,
    series: ClusterSeries,
    owners: Mapping[PodKey, WorkloadId],
    chosen: Mapping[PodKey, WorkloadId],
    end: datetime,
    span: timedelta,
) -> Facts:
    """Of the pods that were chosen, and of all nodes and of where all pods are. Raises as History does."""
    queries = FactQueries(series, prometheus_duration(span.total_seconds()))
    ask = _Asking(history, end, span, queries)
    amounts = ask.amounts_now()
    alive = {_pod(one) for one in ask.samples(queries.alive)}
    running = {pod: of for pod, of in chosen.items() if pod in alive}
    there = set(running.values())
    absent = [pod for pod, of in chosen.items() if of.kind in BATCH and of not in there]
    then = ask.amounts_once(absent)
    sizes = _sizes(amounts, running)
    endings, unexplained = ask.endings(chosen)
    return Facts(
        sizes=_sizes(then, chosen) | sizes,
        replicas=Counter(running.values()),
        autoscalers=ask.autoscalers(),
        kills=ask.kills(chosen),
        throttling=ask.throttling(chosen, {container for container, size in sizes.items() if size.cpu_limit}),
        gpus=ask.gpus(chosen),
        sidecars=ask.sidecars(chosen),
        endings=endings,
        unexplained=unexplained,
        alive=_by_workload(running),
        seen=_by_workload(chosen),
        pods=tuple(read_placed(ask.samples, queries, amounts["requests"], alive, owners)),
        nodes=tuple(read_rooms(ask.samples, queries)),
        queries=queries,
    )


class _Asking:
    """Queries at one instant."""

    def __init__(self, history: History, end: datetime, span: timedelta, queries: FactQueries) -> None:
        self._history, self._end, self._begin, self._queries = history, end, end - span, queries

    def samples(self, promql: str) -> tuple[Sample, ...]:
        return self._history.query(promql, at=self._end).samples

    def amounts_now(self) -> Amounts:
        return {side: _amounts(self.samples(self._queries.sizes_now(side))) for side in _SIDES}

    def amounts_once(self, pods: list[PodKey]) -> Amounts:
        found: Amounts = {side: {} for side in _SIDES}
        for at in range(0, len(pods), MOST_PODS):
            portion = pods[at : at + MOST_PODS]
            for side in _SIDES:
                told = _amounts(self.samples(self._queries.sizes_once(side, portion)))
                found[side] |= {key: of for key, of in told.items() if key[:2] in set(portion)}
        return found

    def kills(self, owners: Mapping[PodKey, WorkloadId]) -> dict[ContainerId, OutOfMemory]:
        namespace = _namespace(owners)
        killed = self._by_container(self._queries.kills(namespace), owners)
        if not killed:
            return {}
        at = self._by_container(self._queries.killed_at(namespace), owners)
        limits = self._by_container(self._queries.killed_with(namespace), owners)
        now = self._end.timestamp()
        return {one: OutOfMemory(at.get(one, now), limits.get(one)) for one in killed}

    def throttling(
        self, owners: Mapping[PodKey, WorkloadId], limited: set[ContainerId]
    ) -> dict[ContainerId, Throttling]:
        workloads = {container.workload for container in limited}
        pods = sorted(pod for pod, workload in owners.items() if workload in workloads)
        counts: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [math.nan, math.nan])
        for at in range(0, len(pods), MOST_PODS):
            portion = pods[at : at + MOST_PODS]
            chosen = {pod: owners[pod] for pod in portion}
            for column, which in enumerate(("cfs_throttled_periods", "cfs_periods")):
                for one in self.samples(self._queries.cpu_periods(which, portion)):
                    if _pod(one) in chosen:
                        counts[(*_pod(one), one.labels.get("container", ""))][column] = one.value
        found: dict[ContainerId, Throttling] = {}
        for (namespace, pod, name), (throttled, periods) in counts.items():
            container = ContainerId(owners[namespace, pod], name)
            so_far = found.get(container, Throttling(0.0, 0.0))
            found[container] = Throttling(so_far.throttled + throttled, so_far.periods + periods)
        return found

    def sidecars(self, owners: Mapping[PodKey, WorkloadId]) -> frozenset[ContainerId]:
        """Containers that start before the others, of which native sidecars go on and are measured."""
        return frozenset(_of(key, owners) for key in self._told(INIT, RESTARTS, owners) if key[:2] in owners)

    def _told(self, family: str, name: str, owners: Mapping[PodKey, WorkloadId]) -> set[tuple[str, str, str]]:
        selector = self._queries.told(family, name, _namespace(owners))
        return {_key(of) for of in self._history.label_sets(selector, self._begin, self._end)}

    def endings(
        self, owners: Mapping[PodKey, WorkloadId]
    ) -> tuple[frozenset[ContainerId], dict[ContainerId, float]]:
        """Of which containers it is told how they ended; which started again, and nothing tells why."""
        namespace = _namespace(owners)
        known, why = (
            self._told(MAIN, name, owners) | self._told(INIT, name, owners) for name in (RESTARTS, ENDED)
        )
        untold: dict[ContainerId, float] = {}
        for one in self.samples(self._queries.restarts(namespace)):
            key = _key(one.labels)
            if one.value > 0 and key not in why and key[:2] in owners:
                container = _of(key, owners)
                untold[container] = max(one.value, untold.get(container, 0.0))
        return frozenset(_of(key, owners) for key in known if key[:2] in owners) - untold.keys(), untold

    def autoscalers(self) -> dict[WorkloadId, Autoscaler]:
        queries = self._queries
        infos = self.samples(queries.autoscalers)
        if not infos:
            return {}
        least, most = (
            {_autoscaler(one): one.value for one in self.samples(self._queries.autoscaler_bound(which))}
            for which in ("min", "max")
        )
        targets: dict[PodKey, dict[str, float]] = defaultdict(dict)
        others: dict[PodKey, set[str]] = defaultdict(set)
        for one in self.samples(self._queries.autoscaler_targets):
            name, how = one.labels.get("metric_name", ""), one.labels.get("metric_target_type", "")
            if name in ("cpu", "memory") and how == "utilization":
                targets[_autoscaler(one)][name] = one.value
            else:
                others[_autoscaler(one)].add(name)
        full, wanted, used = (
            {_autoscaler(one): one.value for one in self.samples(promql)}
            for promql in (queries.autoscaler_full(), queries.autoscaler_wanted(), queries.autoscaler_used())
        )
        found = {}
        for one in infos:
            key, of = _autoscaler(one), one.labels
            kind, name = of.get("scaletargetref_kind", ""), of.get("scaletargetref_name", "")
            found[WorkloadId(key[0], kind, name)] = Autoscaler(
                key[1], least.get(key), most.get(key), targets[key].get("cpu"), targets[key].get("memory"),
                tuple(sorted(others[key])), full.get(key), wanted.get(key), used.get(key),
            )  # fmt: skip
        return found

    def gpus(self, owners: Mapping[PodKey, WorkloadId]) -> dict[WorkloadId, tuple[Gpu, ...]]:
        busy = self.samples(self._queries.gpu_busy)
        if not busy:
            return {}
        seen = {_gpu(one): one.value for one in self.samples(self._queries.gpu_seen)}
        found: dict[WorkloadId, list[Gpu]] = defaultdict(list)
        for one in busy:
            namespace, pod, gpu = _gpu(one)
            workload = owners.get((namespace, pod))
            if workload is not None:
                coverage = min(1.0, seen.get(_gpu(one), 0.0) / _WEEK_HOURS)
                selector = self._queries.series.of(GPU, one.labels)
                found[workload].append(Gpu(gpu, pod, one.value / 100, coverage, selector))
        return {workload: tuple(of) for workload, of in found.items()}

    def _by_container(self, promql: str, owners: Mapping[PodKey, WorkloadId]) -> dict[ContainerId, float]:
        found: dict[ContainerId, float] = {}
        for one in self.samples(promql):
            if _pod(one) in owners:
                container = _container(one, owners)
                found[container] = max(one.value, found.get(container, one.value))
        return found


def _namespace(owners: Mapping[PodKey, WorkloadId]) -> str:
    """Which one is asked for, where it is one."""
    namespaces = {namespace for namespace, _ in owners}
    return next(iter(namespaces)) if len(namespaces) == 1 else ""


def _key(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", "")


def _of(key: tuple[str, str, str], owners: Mapping[PodKey, WorkloadId]) -> ContainerId:
    return ContainerId(owners[key[:2]], key[2])


def _by_workload(chosen: Mapping[PodKey, WorkloadId]) -> dict[WorkloadId, tuple[PodKey, ...]]:
    found: dict[WorkloadId, list[PodKey]] = defaultdict(list)
    for pod, workload in chosen.items():
        found[workload].append(pod)
    return {workload: tuple(pods) for workload, pods in found.items()}


def _amounts(samples: Iterable[Sample]) -> dict[tuple[str, str, str], dict[str, float]]:
    found: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for one in samples:
        found[*_pod(one), one.labels.get("container", "")][one.labels.get("resource", "")] = one.value
    return found


def _sizes(amounts: Amounts, owners: Mapping[PodKey, WorkloadId]) -> dict[ContainerId, Size]:
    """The size that most pods of a workload have; the larger one when two are as common."""
    found: dict[ContainerId, Counter[Size]] = defaultdict(Counter)
    requests, limits = (amounts[side] for side in _SIDES)
    for key in sorted(requests.keys() | limits.keys()):
        workload = owners.get(key[:2])
        if workload is not None:
            asks, ends = requests.get(key, {}), limits.get(key, {})
            size = Size(asks.get("cpu"), ends.get("cpu"), asks.get("memory"), ends.get("memory"))
            found[ContainerId(workload, key[2])][size] += 1
    return {
        container: max(counts.items(), key=lambda one: (one[1], one[0].cpu_request or 0.0))[0]
        for container, counts in found.items()
    }


def _pod(one: Sample) -> PodKey:
    return one.labels.get("namespace", ""), one.labels.get("pod", "")


def _autoscaler(one: Sample) -> PodKey:
    return one.labels.get("namespace", ""), one.labels.get("horizontalpodautoscaler", "")


def _container(one: Sample, owners: Mapping[PodKey, WorkloadId]) -> ContainerId:
    return ContainerId(owners[_pod(one)], one.labels.get("container", ""))


def _gpu(one: Sample) -> tuple[str, str, str]:
    """An exporter that keeps no labels of others has them as `exported_…`."""
    labels = one.labels
    return (
        labels.get("exported_namespace") or labels.get("namespace", ""),
        labels.get("exported_pod") or labels.get("pod", ""),
        labels.get("UUID") or labels.get("gpu", ""),
    )
