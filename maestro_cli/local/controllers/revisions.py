"""Which ReplicaSet is which revision of a Deployment.

Invariant: equal templates are one ReplicaSet; revision numbers only grow, and a ReplicaSet that
comes back keeps its former number in `revision-history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_cli.core.canonical import digest
from maestro_cli.local.objects import (
    Object,
    annotations_of,
    controller_reference,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    pruned,
)

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
}
_SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, so no words
_LONGEST_HISTORY = 2000


def template_hash(template: Object, collisions: int) -> str:
    """A stable ten-letter name for a pod template; another one for each collision count."""
    number = int(digest([pruned(template), collisions])[:16], 16)
    letters = []
    for _ in range(10):
        number, rest = divmod(number, len(_SAFE_ALPHABET))
        letters.append(_SAFE_ALPHABET[rest])
    return "".join(letters)


def same_template(one: Object, other: Object) -> bool:
    """Equal but for the pod-template-hash label."""
    return bool(_bare(one) == _bare(other))


def _bare(template: Object) -> Any:
    slim = pruned(template)
    labels = slim.get("metadata", {}).get("labels", {})
    labels.pop(HASH_LABEL, None)
    return pruned(slim)


def by_age(replica_sets: Sequence[Object]) -> list[Object]:
    """Oldest first; names decide between equals."""
    return sorted(replica_sets, key=lambda rs: (metadata(rs).get("creationTimestamp", ""), name_of(rs)))


def find_new(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """The oldest ReplicaSet with the Deployment's template."""
    template = deployment["spec"]["template"]
    for replica_set in by_age(replica_sets):
        if same_template(replica_set["spec"]["template"], template):
            return replica_set
    return None


def revision_of(thing: Object) -> int:
    """The revision annotation as a number, 0 when absent or unreadable."""
    text = annotations_of(thing).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def new_annotations(deployment: Object, existing: Object | None, old: Sequence[Object]) -> dict[str, str]:
    """The annotations the new ReplicaSet should have, its revision included."""
    have = dict(annotations_of(existing)) if existing is not None else {}
    wanted = have | {
        name: value for name, value in annotations_of(deployment).items() if name not in _NOT_COPIED
    }
    current = revision_of(existing) if existing is not None else 0
    newest = max((revision_of(replica_set) for replica_set in old), default=0) + 1
    if current < newest:
        wanted[REVISION] = str(newest)
        if current:
            history = [part for part in have.get(HISTORY, "").split(",") if part] + [str(current)]
            while len(",".join(history)) > _LONGEST_HISTORY:
                history.pop(0)
            wanted[HISTORY] = ",".join(history)
    return wanted


def build_replica_set(
    deployment: Object, hash_text: str, replicas: int, annotations: dict[str, str]
) -> Object:
    """The ReplicaSet of a Deployment's present template."""
    template = deployment["spec"]["template"]
    labels = labels_of(template) | {HASH_LABEL: hash_text}
    selector = dict(deployment["spec"]["selector"])
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | {HASH_LABEL: hash_text}
    spec: Object = {
        "replicas": replicas,
        "selector": selector,
        "template": template | {"metadata": metadata(template) | {"labels": labels}},
    }
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    return {
        "metadata": {
            "name": f"{name_of(deployment)}-{hash_text}",
            "namespace": namespace_of(deployment),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": spec,
    }


def surplus_history(old: Sequence[Object], limit: int) -> list[Object]:
    """The old ReplicaSets beyond the history limit, lowest revisions first; those with pods are spared."""
    present = [rs for rs in old if metadata(rs).get("deletionTimestamp") is None]
    surplus = sorted(present, key=revision_of)[: max(len(present) - limit, 0)]
    return [rs for rs in surplus if _is_idle(rs)]


def _is_idle(replica_set: Object) -> bool:
    status = replica_set.get("status") or {}
    return (
        metadata(replica_set).get("deletionTimestamp") is None
        and replica_set["spec"].get("replicas", 1) == 0
        and not status.get("replicas")
        and status.get("observedGeneration", 0) >= metadata(replica_set).get("generation", 0)
    )
