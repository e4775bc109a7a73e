"""Kinds of Kubernetes that this cluster has not.

Invariant: clients find them in discovery, without verbs, so that a request for one reaches the server and
the user is told which cluster has it, instead of "no such kind".
"""

from __future__ import annotations

from maestro_cli.local.cluster.kinds import Kind

_NAMESPACED = {
    ("", "v1"): (
        "LimitRange limitranges", "PersistentVolumeClaim persistentvolumeclaims pvc",
        "PodTemplate podtemplates", "ReplicationController replicationcontrollers rc",
        "ResourceQuota resourcequotas quota",
    ),
    ("apps", "v1"): (
        "ControllerRevision controllerrevisions", "DaemonSet daemonsets ds", "StatefulSet statefulsets sts",
    ),
    ("batch", "v1"): ("CronJob cronjobs cj",),
    ("metrics.k8s.io", "v1beta1"): ("PodMetrics pods",),
    ("networking.k8s.io", "v1"): ("Ingress ingresses ing",),
    ("rbac.authorization.k8s.io", "v1"): ("Role roles", "RoleBinding rolebindings"),
}  # fmt: skip
_CLUSTER = {
    ("", "v1"): ("PersistentVolume persistentvolumes pv",),
    ("admissionregistration.k8s.io", "v1"): (
        "MutatingWebhookConfiguration mutatingwebhookconfigurations",
        "ValidatingWebhookConfiguration validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "v1"): ("CustomResourceDefinition customresourcedefinitions crd",),
    ("certificates.k8s.io", "v1"): ("CertificateSigningRequest certificatesigningrequests csr",),
    ("metrics.k8s.io", "v1beta1"): ("NodeMetrics nodes",),
    ("networking.k8s.io", "v1"): ("IngressClass ingressclasses",),
    ("rbac.authorization.k8s.io", "v1"): (
        "ClusterRole clusterroles", "ClusterRoleBinding clusterrolebindings",
    ),
    ("scheduling.k8s.io", "v1"): ("PriorityClass priorityclasses pc",),
    ("storage.k8s.io", "v1"): ("StorageClass storageclasses sc",),
}  # fmt: skip


def _kinds() -> list[Kind]:
    found = []
    for table, namespaced in ((_NAMESPACED, True), (_CLUSTER, False)):
        for (group, version), rows in table.items():
            for row in rows:
                kind, plural, *short = row.split()
                found.append(
                    Kind(
                        group,
                        version,
                        kind,
                        plural,
                        namespaced=namespaced,
                        short_names=tuple(short),
                        verbs=(),
                    )
                )
    return found


LACKING: tuple[Kind, ...] = tuple(_kinds())
_BY_PATH: dict[tuple[str, str, str], Kind] = {(one.group, one.version, one.plural): one for one in LACKING}


def lacking_kind(path: str) -> Kind | None:
    """The kind of this table that a path is about."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[1:]) if parts[0] == "api" else (parts[1] if len(parts) > 1 else "", parts[2:])
    if not rest:
        return None
    version, rest = rest[0], rest[1:]
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    return _BY_PATH.get((group, version, rest[0])) if rest else None
