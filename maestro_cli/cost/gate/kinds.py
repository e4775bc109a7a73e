"""Kinds of objects by their API group: what costs nothing by itself, and how custom ones are named.

A kind of an operator is named as kubectl names it, `Rollout.argoproj.io`, so that a Service of Knative is
none of Kubernetes. Invariant: a kind that is in no table here is not free.
"""

from __future__ import annotations

_BUILT_IN_GROUPS = frozenset({
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps",
    "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "extensions", "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io", "scheduling.k8s.io",
    "storage.k8s.io",
})  # fmt: skip
# rules, routes, certificates and credentials: what reads them runs already
_FREE_GROUPS = frozenset({
    "acme.cert-manager.io", "cert-manager.io", "cilium.io", "crd.projectcalico.org", "external-secrets.io",
    "networking.istio.io", "policy.networking.k8s.io", "projectcalico.org", "security.istio.io",
    "telemetry.istio.io",
})  # fmt: skip
_FREE_KINDS = {
    "bitnami.com": ("SealedSecret",),
    "gateway.networking.k8s.io": (
        "BackendTLSPolicy", "GatewayClass", "GRPCRoute", "HTTPRoute", "ReferenceGrant", "TCPRoute",
        "TLSRoute", "UDPRoute",
    ),
    "keda.sh": ("ClusterTriggerAuthentication", "TriggerAuthentication"),
    "monitoring.coreos.com": (
        "AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor",
    ),
}  # fmt: skip


def qualified(api_version: str, kind: str) -> str:
    """`Deployment` of Kubernetes itself, `Rollout.argoproj.io` of an operator."""
    group = group_of(api_version)
    return kind if group in _BUILT_IN_GROUPS else f"{kind}.{group}"


def group_of(api_version: str) -> str:
    """`apps` of `apps/v1`, "" of `v1`."""
    return api_version.rpartition("/")[0]


def is_built_in(name: str) -> bool:
    """Whether a qualified kind is one of Kubernetes itself."""
    return "." not in name


def is_free(name: str) -> bool:
    """Whether objects of an operator's kind cost nothing by themselves."""
    kind, _, group = name.partition(".")
    return group in _FREE_GROUPS or kind in _FREE_KINDS.get(group, ())


def is_meant(name: str, wanted: frozenset[str]) -> bool:
    """Whether a qualified kind is among what somebody named: `Prometheus`, or with its group."""
    return name in wanted or name.partition(".")[0] in wanted
