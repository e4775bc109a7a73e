"""What an API server answers, and the cluster that reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.kubeconfig import Access

REF = WorkloadRef("Deployment", "ml", "fraud")
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "fraud", "namespace": "ml", "uid": "u-1", "resourceVersion": "42", "generation": 7,
        "creationTimestamp": "2026-01-01T00:00:00Z", "labels": None, "managedFields": [{"manager": "x"}],
        "annotations": {"deployment.kubernetes.io/revision": "2", "keep/me": "yes"},
    },
    "spec": {
        "replicas": 3,
        "selector": {
            "matchLabels": {"app": "fraud"},
            "matchExpressions": [
                {"key": "tier", "operator": "NotIn", "values": ["a", "b"]},
                {"key": "canary", "operator": "DoesNotExist"},
            ],
        },
        "template": {"spec": {"containers": [{"name": "server", "image": "i:2"}]}},
    },
    "status": {
        "observedGeneration": 7, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 2,
        "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}],
    },
}  # fmt: skip
Handler = Callable[[httpx.Request], httpx.Response]


def cluster(handler: Handler) -> KubeCluster:
    access = Access("https://api.test:6443", None, None, None, dict, "someone", "ctx", "ml")
    return KubeCluster(ClusterEndpoint(), access=access, transport=httpx.MockTransport(handler))


def answering(*answers: httpx.Response) -> tuple[KubeCluster, list[httpx.Request]]:
    queue, seen = list(answers), list[httpx.Request]()

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return queue.pop(0)

    return cluster(handle), seen


def status(code: int, reason: str, message: str, **details: Any) -> httpx.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
            "message": message, "details": details}  # fmt: skip
    return httpx.Response(code, json=body)


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def replica_set(name: str, revision: str, owner: str = "u-1", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name, "namespace": "ml", "labels": {"pod-template-hash": name},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"deployment.kubernetes.io/revision": revision, **more},
            "ownerReferences": [{"uid": owner, "name": "fraud", "kind": "Deployment", "controller": True}],
        },
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "fraud", "pod-template-hash": name}},
                "spec": {"containers": [{"name": "server", "image": f"i:{revision}"}]},
            }
        },
        "status": {"replicas": 3},
    }  # fmt: skip
