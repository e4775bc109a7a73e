"""A FAKE of what Chaos Mesh has in a cluster: resources that are kept, and followed by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.chaos.ports import EmbeddedHooks, ServerFaults
from maestro_cli.core.errors import NotFound, Refused
from tests.unit.changes.some_world import SomeWorld
from tests.unit.chaos.no_regions import NoRegions


@dataclass
class FakeMesh:
    """Satisfies chaos.ports.MeshResources. `only`: the one namespace whose resources may be listed."""

    made: list[Mapping[str, Any]] = field(default_factory=list)
    only: str | None = None

    def serves(self, kind: str) -> bool:
        return True

    def get(self, kind: str, namespace: str, name: str) -> Mapping[str, Any]:
        for one in self._of(kind, namespace):
            if one["metadata"]["name"] == name:
                return one
        raise NotFound(f"there is no {kind} {name}")

    def list(self, kind: str, namespace: str | None, *, selector: str = "") -> Sequence[Mapping[str, Any]]:
        if self.only is not None and namespace != self.only:
            raise Refused(f"you may not list {kind} in {namespace or 'all namespaces'}")
        return [
            {key: value for key, value in one.items() if key != "kind"} for one in self._of(kind, namespace)
        ]

    def create(self, document: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        if not dry_run:
            self.made.append(document)
        return document

    def delete(self, kind: str, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        if not dry_run:
            self.made.remove(self.get(kind, namespace, name))

    def annotate(
        self, kind: str, namespace: str, name: str, annotations: Mapping[str, str | None], *,
        uid: str, dry_run: bool = False,
    ) -> Mapping[str, Any]:  # fmt: skip
        return self.get(kind, namespace, name)

    def _of(self, kind: str, namespace: str | None) -> Sequence[Mapping[str, Any]]:
        return [
            one
            for one in self.made
            if one["kind"] == kind and namespace in (None, one["metadata"]["namespace"])
        ]


@dataclass(frozen=True)
class MeshPlatform(NoRegions, SomeWorld):
    """Satisfies chaos.ports.Platform: a cluster that has Chaos Mesh, and nothing else that can be broken."""

    resources: FakeMesh = field(default_factory=FakeMesh)

    @property
    def mesh(self) -> FakeMesh:
        return self.resources

    @property
    def embedded(self) -> EmbeddedHooks:
        raise NotFound("it is not the embedded platform")

    @property
    def server_faults(self) -> ServerFaults:
        raise NotFound("there are no fault hooks")
