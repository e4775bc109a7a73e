"""The files that the real control plane reads before it starts.

Invariant: the audit log says who did what to which object, and never holds the body of a request or an
answer, so no secret can be in it.
"""

from __future__ import annotations

import json
from typing import Any

from maestro_cli.core.files import write_atomically
from maestro_cli.local.certificates import COMPONENTS, ensure_pki
from maestro_cli.local.kubernetes.commands import ControlPlane

_OPEN_PATHS = ("/livez", "/readyz", "/healthz", "/version", "/version/")
_MACHINERY = [*COMPONENTS, "kubelet", "agent"]


def write_files(plane: ControlPlane) -> None:
    """Certificates, tokens, audit policy and authentication under the state folder."""
    ensure_pki(plane.state)
    write_atomically(plane.audit_policy, json.dumps(audit_policy(), indent=1), mode=0o600)
    write_atomically(plane.authentication, json.dumps(authentication(), indent=1), mode=0o600)


def audit_policy() -> dict[str, Any]:
    """Every change and every look of a person, without bodies; not the hum of the machinery."""

    def silent(**what: Any) -> dict[str, Any]:
        return {"level": "None", **what}

    def on(group: str, *resources: str) -> dict[str, Any]:
        return {"group": group, "resources": list(resources)}

    hum = [on("", "pods/status", "nodes/status"), on("authentication.k8s.io"), on("authorization.k8s.io")]
    reads = ["get", "list", "watch"]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            silent(nonResourceURLs=["/livez*", "/readyz*", "/healthz*", "/version*", "/api*", "/openapi*"]),
            silent(resources=[on("coordination.k8s.io", "leases"), on("", "events"), on("events.k8s.io")]),
            silent(users=["system:apiserver"]),
            silent(users=_MACHINERY, verbs=reads),
            silent(users=_MACHINERY, resources=hum),
            silent(userGroups=["system:serviceaccounts:kube-system"], verbs=reads),
            {"level": "Metadata"},
        ],
    }


def authentication() -> dict[str, Any]:
    """Nobody is answered without a token, but to whether it lives and what it is."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": [{"path": path} for path in _OPEN_PATHS]},
    }
