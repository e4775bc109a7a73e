"""Resources of Chaos Mesh that changes of this journal made and that no run works on any more.

Invariant: only what carries the label of a change that the journal knows is touched; the resources of others,
and of a run that a living process works on, stay. A finalizer is let go only where that was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.changes.history import Reader, has_kind
from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.mesh.changes import CREATE, FORCE
from maestro_cli.chaos.mesh.following import state_of
from maestro_cli.chaos.mesh.kinds import KINDS
from maestro_cli.chaos.mesh.resources import MANAGED, OWNED, owner_of
from maestro_cli.chaos.ports import MeshResources
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.refs import ObjectRef

_CAUSE = "a sweep of what Chaos Mesh still has"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What was taken away, and what is still there, in words."""

    taken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def ever_made(reader: Reader) -> bool:
    """Whether a change of this journal ever made one; if none did, a cluster need not be asked."""
    return has_kind(reader, CREATE)


def sweep_leftovers(
    mesh: MeshResources, pipeline: ChangePipeline, busy: Collection[str], *, force: bool = False
) -> Leftovers:
    """Take them back; with `force` those too whose finalizer holds, although their faults may stay.

    `busy` are changes that somebody works on. Raises Unreachable and Refused.
    """
    taken: list[str] = []
    left: list[str] = []
    for ref, document in _ours(mesh):
        change = owner_of(document)
        if change in busy or not pipeline.is_known(change):
            continue
        state = state_of(document)
        if state.deleting and not force:
            left.append(f"{state.holds_on}; --force-finalizers lets it go, and what it did may stay")
            continue
        try:
            _take(pipeline, ref, document)
            taken.append(str(ref))
        except MaestroError as error:
            left.append("; ".join(filter(None, (error.what, error.why))))
    return Leftovers(tuple(taken), tuple(left))


def _take(pipeline: ChangePipeline, ref: ObjectRef, document: Mapping[str, Any]) -> None:
    change = owner_of(document)
    if not state_of(document).deleting:
        pipeline.take_back(change, cause=_CAUSE)
        return
    made_as = {"kind": ref.kind, "spec": document.get("spec")}
    plan = pipeline.plan(FORCE, ref, {"change": change, "document": made_as})
    pipeline.execute(plan, Consent(given=True), cause=_CAUSE)


def _ours(mesh: MeshResources) -> list[tuple[ObjectRef, Mapping[str, Any]]]:
    """Those that the cluster has with the label of a change; a cluster without Chaos Mesh has none."""
    selector = ",".join([OWNED, *(f"{key}={value}" for key, value in MANAGED.items())])
    found: list[tuple[ObjectRef, Mapping[str, Any]]] = []
    for kind in KINDS:
        try:
            items = mesh.list(kind, None, selector=selector)
        except NotFound:
            continue
        for one in items:
            metadata = one.get("metadata") or {}
            ref = ObjectRef(kind, str(metadata.get("namespace", "")), str(metadata.get("name", "")))
            found.append((ref, {**one, "kind": kind}))
    return found
