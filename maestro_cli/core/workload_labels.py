"""Which workload the labels of an alert or a series name.

Invariant: labels may be hostile: what is not the name of a workload names none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import WorkloadRef, parse_workload_ref

# Labels that name a workload, nearest first; a Service usually carries its Deployment's name.
WORKLOAD_LABELS = (
    ("deployment", "deploy"),
    ("statefulset", "sts"),
    ("daemonset", "ds"),
    ("service", "deploy"),
)
_POD_OF_DEPLOYMENT = re.compile(
    r"(?P<name>[a-z0-9][-a-z0-9.]*)-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
)


def workload_of(labels: Mapping[str, str]) -> WorkloadRef | None:
    """The workload that labels name, directly or through a pod's name; None when they name none."""
    namespace = labels.get("namespace", "")
    for label, word in WORKLOAD_LABELS:
        name = labels.get(label, "")
        if name:
            return _reference(word, namespace, name)
    pod = labels.get("pod", "")
    match = _POD_OF_DEPLOYMENT.fullmatch(pod) if len(pod) <= 253 else None
    return _reference("deploy", namespace, match["name"]) if match else None


def _reference(word: str, namespace: str, name: str) -> WorkloadRef | None:
    if len(namespace) > 253 or len(name) > 253 or "/" in namespace or "/" in name:
        return None
    try:
        return parse_workload_ref(f"{namespace}/{word}/{name}")
    except UsageError:
        return None  # a hostile or missing label names nothing
