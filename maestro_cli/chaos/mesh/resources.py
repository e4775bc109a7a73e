"""One place for a resource of Chaos Mesh in a cluster, with what was made of it. Invariant: reads alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.mesh.following import MeshState, child_kinds, children_selector, state_of
from maestro_cli.chaos.ports import MeshResources
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef

OWNED = "maestro.io/change"  # a label; a change belongs to one run
MANAGED = {"app.kubernetes.io/managed-by": "maestro"}
Mesh = Callable[[], MeshResources]
_DEPTH = 3  # a Schedule of Workflows of Schedules holds no more


@dataclass(frozen=True, slots=True)
class MeshSlot:
    """A name, and what has it now (None: nothing); `children` are what that one made and are still there."""

    ref: ObjectRef
    document: Mapping[str, Any] | None
    children: tuple[MeshState, ...] = ()

    @property
    def uid(self) -> str:
        """Of the place: whether something is there is what changes."""
        return digest(["place", str(self.ref)])

    @property
    def resource_version(self) -> str:
        return digest(["place", self.change, self.document is None])

    @property
    def generation(self) -> int:
        return 0

    @property
    def state(self) -> MeshState | None:
        return None if self.document is None else state_of(self.document)

    @property
    def change(self) -> str:
        """The change that made what is there, or ""."""
        return owner_of(self.document) if self.document is not None else ""

    @property
    def is_empty(self) -> bool:
        return self.document is None and not self.children


def owner_of(document: Mapping[str, Any]) -> str:
    return str(((document.get("metadata") or {}).get("labels") or {}).get(OWNED, ""))


def slot_of(mesh: MeshResources, ref: ObjectRef, made_as: Mapping[str, Any] | None = None) -> MeshSlot:
    """What is there now; `made_as` is what it was made from, by which its children are found afterwards."""
    try:
        document: Mapping[str, Any] | None = mesh.get(ref.kind, ref.namespace, ref.name)
    except NotFound:
        document = None
    parent = document or made_as
    children = tuple(map(state_of, children_of(mesh, parent, ref))) if parent is not None else ()
    return MeshSlot(ref, document, children)


def children_of(
    mesh: MeshResources, parent: Mapping[str, Any], ref: ObjectRef, depth: int = _DEPTH
) -> Iterator[Mapping[str, Any]]:
    """What a Schedule or Workflow made, and what those made; of another kind nothing."""
    selector = children_selector(ref.kind, ref.name)
    if not selector or depth == 0:
        return
    for kind in child_kinds(parent):
        for child in _listed(mesh, kind, ref.namespace, selector):
            yield child
            name = str((child.get("metadata") or {}).get("name", ""))
            yield from children_of(mesh, child, ObjectRef(kind, ref.namespace, name), depth - 1)


def owned_by(
    mesh: MeshResources, kinds: Sequence[str], namespace: str, changes: Sequence[str]
) -> list[Mapping[str, Any]]:
    """What these changes made in that namespace and is still there."""
    selector = f"{OWNED} in ({','.join(changes)})"
    return [one for kind in kinds for one in _listed(mesh, kind, namespace, selector)]


def _listed(mesh: MeshResources, kind: str, namespace: str, selector: str) -> Iterator[Mapping[str, Any]]:
    """With the kind, which a list leaves out; a kind that the cluster has not has none."""
    try:
        found = mesh.list(kind, namespace, selector=selector)
    except NotFound:
        return
    yield from ({**one, "kind": kind} for one in found)
