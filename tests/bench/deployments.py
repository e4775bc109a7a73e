"""The workloads as a cluster's API tells them, for whoever asks that and not Prometheus what there is."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.bench.control_plane import RunningPlane
from tests.bench.population import THREADS, Writer
from tests.bench.workloads import Container, Workload


def deploy(plane: RunningPlane, all_: Iterable[Workload]) -> None:
    """Create their namespaces, Deployments and autoscalers; raises Failed."""
    there = list(all_)
    headers = {"Authorization": f"Bearer {plane.token}"}
    trusting = ssl.create_default_context(cafile=plane.authority)
    with httpx.Client(
        base_url=plane.server, headers=headers, verify=trusting, timeout=60, trust_env=False
    ) as client:
        writer = Writer(client)
        for namespace in sorted({one.namespace for one in there}):
            writer.send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda one: _deploy(writer, one), there):
                pass


def _deploy(writer: Writer, one: Workload) -> None:
    path = f"namespaces/{one.namespace}"
    writer.send("POST", f"/apis/apps/v1/{path}/deployments", _deployment(one))
    if one.scaled:
        writer.send("POST", f"/apis/autoscaling/v2/{path}/horizontalpodautoscalers", _autoscaler(one))


def _deployment(one: Workload) -> dict[str, Any]:
    labels = dict(one.labels)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": one.name, "labels": labels},
        "spec": {
            "replicas": one.replicas,
            "selector": {"matchLabels": {"app": one.name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [_container(one, container) for container in one.containers]},
            },
        },
    }


def _container(one: Workload, container: Container) -> dict[str, Any]:
    limits = {"memory": f"{2 * container.memory_request:.0f}"}
    if container.cpu_limit is not None:
        limits["cpu"] = f"{container.cpu_limit * 1000:.0f}m"
    requests = {"cpu": f"{container.cpu_request * 1000:.0f}m", "memory": f"{container.memory_request:.0f}"}
    return {
        "name": container.name,
        "image": f"registry.example/{one.name}",
        "resources": {"requests": requests, "limits": limits},
    }


def _autoscaler(one: Workload) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": one.name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": one.name},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [
                {"type": "Resource",
                 "resource": {"name": resource, "target": {"type": "Utilization", "averageUtilization": 70}}}
                for resource in one.scaled
            ],
        },
    }  # fmt: skip
