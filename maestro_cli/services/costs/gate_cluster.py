"""The cluster as the old side of a change of manifests: what runs now of what they name, and what stays.

Invariant: a cluster that does not answer makes each object unknown on both sides, and says which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maestro_cli.config.strict import Document
from maestro_cli.core.errors import NotFound, TimedOut, Unreachable
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.applied import is_applied, with_classes
from maestro_cli.cost.gate.autoscalers import HORIZONTAL, KEDA, KEDA_PREFIX, is_autoscaler
from maestro_cli.cost.gate.manifests import read_manifests
from maestro_cli.cost.gate.model import Asked, Assumed, Manifests, Span
from maestro_cli.cost.gate.objects import objects_of

if TYPE_CHECKING:
    from maestro_cli.sources.kube.cluster import KubeCluster


def against(
    cluster: KubeCluster, documents: Sequence[Document], assumed: Assumed
) -> tuple[Manifests, Manifests, Assumed]:
    """What runs now, what would, and what is assumed of both; raises InvalidFile, and Refused."""
    try:
        if assumed.nodes is None:
            assumed = replace(assumed, nodes=len(cluster.list_nodes()))
        return *_compared(cluster, documents, assumed), assumed
    except (Unreachable, TimedOut) as error:
        return *_unseen(read_manifests(documents, assumed), visible(error.what, 200)), assumed


def _unseen(new: Manifests, why: str) -> tuple[Manifests, Manifests]:
    """Both sides where nobody can say what runs, nor what scales it."""
    unknown = f"what runs now: {why}"
    old = {ref: Asked(least=0.0, most=0.0, unknown=(unknown,)) for ref in new.asked}
    asked = {ref: replace(one, unknown=(*one.unknown, unknown)) for ref, one in new.asked.items()}
    return replace(new, asked=old), replace(new, asked=asked)


def stood(old: Manifests) -> dict[ObjectRef, Span]:
    """What replicas may come to where the new manifests say none: 1, or what was said before."""
    spans = ((ref, _replicas(one)) for ref, one in old.asked.items())
    return {ref: Span(min(one.least, 1.0), max(one.most, 1.0)) for ref, one in spans}


def _replicas(one: Asked) -> Span:
    """Of several groups of pods the first is the one that has one pod a replica: the leaders."""
    first = one.parts[0] if one.parts else one
    return Span(first.least, first.most)


def _compared(
    cluster: KubeCluster, documents: Sequence[Document], assumed: Assumed
) -> tuple[Manifests, Manifests]:
    """What runs now of what the manifests name, and what would: what they leave out stays as it is."""
    first = read_manifests(documents, assumed)
    given = {one.ref: one for one in objects_of(documents, assumed.namespace)}
    named = frozenset(given)
    there = list(_live(cluster, {*first.asked, *filter(is_autoscaler, named)}))
    applied = {
        one.ref: one
        for one in objects_of(there, assumed.namespace)
        if one.ref in given and is_applied(given[one.ref].body, one.body)
    }
    beside = list(_live(cluster, first.elsewhere))  # targets of autoscalers, which no manifest changes
    scalers = list(_scalers(cluster, {*first.asked, *first.elsewhere}, named))
    runs = read_manifests([*there, *beside], replace(assumed, ignored=frozenset())).asked
    standing = {ref: _replicas(one) for ref, one in runs.items()}
    old = read_manifests([*there, *beside], assumed, kept=scalers)
    new = read_manifests([*documents, *beside], assumed, standing=standing, kept=scalers, applied=applied)
    return old, with_classes(new, old)


def _live(cluster: KubeCluster, refs: Iterable[ObjectRef]) -> Iterator[Document]:
    """Those that are there now."""
    for ref in sorted(refs, key=str):
        if ref.kind == HORIZONTAL:
            continue  # comes with its target
        try:
            body = cluster.describing.whole(ref)
        except NotFound:
            continue
        yield Document(f"{ref} of the cluster", body)


def _scalers(
    cluster: KubeCluster, refs: Collection[ObjectRef], named: Collection[ObjectRef]
) -> Iterator[Document]:
    """The autoscalers of these, as documents; KEDA's own are not told beside the ScaledObject they are of."""
    keda = {(one.namespace, KEDA_PREFIX + one.name) for one in named if one.kind == KEDA}
    targets = {(ref.kind.partition(".")[0], ref.namespace, ref.name) for ref in refs}
    for namespace in sorted({ref.namespace for ref in refs}):
        for one in cluster.list_autoscalers(namespace):
            is_keda = (one.namespace, one.name) in keda
            if not is_keda and (one.target_kind, one.namespace, one.target_name) in targets:
                spec = {
                    "scaleTargetRef": {"kind": one.target_kind, "name": one.target_name},
                    "minReplicas": one.least,
                    "maxReplicas": one.most,
                }
                meta = {"namespace": one.namespace, "name": one.name}
                body = {"apiVersion": "autoscaling/v2", "kind": one.ref.kind, "metadata": meta, "spec": spec}
                yield Document(f"{one.ref} of the cluster", body)
