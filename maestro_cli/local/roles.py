"""What each identity of the embedded cluster may do, on either cluster.

Invariant: rights only add up, as in RBAC: the light cluster decides by this table, the real one by the
ClusterRoles made of it. No rule gives people a verb or subresource by which they could get more than this
(impersonate, escalate, bind, serviceaccounts/token, nodes/proxy); but, as on any Kubernetes, whoever creates
a pod lends it the service account that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

READ = ("get", "list", "watch")
CHANGE = ("create", "update", "patch")
EVERY = (*READ, *CHANGE, "delete", "deletecollection")
ANY = ("*",)

_SEEN = (
    "configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "pods/log",
    "pods/status", "podtemplates", "replicationcontrollers", "replicationcontrollers/scale",
    "replicationcontrollers/status", "resourcequotas", "resourcequotas/status", "serviceaccounts",
    "services", "services/status",
)  # fmt: skip
_WORKED_WITH = (
    *_SEEN, "pods/attach", "pods/binding", "pods/ephemeralcontainers", "pods/eviction", "pods/exec",
    "pods/portforward", "pods/resize",
)  # fmt: skip
_CLUSTER = ("namespaces", "namespaces/status", "nodes", "nodes/status", "persistentvolumes")
_WORK_GROUPS = (
    "apps", "autoscaling", "batch", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
    "monitoring.coreos.com",
)  # fmt: skip
_SEEN_GROUPS = (
    *_WORK_GROUPS, "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
    "certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "metrics.k8s.io", "networking.k8s.io",
    "node.k8s.io", "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io",
    "storage.k8s.io",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule of RBAC: verbs on resources (`pods`, `pods/log`) of groups; `*` is all of them."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    groups: tuple[str, ...] = ("",)

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Whether it covers a verb on a resource, or on `resource/subresource`."""
        return all(
            "*" in allowed or asked in allowed
            for allowed, asked in ((self.verbs, verb), (self.groups, group), (self.resources, resource))
        )

    def as_policy_rule(self) -> dict[str, Any]:
        return {"verbs": list(self.verbs), "apiGroups": list(self.groups), "resources": list(self.resources)}


_BUDGETS = Rule(EVERY, ("poddisruptionbudgets", "poddisruptionbudgets/status"), ("policy",))
_NETWORK = Rule(EVERY, ("ingresses", "ingresses/status", "networkpolicies"), ("networking.k8s.io",))
_SIGHT = (Rule(READ, (*_SEEN, *_CLUSTER)), Rule(READ, ANY, _SEEN_GROUPS))

# Kubernetes itself gives system:masters everything; the light cluster learns it here.
MASTERS = "system:masters"
ROLES: Mapping[str, tuple[Rule, ...]] = {
    MASTERS: (Rule(ANY, ANY, ANY),),
    "maestro:oncall": (
        *_SIGHT,
        Rule(EVERY, _WORKED_WITH),
        Rule(EVERY, ANY, _WORK_GROUPS),
        _BUDGETS,
        _NETWORK,
        Rule(READ, ("secrets",)),
        Rule(CHANGE, ("namespaces",)),
        Rule(("update", "patch"), ("nodes",)),
    ),
    "maestro:viewers": _SIGHT,
    "maestro:kubelets": (
        Rule(READ, ("configmaps", "secrets", "services", "endpoints", "namespaces")),
        Rule(READ, ("endpointslices",), ("discovery.k8s.io",)),
        Rule((*READ, *CHANGE), ("nodes", "nodes/status")),
        Rule((*READ, "update", "patch", "delete"), ("pods", "pods/status")),
        Rule((*READ, *CHANGE), ("events",), ("", "events.k8s.io")),
        Rule(("create",), ("serviceaccounts/token",)),
        Rule(EVERY, ("leases",), ("coordination.k8s.io",)),
    ),
    "maestro:agents": (
        Rule(EVERY, (*_WORKED_WITH, *_CLUSTER, "namespaces/finalize")),
        Rule(EVERY, ANY, _WORK_GROUPS),
        _BUDGETS,
        _NETWORK,
        Rule((*READ, "delete", "patch"), ("secrets",)),
    ),
}


def cluster_roles() -> list[dict[str, Any]]:
    """The ClusterRoles and ClusterRoleBindings of every group but the one that Kubernetes knows."""
    group = "rbac.authorization.k8s.io"
    made: list[dict[str, Any]] = []
    for name, rules in ROLES.items():
        if name == MASTERS:
            continue
        common = {"apiVersion": f"{group}/v1", "metadata": {"name": name}}
        made.append(common | {"kind": "ClusterRole", "rules": [rule.as_policy_rule() for rule in rules]})
        subject = {"apiGroup": group, "kind": "Group", "name": name}
        role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
        made.append(common | {"kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]})
    return made
