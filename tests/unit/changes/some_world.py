"""A context whose systems are those that a test puts into it; one it lacks is missed as in a real context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maestro_cli.changes.left import Left
from maestro_cli.changes.ports import (
    AlertmanagerPort,
    ClusterPort,
    EntrancePort,
    MetricsPort,
    ReleasesPort,
    ServingPort,
)
from maestro_cli.changes.served import OpenIncident
from maestro_cli.core.errors import NotFound
from maestro_cli.slo.objectives import Objective
from tests.unit.changes.fake_alertmanager import FakeAlertmanager
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.fake_servers import FakeServers


@dataclass(frozen=True)
class SomeWorld:
    """A fake cluster brings its fake model servers along."""

    cluster: ClusterPort
    prometheus: MetricsPort | None = None
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    servers: ServingPort | None = None
    helm: ReleasesPort | None = None
    notifier: AlertmanagerPort | None = None
    incidents: Sequence[OpenIncident] = ()
    left: Mapping[str, Left] = field(default_factory=dict)
    doors: EntrancePort | None = None

    def budget_left(self, objective: Objective) -> Left:
        return self.left.get(objective.name, Left(None, "nothing was measured"))

    def open_incidents(self) -> Sequence[OpenIncident]:
        return self.incidents

    @property
    def entrances(self) -> EntrancePort:
        if self.doors is None:
            raise NotFound("context test has no entrance of regions")
        return self.doors

    @property
    def releases(self) -> ReleasesPort:
        if self.helm is None:
            raise NotFound("context test has no cluster")
        return self.helm

    @property
    def alertmanager(self) -> AlertmanagerPort:
        """A FAKE cluster has a FAKE one beside it, until that is taken away."""
        if self.notifier is not None:
            return self.notifier
        if isinstance(self.cluster, FakeCluster):
            with self.cluster.state() as state:
                if state["has_alertmanager"]:
                    return FakeAlertmanager(self.cluster)
        raise NotFound("context test has no alertmanager")

    @property
    def metrics(self) -> MetricsPort:
        if self.prometheus is None:
            raise NotFound("context test has no prometheus")
        return self.prometheus

    @property
    def serving(self) -> ServingPort:
        if self.servers is not None:
            return self.servers
        if isinstance(self.cluster, FakeCluster):
            return FakeServers(self.cluster)
        raise NotFound("the context has no serving")
