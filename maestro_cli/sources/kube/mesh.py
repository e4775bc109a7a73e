"""Chaos Mesh in a cluster; satisfies chaos.ports.MeshResources. Invariant: kinds of its tables alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.chaos.mesh.kinds import API_VERSION, KINDS
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.sources.kube.custom import CustomResources

ASKED_SECONDS = 5.0  # how long an answer about what is served is kept, for those who ask of every kind


class KubeMesh:
    """Thread-safe, as what it is made of."""

    def __init__(self, resources: CustomResources, clock: Clock) -> None:
        self._resources, self._clock = resources, clock
        self._asked: tuple[float, frozenset[str] | MaestroError | None] | None = None

    def serves(self, kind: str) -> bool:
        now = self._clock.monotonic()
        kept = self._asked
        if kept is None or now - kept[0] > ASKED_SECONDS:
            kept = self._asked = (now, self._served())
        if isinstance(kept[1], MaestroError):
            raise kept[1]
        return kept[1] is None or KINDS[kind].plural in kept[1]

    def _served(self) -> frozenset[str] | MaestroError | None:
        try:
            return self._resources.served(API_VERSION)
        except MaestroError as error:
            return error

    def get(self, kind: str, namespace: str, name: str) -> Mapping[str, Any]:
        return self._resources.get(API_VERSION, KINDS[kind].plural, namespace, name)

    def list(self, kind: str, namespace: str | None, *, selector: str = "") -> Sequence[Mapping[str, Any]]:
        return self._resources.list(API_VERSION, KINDS[kind].plural, namespace, selector=selector)

    def create(self, document: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        return self._resources.create(KINDS[str(document["kind"])].plural, document, dry_run=dry_run)

    def delete(self, kind: str, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        plural = KINDS[kind].plural
        self._resources.delete(API_VERSION, plural, namespace, name, uid=uid, dry_run=dry_run)

    def annotate(
        self, kind: str, namespace: str, name: str, annotations: Mapping[str, str | None], *,
        uid: str, dry_run: bool = False,
    ) -> Mapping[str, Any]:  # fmt: skip
        plural = KINDS[kind].plural
        return self._resources.annotate(
            API_VERSION, plural, namespace, name, annotations, uid=uid, dry_run=dry_run
        )
