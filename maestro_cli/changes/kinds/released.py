"""The workloads of a Helm release, and what going back does to them.

Invariant: only reads; what cannot be seen is said, never taken for zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maestro_cli.changes.blast import covering, live_replicas, pod_labels, share_of
from maestro_cli.changes.kinds.kind import Permission
from maestro_cli.changes.manifests import ManifestDiff, diff_manifests
from maestro_cli.changes.model import BlastRadius, BudgetHeadroom, Reached, RecentChange, Unread
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.changes.template import template_digest
from maestro_cli.core.errors import NotFound, Refused
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.facts.releases import Release
from maestro_cli.core.refs import ObjectRef, WorkloadRef

# What charts are made of; the API server says no to the rest by itself.
_RESOURCES = {
    "Deployment": ("deployments", "apps"), "StatefulSet": ("statefulsets", "apps"),
    "DaemonSet": ("daemonsets", "apps"), "ConfigMap": ("configmaps", ""), "Secret": ("secrets", ""),
    "Service": ("services", ""), "ServiceAccount": ("serviceaccounts", ""), "Job": ("jobs", "batch"),
    "CronJob": ("cronjobs", "batch"), "Ingress": ("ingresses", "networking.k8s.io"),
    "HorizontalPodAutoscaler": ("horizontalpodautoscalers", "autoscaling"),
    "PodDisruptionBudget": ("poddisruptionbudgets", "policy"),
}  # fmt: skip


def permissions_for(verbs: Mapping[str, Sequence[str]]) -> Iterator[Permission]:
    """What Helm does to the objects of a release, as far as their kinds are known here."""
    for verb, kinds in verbs.items():
        for kind in kinds:
            if kind in _RESOURCES:
                resource, group = _RESOURCES[kind]
                yield Permission(verb, resource, group, named=False)


def workloads_up(world: World, release: Release) -> bool:
    """Whether every workload of the release is rolled out; one that is not there or not seen is not."""
    everything = diff_manifests("", release.manifest, release.ref.namespace)
    refs = [ref for ref in everything.created if _is_workload(ref)]
    found, absent, hidden = _workloads(world.cluster, refs)
    return not (absent or hidden) and all(one.is_rolled_out for one in found)


def blast_of(
    cluster: ClusterPort, namespace: str, differs: ManifestDiff, recent: Sequence[RecentChange]
) -> BlastRadius:
    """What a rollback of a release ends: replicas whose template changes, and those that it scales down.

    The share is that of the worst namespace: the manifests of a release may name others than its own.
    """
    refs = [ref for ref in (*differs.patched, *differs.deleted) if _is_workload(ref)]
    found, absent, hidden = _workloads(cluster, refs)
    unseen = [*absent, *hidden]
    ended, after = Counter({namespace: 0}), 0
    for workload in found:
        goal = differs.after.get(workload.ref)
        spec: Mapping[str, Any] = (goal or {}).get("spec") or {}
        wanted = 0 if goal is None else _wanted(spec, workload)
        is_new = goal is not None and _is_another(differs, workload.ref)
        ended[workload.ref.namespace] += workload.replicas if is_new else max(0, workload.replicas - wanted)
        after += wanted
    live, budgets = Counter[str](), dict[tuple[str, str], BudgetHeadroom]()
    share: float | None = None
    try:
        live = Counter({place: live_replicas(cluster, place) for place in ended})
        for workload in found:
            known = cluster.list_disruption_budgets(workload.ref.namespace)
            budgets |= {(one.namespace, one.name): one for one in covering(known, pod_labels(workload))}
        share = None if hidden else max(share_of(count, live[place]) for place, count in ended.items())
    except Refused:
        places = ", ".join(sorted(ended))
        unseen.append(f"pods and disruption budgets of {places}: share and headroom are not known")
    return BlastRadius(
        workloads=len(refs),
        replicas_now=sum(one.replicas for one in found),
        replicas_after=after,
        replicas_ended=ended.total(),
        namespace_replicas=live.get(namespace),
        namespace_share=share,
        budgets=tuple(budgets[key] for key in sorted(budgets)),
        recent=tuple(recent),
        blind=tuple(unseen),
        namespaces=tuple(sorted({ref.namespace for ref in differs.touched if ref.namespace} - {namespace})),
    )


def reach_of(cluster: ClusterPort, found: Release, goal: Release) -> tuple[list[Reached], list[Unread]]:
    """Every object of both revisions: Helm also puts back what somebody altered since in the cluster.

    With the labels that it has, for workloads, and those that each of the manifests gives it; those of a
    workload that is not seen are not known.
    """
    before, after = (diff_manifests("", one.manifest, one.ref.namespace).after for one in (found, goal))
    there = {**before, **after}
    unread = [Unread(f"{ref} in the manifest of {found.ref}") for ref in there if ref.kind == "Document"]
    refs = [ref for ref in there if ref.kind != "Document"]
    workloads, _, _ = _workloads(cluster, refs)
    seen = {one.ref: dict(one.labels) for one in workloads}
    reaches = []
    for ref in refs:
        given = [_own_labels(objects[ref]) for objects in (before, after) if ref in objects]
        if ref in seen:
            given.append(seen[ref])
        elif _is_workload(ref) and ref in before:
            given = [None]
        reaches += [Reached(ref, labels) for labels in _distinct(given)]
    return reaches, unread


def _own_labels(thing: Mapping[str, Any]) -> dict[str, str] | None:
    """None when they cannot be read."""
    meta = thing.get("metadata")
    labels = (meta.get("labels") or {}) if isinstance(meta, Mapping) else None
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, Mapping) else None


def _distinct(given: Sequence[dict[str, str] | None]) -> list[dict[str, str] | None]:
    return [one for index, one in enumerate(given) if one not in given[:index]]


def _wanted(spec: Mapping[str, Any], workload: Workload) -> int:
    replicas = spec.get("replicas")
    return (
        replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else workload.replicas_wanted
    )


def _is_another(differs: ManifestDiff, ref: ObjectRef) -> bool:
    """Whether the pod template differs, and not only what is around it."""
    before, after = differs.before.get(ref) or {}, differs.after.get(ref) or {}
    return template_digest(_template(before)) != template_digest(_template(after))


def _template(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = thing.get("spec")
    template = spec.get("template") if isinstance(spec, Mapping) else None
    return template if isinstance(template, Mapping) else {}


def _is_workload(ref: ObjectRef) -> bool:
    return isinstance(ref, WorkloadRef)


def _workloads(
    cluster: ClusterPort, refs: Sequence[ObjectRef]
) -> tuple[list[Workload], list[str], list[str]]:
    """Those that are there, and in words those that are not, and those that may not be seen."""
    found: list[Workload] = []
    absent: list[str] = []
    hidden: list[str] = []
    for ref in refs:
        if not isinstance(ref, WorkloadRef):
            continue
        try:
            found.append(cluster.get_workload(ref))
        except NotFound:
            absent.append(f"workload {ref}: it is not there")
        except Refused:
            hidden.append(f"workload {ref}: how many replicas end is not known")
    return found, absent, hidden
