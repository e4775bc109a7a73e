"""Who else writes a workload, and would take a change back.

Invariant: names come from labels and are hostile: one that is not a plain name is in no line to be copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from maestro_cli.core.facts.cluster import Workload

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_ARGO_TRACKING, _ARGO_INSTANCE = "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance"
_KUSTOMIZE, _FLUX_HELM = "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"
_MANAGED_BY, _HELM = "app.kubernetes.io/managed-by", "meta.helm.sh"


def owner_notes(workload: Workload) -> tuple[str, ...]:
    """What a person has to know who changes what somebody else's records say otherwise."""
    return tuple(_owners(workload.labels, workload.annotations))


def _owners(labels: Mapping[str, str], annotations: Mapping[str, str]) -> Iterator[str]:
    tracked = annotations.get(_ARGO_TRACKING) or labels.get(_ARGO_INSTANCE)
    if tracked:
        app = _plain(tracked.partition(":")[0], "APPLICATION")
        yield (
            f"Argo CD application {app} owns it and will revert this change if it syncs by itself: revert the"
            f" commit in git instead, or hold it first: argocd app set {app} --sync-policy none"
        )
    yield from _flux(labels)
    if labels.get(_MANAGED_BY) == "Helm" and f"{_HELM}/release-name" in annotations:
        release = _plain(annotations[f"{_HELM}/release-name"], "RELEASE")
        namespace = _plain(annotations.get(f"{_HELM}/release-namespace", ""), "NAMESPACE")
        yield (
            f"Helm release {release} owns it, and its next upgrade will revert this change: roll the release"
            f" back instead: helm history {release} -n {namespace}; helm rollback {release} N -n {namespace}"
        )


def _flux(labels: Mapping[str, str]) -> Iterator[str]:
    for group, kind in ((_KUSTOMIZE, "kustomization"), (_FLUX_HELM, "helmrelease")):
        if f"{group}/name" in labels:
            name = _plain(labels[f"{group}/name"], "NAME")
            namespace = _plain(labels.get(f"{group}/namespace", ""), "NAMESPACE")
            yield (
                f"Flux {kind} {name} owns it and will revert this change: revert the commit in git instead,"
                f" or hold it first: flux suspend {kind} {name} -n {namespace}"
            )


def _plain(name: str, otherwise: str) -> str:
    return str(name) if _PLAIN.fullmatch(name) else otherwise
