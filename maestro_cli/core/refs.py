"""How a workload is named. Invariant: a reference always has a kind, a namespace and a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maestro_cli.core.errors import UsageError

_KINDS = {
    "deploy": "Deployment", "deployment": "Deployment", "deployments": "Deployment",
    "sts": "StatefulSet", "statefulset": "StatefulSet", "statefulsets": "StatefulSet",
    "ds": "DaemonSet", "daemonset": "DaemonSet", "daemonsets": "DaemonSet",
}  # fmt: skip
_SHORT = {"Deployment": "deploy", "StatefulSet": "sts", "DaemonSet": "ds"}
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True, order=True)
class WorkloadRef:
    """A workload in a namespace; prints as `ml/deploy/fraud`."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{_SHORT.get(self.kind, self.kind.lower())}/{self.name}"


def parse_workload_ref(text: str, *, namespace: str | None = None) -> WorkloadRef:
    """Read `deploy/fraud`, `ml/deploy/fraud` or `fraud` (a Deployment).

    Raises UsageError when a part is missing, unknown, or is not a DNS name.
    """
    parts = text.split("/")
    kind_word, name, where = "deploy", parts[-1], namespace
    if len(parts) == 2:
        kind_word = parts[0]
    elif len(parts) == 3:
        where, kind_word = parts[0], parts[1]
    elif len(parts) > 3:
        raise UsageError(f"{text!r} does not name a workload", fix="write namespace/deploy/name")
    kind = _KINDS.get(kind_word.lower())
    if kind is None:
        raise UsageError(
            f"{kind_word!r} is not a kind of workload", fix=f"use one of {', '.join(sorted(_KINDS))}"
        )
    if not where:
        raise UsageError(
            f"no namespace for {text!r}", fix="pass -n NAMESPACE, or write namespace/deploy/name"
        )
    for part in (name, where):
        if not _DNS_NAME.fullmatch(part):
            raise UsageError(f"{part!r} is not a Kubernetes name", fix="use a-z, 0-9, '-' and '.'")
    return WorkloadRef(kind, where, name)
