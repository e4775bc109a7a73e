"""What the node measures of its pods, in the kubelet's own formats.

Invariant: series names and labels of `/metrics/resource` and `/metrics/cadvisor` and the shape of
`/stats/summary` are a real kubelet's, so that metrics-server, `kubectl top` and PromQL understand them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.kubelet.container import ContainerTask
from maestro_cli.local.kubelet.usage import Usage, of_container, of_machine
from maestro_cli.local.kubelet.worker import PodWorker
from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.objects import Object, name_of, namespace_of, parse_time, timestamp, uid_of

_CPU_PERIOD_MICROSECONDS = 100_000
_FAMILIES = {
    "container_cpu_usage_seconds_total": ("counter", "Cumulative CPU time consumed in seconds."),
    "container_last_seen": ("gauge", "Last time a container was seen by the exporter."),
    "container_memory_rss": ("gauge", "Size of RSS in bytes."),
    "container_memory_usage_bytes": ("gauge", "Current memory usage in bytes."),
    "container_memory_working_set_bytes": ("gauge", "Current working set in bytes."),
    "container_oom_events_total": ("counter", "Count of out of memory events of the container."),
    "container_processes": ("gauge", "Number of processes running inside the container."),
    "container_spec_cpu_period": ("gauge", "CPU period of the container, in microseconds."),
    "container_spec_cpu_quota": ("gauge", "CPU quota of the container, in microseconds a period."),
    "container_spec_cpu_shares": ("gauge", "CPU share of the container."),
    "container_spec_memory_limit_bytes": ("gauge", "Memory limit of the container; 0 for none."),
    "container_start_time_seconds": ("gauge", "Start time of the container since unix epoch in seconds."),
    "container_threads": ("gauge", "Number of threads running inside the container."),
    "machine_cpu_cores": ("gauge", "Number of logical CPU cores."),
    "machine_memory_bytes": ("gauge", "Amount of memory installed on the machine."),
    "node_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the node."),
    "node_memory_working_set_bytes": ("gauge", "Current working set of the node in bytes."),
    "pod_cpu_usage_seconds_total": ("counter", "Cumulative cpu time consumed by the pod."),
    "pod_memory_working_set_bytes": ("gauge", "Current working set of the pod in bytes."),
    "resource_scrape_error": ("gauge", "1 if there was an error while getting container metrics."),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One running container: what it is and what it uses."""

    pod: Object
    task: ContainerTask
    usage: Usage

    @property
    def container(self) -> dict[str, str]:
        return {"container": self.task.name}

    @property
    def owner(self) -> dict[str, str]:
        return {"namespace": namespace_of(self.pod), "pod": name_of(self.pod)}

    @property
    def started(self) -> datetime | None:
        return self.task.started_at


def measure(workers: Iterable[PodWorker]) -> Iterator[list[Measured]]:
    """The running containers of each pod; what faults started there counts as the first one's."""
    for worker in workers:
        running = [(task, keeper) for task in worker.tasks if (keeper := task.keeper) is not None]
        besides = sum(map(of_container, worker.leased.keepers), Usage())
        yield [
            Measured(worker.pod, task, of_container(keeper) + (besides if index == 0 else Usage()))
            for index, (task, keeper) in enumerate(running)
        ]


def _page() -> Exposition:
    page = Exposition()
    for name, (kind, words) in _FAMILIES.items():
        page.family(name, kind, words)
    return page


def _total(containers: Iterable[Measured]) -> Usage:
    return sum((one.usage for one in containers), Usage())


def resource_metrics(workers: Sequence[PodWorker]) -> str:
    """`/metrics/resource`: CPU seconds and working set of containers, pods and the node."""
    page = _page()
    for containers in measure(workers):
        for one in containers:
            labels = one.container | one.owner
            page.add("container_cpu_usage_seconds_total", labels, one.usage.cpu_seconds)
            page.add("container_memory_working_set_bytes", labels, one.usage.memory_bytes)
            began = one.started.timestamp() if one.started else 0.0
            page.add("container_start_time_seconds", labels, began)
        if containers:
            whole = _total(containers)
            page.add("pod_cpu_usage_seconds_total", containers[0].owner, whole.cpu_seconds)
            page.add("pod_memory_working_set_bytes", containers[0].owner, whole.memory_bytes)
    node_cpu, node_memory, _all = of_machine()
    page.add("node_cpu_usage_seconds_total", {}, node_cpu)
    page.add("node_memory_working_set_bytes", {}, node_memory)
    page.add("resource_scrape_error", {}, 0)
    return page.text()


def cadvisor_metrics(workers: Sequence[PodWorker]) -> str:
    """`/metrics/cadvisor`: as cAdvisor tells it, with the series of whole pods, which have no container."""
    page = _page()
    now = time.time()
    for containers in measure(workers):
        for one in containers:
            spec = _spec_of(one)
            path = f"/pods/{uid_of(one.pod)}/{one.task.record.container_id.removeprefix('process://')}"
            image = {"id": path, "image": one.task.record.image, "name": path.rpartition("/")[2]}
            labels = one.container | image | one.owner
            _use(page, labels, one.usage)
            _bounds(page, labels, spec)
            page.add("container_last_seen", labels, int(now))
            page.add("container_oom_events_total", labels, one.task.ooms)
            began = one.started.timestamp() if one.started else 0.0
            page.add("container_start_time_seconds", labels, began)
        if containers:
            pod = containers[0].pod
            _use(page, {"id": f"/pods/{uid_of(pod)}"} | containers[0].owner, _total(containers))
    page.add("machine_cpu_cores", {}, os.cpu_count() or 1)
    page.add("machine_memory_bytes", {}, of_machine()[2])
    return page.text()


def _use(page: Exposition, labels: dict[str, str], usage: Usage) -> None:
    page.add("container_cpu_usage_seconds_total", labels | {"cpu": "total"}, usage.cpu_seconds)
    for name in ("usage_bytes", "working_set_bytes", "rss"):
        page.add(f"container_memory_{name}", labels, usage.memory_bytes)
    page.add("container_processes", labels, usage.processes)
    page.add("container_threads", labels, usage.threads)


def _bounds(page: Exposition, labels: dict[str, str], spec: Object) -> None:
    resources = spec.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    memory = parse_quantity(limits.get("memory", 0))
    page.add("container_spec_memory_limit_bytes", labels, memory)
    shares = max(2, int(parse_quantity(requests.get("cpu", 0)) * 1024))
    page.add("container_spec_cpu_shares", labels, shares)
    page.add("container_spec_cpu_period", labels, _CPU_PERIOD_MICROSECONDS)
    if "cpu" in limits:
        quota = parse_quantity(limits["cpu"]) * _CPU_PERIOD_MICROSECONDS
        page.add("container_spec_cpu_quota", labels, quota)


def _spec_of(one: Measured) -> Object:
    spec = one.pod["spec"]
    containers: list[Object] = [*(spec.get("initContainers") or ()), *spec["containers"]]
    return next(entry for entry in containers if entry["name"] == one.task.name)


def summary(workers: Sequence[PodWorker], node: str) -> Object:
    """The `/stats/summary` document, its CPU and memory parts."""
    now = timestamp(datetime.now(UTC))
    machine_cpu, machine_memory, total = of_machine()
    pods = []
    for containers in measure(workers):
        if not containers:
            continue
        pod = containers[0].pod
        began = parse_time((pod.get("status") or {}).get("startTime"))
        pods.append(
            {
                "podRef": {"name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)},
                "startTime": timestamp(began) if began else now,
                "containers": [
                    {
                        "name": one.task.name,
                        "startTime": timestamp(one.started) if one.started else now,
                        **_stats(one.usage, now),
                    }
                    for one in containers
                ],
                **_stats(_total(containers), now),
            }
        )
    machine = _stats(Usage(machine_cpu, machine_memory), now)
    machine["memory"]["availableBytes"] = total - machine_memory
    return {"node": {"nodeName": node, "startTime": now, **machine}, "pods": pods}


def _stats(usage: Usage, now: str) -> Object:
    memory = usage.memory_bytes
    return {
        "cpu": {"time": now, "usageCoreNanoSeconds": int(usage.cpu_seconds * 1e9)},
        "memory": {"time": now, "usageBytes": memory, "workingSetBytes": memory, "rssBytes": memory},
    }
