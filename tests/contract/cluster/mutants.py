"""A pod with something of everything, and what becomes of objects that lack a part or have junk in it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from tests.contract.cluster.objects import config_map, secret

SETTINGS, KEYS = config_map("settings", color="blue"), secret("keys", token="t")
_REFERENCE = {"name": "settings", "key": "color"}
_CONTAINER: dict[str, Any] = {
    "name": "c",
    "image": "example.test/app:1",
    "command": ["sleep", "1000"],
    "ports": [{"name": "http", "containerPort": 8080}],
    "env": [
        {"name": "PLAIN", "value": "x"},
        {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "MAP", "valueFrom": {"configMapKeyRef": _REFERENCE}},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    ],
    "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}],
    "volumeMounts": [
        {"name": name, "mountPath": f"/{name}"} for name in ("scratch", "host", "map", "keys", "me", "all")
    ],
    "livenessProbe": {"httpGet": {"port": 8080, "httpHeaders": [{"name": "X-Probe", "value": "y"}]}},
    "readinessProbe": {"tcpSocket": {"port": "http"}},
    "startupProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
    "lifecycle": {
        "postStart": {"exec": {"command": ["true"]}},
        "preStop": {"httpGet": {"port": 8080}},
    },
    "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}, "requests": {"cpu": "10m"}},
}
_PROJECTED = [
    {"configMap": {"name": "settings", "items": [{"key": "color", "path": "color"}]}},
    {"secret": {"name": "keys"}},
    {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
]
_LIMIT = {"containerName": "c", "resource": "limits.cpu"}
_HERE = {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "NotIn", "values": ["plan9"]}]}
RICH: dict[str, Any] = {
    "metadata": {"name": "rich", "labels": {"app": "rich"}},
    "spec": {
        "serviceAccountName": "default",
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "initContainers": [{"name": "first", "image": "example.test/app:1", "command": ["true"]}],
        "containers": [_CONTAINER],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}},
            {"name": "host", "hostPath": {"path": "/tmp", "type": "Directory"}},
            {"name": "map", "configMap": {"name": "settings", "items": [{"key": "color", "path": "color"}]}},
            {"name": "keys", "secret": {"secretName": "keys"}},
            {"name": "me", "downwardAPI": {"items": [{"path": "cpu", "resourceFieldRef": _LIMIT}]}},
            {"name": "all", "projected": {"sources": _PROJECTED}},
        ],
        "readinessGates": [{"conditionType": "example.test/open"}],
        "tolerations": [{"key": "example.test/a", "operator": "Exists"}],
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_HERE]}}
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
            }
        ],
    },
}


_CONTAINERS = """
    name image env[].name env[].valueFrom.fieldRef env[].valueFrom.fieldRef.fieldPath
    env[].valueFrom.configMapKeyRef env[].valueFrom.configMapKeyRef.name env[].valueFrom.configMapKeyRef.key
    env[].valueFrom.secretKeyRef env[].valueFrom.secretKeyRef.name env[].valueFrom.secretKeyRef.key
    env[].valueFrom.resourceFieldRef env[].valueFrom.resourceFieldRef.resource
    envFrom[].configMapRef envFrom[].configMapRef.name envFrom[].secretRef envFrom[].secretRef.name
    lifecycle.postStart.exec lifecycle.postStart.exec.command lifecycle.preStop.httpGet
    lifecycle.preStop.httpGet.port livenessProbe.httpGet livenessProbe.httpGet.port
    livenessProbe.httpGet.httpHeaders[].name readinessProbe.tcpSocket readinessProbe.tcpSocket.port
    startupProbe.exec startupProbe.exec.command ports[].containerPort
    volumeMounts[].mountPath volumeMounts[].name
"""
_VOLUMES = """
    name hostPath.path configMap.name configMap.items[].key configMap.items[].path secret.secretName
    downwardAPI.items[].path downwardAPI.items[].resourceFieldRef
    downwardAPI.items[].resourceFieldRef.containerName downwardAPI.items[].resourceFieldRef.resource
    projected.sources[].configMap.name projected.sources[].configMap.items[].key
    projected.sources[].configMap.items[].path projected.sources[].secret.name
    projected.sources[].downwardAPI.items[].path projected.sources[].downwardAPI.items[].fieldRef
    projected.sources[].downwardAPI.items[].fieldRef.fieldPath projected.sources[].serviceAccountToken.path
"""
_TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
# What Kubernetes refuses RICH without, as it was asked; volumes because they are mounted.
NEEDED = {
    "spec.containers", "spec.volumes", "spec.initContainers[].name", "spec.initContainers[].image",
    "spec.readinessGates[].conditionType", "spec.topologySpreadConstraints[].maxSkew",
    "spec.topologySpreadConstraints[].topologyKey", "spec.topologySpreadConstraints[].whenUnsatisfiable",
    _TERMS, *(f"{_TERMS}[].matchExpressions[].{field}" for field in ("key", "operator", "values")),
    *(f"spec.containers[].{field}" for field in _CONTAINERS.split()),
    *(f"spec.volumes[].{field}" for field in _VOLUMES.split()),
}  # fmt: skip


def dropped() -> Iterator[tuple[str, dict[str, Any]]]:
    """The path of each field of the spec with the pod that lacks it.

    Not so serviceAccountName: whether it is filled in depends on the admission that a cluster is run with.
    """
    for keys in _fields(RICH["spec"], ("spec",)):
        if keys[-1] == "serviceAccountName":
            continue
        mutant = copy.deepcopy(RICH)
        at: Any = mutant
        for key in keys[:-1]:
            at = at[key]
        del at[keys[-1]]
        yield "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)[1:], mutant


def _fields(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _fields(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _fields(inner, (*path, index))


_JUNK: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", "x" * 300, "a/b/c", [], [None], [[]], {}, {"": {}}, [{}],
]  # fmt: skip


def mutate(value: Any, chance: random.Random) -> Any:
    """The same object with one place in it replaced by junk, or left out."""
    value = copy.deepcopy(value)
    at: Any = value
    parent: Any = None
    key: Any = None
    while isinstance(at, (dict, list)) and at and (parent is None or chance.random() < 0.85):
        parent, key = at, chance.choice(list(at) if isinstance(at, dict) else list(range(len(at))))
        at = parent[key]
    if isinstance(parent, dict) and chance.random() < 0.3:
        del parent[key]
    elif parent is not None:
        parent[key] = chance.choice(_JUNK)
    return value
