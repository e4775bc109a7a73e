"""Kinds that are no part of Kubernetes, and that the real control plane is taught.

Invariant: pure data. A definition knows the fields that manifests commonly have, with their types, and keeps
those it does not know: what a cluster with the real extension takes is taken here too.
"""

from __future__ import annotations

from typing import Any

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_FLAG: _Schema = {"type": "boolean"}
_COUNT: _Schema = {"type": "integer", "format": "int64", "minimum": 0}
_DURATION: _Schema = {"type": "string", "pattern": r"^(([0-9]+)(ms|[smhdwy]))+$"}
_TEXTS: _Schema = {"type": "array", "items": _TEXT}
_PORT: _Schema = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}


def service_monitors() -> dict[str, Any]:
    """The CustomResourceDefinition of the Prometheus Operator's ServiceMonitor.

    Nobody acts on such an object here: the operator does not run.
    """
    group, plural = "monitoring.coreos.com", "servicemonitors"
    names = {
        "kind": "ServiceMonitor", "listKind": "ServiceMonitorList", "plural": plural,
        "singular": "servicemonitor", "shortNames": ["smon"], "categories": ["prometheus-operator"],
    }  # fmt: skip
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": service_monitor_schema()},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def service_monitor_schema() -> _Schema:
    spec = _open(
        {
            "selector": _selector(),
            "endpoints": {"type": "array", "items": _endpoint()},
            "namespaceSelector": _open({"any": _FLAG, "matchNames": _TEXTS}),
            "jobLabel": _TEXT,
            "targetLabels": _TEXTS,
            "podTargetLabels": _TEXTS,
            "sampleLimit": _COUNT,
            "targetLimit": _COUNT,
        },
        required=["endpoints", "selector"],
    )
    return {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _open({}),
        },
    }


def _selector() -> _Schema:
    expression = {"key": _TEXT, "operator": _TEXT, "values": _TEXTS}
    return {
        "type": "object",
        "properties": {
            "matchLabels": {"type": "object", "additionalProperties": _TEXT},
            "matchExpressions": {
                "type": "array",
                "items": {"type": "object", "properties": expression, "required": ["key", "operator"]},
            },
        },
    }


def _endpoint() -> _Schema:
    credentials = _open({"name": _TEXT, "key": _TEXT, "optional": _FLAG}, required=["key"])
    return _open(
        {
            "port": _TEXT,
            "targetPort": _PORT,
            "path": _TEXT,
            "scheme": _TEXT,
            "params": {"type": "object", "additionalProperties": _TEXTS},
            "interval": _DURATION,
            "scrapeTimeout": _DURATION,
            "honorLabels": _FLAG,
            "honorTimestamps": _FLAG,
            "followRedirects": _FLAG,
            "authorization": _open({"type": _TEXT, "credentials": credentials}),
            "tlsConfig": _open({}),
            "relabelings": {"type": "array", "items": _open({})},
            "metricRelabelings": {"type": "array", "items": _open({})},
        }
    )


def _open(fields: _Schema, *, required: list[str] | None = None) -> _Schema:
    """An object with these fields and any others."""
    found: _Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if fields:
        found["properties"] = fields
    return found | ({"required": required} if required else {})
