"""What an autoscaler should be set to, as a command of maestro, of kubectl, and as a Kustomize patch.

Metrics of an autoscaler are one list. Where it looks at the CPU alone all of the list is known; a patch of
the first of them tests that it is what it is taken for. Where it looks at more, only words say what to set.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestro_cli.cost.rightsizing.advice import AutoscalerMove

_TARGET = "/spec/metrics/0/resource/target"


def set_command(namespace: str, move: AutoscalerMove) -> str:
    """`maestro set hpa …`: planned, gated and taken back like every change."""
    given = (("--min", move.least), ("--max", move.most), ("--cpu", move.cpu))
    words = [word for option, value in given if value is not None for word in (option, str(value))]
    return shlex.join(["maestro", "set", "hpa", move.name, "-n", namespace, *words])


def kubectl_commands(namespace: str, move: AutoscalerMove) -> list[str]:
    """None for a target among other metrics: which of them it is nobody told."""
    found = []
    bounds = {"minReplicas": move.least, "maxReplicas": move.most}
    given = {name: value for name, value in bounds.items() if value is not None}
    if given:
        found.append(_patch(namespace, move.name, "merge", {"spec": given}))
    if move.cpu is not None and move.is_alone:
        operations = [
            {"op": "test", "path": "/spec/metrics/0/resource/name", "value": "cpu"},
            {"op": "test", "path": f"{_TARGET}/type", "value": "Utilization"},
            {"op": "replace", "path": f"{_TARGET}/averageUtilization", "value": move.cpu},
        ]
        found.append(_patch(namespace, move.name, "json", operations))
    return found


def target_document(namespace: str, name: str, percent: int) -> dict[str, Any]:
    """Of an autoscaler that looks at the CPU alone: its whole list of metrics."""
    target = {"type": "Utilization", "averageUtilization": percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]},
    }


def _patch(namespace: str, name: str, how: str, patch: object) -> str:
    text = json.dumps(patch, separators=(",", ":"))
    return shlex.join(["kubectl", "-n", namespace, "patch", "hpa", name, "--type", how, "-p", text])
