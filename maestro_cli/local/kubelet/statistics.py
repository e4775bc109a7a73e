"""What the node measures of its pods, in the kubelet's own formats.

Invariant: series names and labels of `/metrics/resource` and shape of `/stats/summary` are a real
kubelet's, so that metrics-server and `kubectl top` understand them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from maestro_cli.local.kubelet.usage import Usage, of_container, of_machine
from maestro_cli.local.kubelet.worker import PodWorker
from maestro_cli.local.objects import Object, name_of, namespace_of, timestamp, uid_of


def measure(worker: PodWorker) -> dict[str, Usage]:
    """The usage of each running container of a pod."""
    return {task.name: of_container(keeper) for task in worker.tasks if (keeper := task.keeper) is not None}


def resource_metrics(workers: Sequence[PodWorker], _node: str) -> str:
    """Prometheus text: container_*, pod_* and node_* CPU seconds and working set bytes."""
    now = int(time.time() * 1000)
    cpu, memory, pod_cpu, pod_memory = [], [], [], []
    for worker in workers:
        pod = f'namespace="{namespace_of(worker.pod)}",pod="{name_of(worker.pod)}"'
        usages = measure(worker)
        for container, usage in usages.items():
            labels = f'{{container="{container}",{pod}}}'
            cpu.append(f"container_cpu_usage_seconds_total{labels} {usage.cpu_seconds} {now}")
            memory.append(f"container_memory_working_set_bytes{labels} {usage.memory_bytes} {now}")
        if usages:
            seconds = sum(usage.cpu_seconds for usage in usages.values())
            used = sum(usage.memory_bytes for usage in usages.values())
            pod_cpu.append(f"pod_cpu_usage_seconds_total{{{pod}}} {seconds} {now}")
            pod_memory.append(f"pod_memory_working_set_bytes{{{pod}}} {used} {now}")
    node_cpu, node_memory, _total = of_machine()
    blocks = [
        ("container_cpu_usage_seconds_total", "counter", cpu),
        ("container_memory_working_set_bytes", "gauge", memory),
        ("pod_cpu_usage_seconds_total", "counter", pod_cpu),
        ("pod_memory_working_set_bytes", "gauge", pod_memory),
        ("node_cpu_usage_seconds_total", "counter", [f"node_cpu_usage_seconds_total {node_cpu} {now}"]),
        ("node_memory_working_set_bytes", "gauge", [f"node_memory_working_set_bytes {node_memory} {now}"]),
        ("scrape_error", "gauge", ["scrape_error 0"]),
    ]
    return "".join(
        f"# TYPE {name} {kind}\n" + "\n".join(lines) + "\n" for name, kind, lines in blocks if lines
    )


def summary(workers: Sequence[PodWorker], node: str) -> Object:
    """The `/stats/summary` document, its CPU and memory parts."""
    now = timestamp(datetime.now(UTC))
    machine_cpu, machine_memory, _total = of_machine()
    pods = []
    for worker in workers:
        usages = measure(worker)
        reference = {
            "name": name_of(worker.pod),
            "namespace": namespace_of(worker.pod),
            "uid": uid_of(worker.pod),
        }
        containers = [
            {"name": name, "startTime": now, **_stats(usage, now)} for name, usage in usages.items()
        ]
        seconds = sum(usage.cpu_seconds for usage in usages.values())
        whole = Usage(seconds, sum(usage.memory_bytes for usage in usages.values()))
        pods.append({"podRef": reference, "startTime": now, "containers": containers, **_stats(whole, now)})
    machine = _stats(Usage(machine_cpu, machine_memory), now)
    return {"node": {"nodeName": node, "startTime": now, **machine}, "pods": pods}


def _stats(usage: Usage, now: str) -> Object:
    return {
        "cpu": {"time": now, "usageCoreNanoSeconds": int(usage.cpu_seconds * 1e9)},
        "memory": {"time": now, "workingSetBytes": usage.memory_bytes, "rssBytes": usage.memory_bytes},
    }
