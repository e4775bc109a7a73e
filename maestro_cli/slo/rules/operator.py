"""Rules as the resource that the Prometheus Operator reads. Invariant: the groups are those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

API_VERSION, KIND = "monitoring.coreos.com/v1", "PrometheusRule"


def resource(
    document: Mapping[str, Any], name: str, namespace: str | None, labels: Mapping[str, str]
) -> dict[str, Any]:
    """The rule file as a PrometheusRule; `labels` are those that its ruleSelector asks for."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(sorted(labels.items()))
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": dict(document)}


def groups_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rule file in a PrometheusRule; the document itself where it is one."""
    spec = document.get("spec") if document.get("kind") == KIND else document
    return spec if isinstance(spec, Mapping) else {}
