"""A context whose systems are those that a test puts into it; one it lacks is missed as in a real context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maestro_cli.changes.ports import ClusterPort, MetricsPort
from maestro_cli.core.errors import NotFound
from maestro_cli.slo.objectives import Objective


@dataclass(frozen=True)
class SomeWorld:
    cluster: ClusterPort
    prometheus: MetricsPort | None = None
    objectives: Mapping[str, Objective] = field(default_factory=dict)

    @property
    def metrics(self) -> MetricsPort:
        if self.prometheus is None:
            raise NotFound("context test has no prometheus")
        return self.prometheus
