"""Prometheus HTTP service discovery of pods.

Invariant: only pods that run and ask to be scraped (annotation `prometheus.io/scrape: "true"`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from maestro_cli.local.addresses import listening_address
from maestro_cli.local.objects import (
    Object,
    annotations_of,
    controller_of,
    labels_of,
    name_of,
    namespace_of,
    pod_phase,
)

_REVISION = "deployment.kubernetes.io/revision"


def targets(pods: Iterable[Object], replica_set: Callable[[str], Object | None]) -> list[Object]:
    """Target groups for `http_sd`; `replica_set` finds one by `namespace/name`.

    Labels: namespace, pod, node, deployment, revision, pod_template_hash, controller_revision_hash (of the
    pods of sets); `__metrics_path__` when the pod has `prometheus.io/path`.
    """
    groups = []
    for pod in pods:
        annotations, pod_ip = annotations_of(pod), (pod.get("status") or {}).get("podIP")
        if annotations.get("prometheus.io/scrape") != "true" or pod_phase(pod) != "Running" or not pod_ip:
            continue
        port = annotations.get("prometheus.io/port") or _first_port(pod)
        owner = controller_of(pod)
        found = replica_set(f"{namespace_of(pod)}/{owner['name']}") if owner is not None else None
        deployment = controller_of(found) if found is not None else None
        labels = {
            "namespace": namespace_of(pod),
            "pod": name_of(pod),
            "node": pod["spec"].get("nodeName") or "",
            "deployment": deployment["name"] if deployment is not None else "",
            "revision": annotations_of(found).get(_REVISION, "") if found is not None else "",
            "pod_template_hash": labels_of(pod).get("pod-template-hash", ""),
            "controller_revision_hash": labels_of(pod).get("controller-revision-hash", ""),
        }
        if "prometheus.io/path" in annotations:
            labels["__metrics_path__"] = annotations["prometheus.io/path"]
        groups.append({"targets": [f"{listening_address(pod_ip)}:{port}"], "labels": labels})
    return groups


def _first_port(pod: Object) -> str:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            return str(port["containerPort"])
    return "80"
