"""A context of a cluster alone, as faults see it; what it lacks is missed."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.chaos.ports import EmbeddedHooks, MeshResources, ServerFaults
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import NotFound
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.mesh import KubeMesh
from tests.unit.changes.some_world import SomeWorld
from tests.unit.chaos.no_regions import NoRegions


@dataclass(frozen=True)
class SomePlatform(NoRegions, SomeWorld):
    """Satisfies chaos.ports.Platform."""

    hooks: EmbeddedHooks | None = None

    @property
    def embedded(self) -> EmbeddedHooks:
        if self.hooks is None:
            raise NotFound("context test is not the embedded platform")
        return self.hooks

    @property
    def server_faults(self) -> ServerFaults:
        raise NotFound("context test has no fault hooks of model servers")

    @property
    def mesh(self) -> MeshResources:
        assert isinstance(self.cluster, KubeCluster)
        return KubeMesh(self.cluster.custom, SystemClock())
