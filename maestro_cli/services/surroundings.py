"""What the guard of experiments asks about a context. Satisfies chaos.ports.Surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.changes.left import Left
from maestro_cli.chaos.history import unfinished_runs
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.incidents.gate import GateScope
from maestro_cli.incidents.model import OPEN_STATES, Severity
from maestro_cli.incidents.register import list_incidents
from maestro_cli.services.measuring import MeasureWanted, read_experiment_gate
from maestro_cli.slo.measuring.stretch import Spent, spent_in
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.slo_gate import GateAnswer

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

GRAVE = (Severity.SEV1, Severity.SEV2)


class ContextSurroundings:
    """Of the current context."""

    def __init__(self, services: object) -> None:
        self._services: Services = services  # type: ignore[assignment]  # the whole of it, seen from a part

    @property
    def rules(self) -> ExperimentRules | None:
        return self._services.context.experiments

    @property
    def has_cluster(self) -> bool:
        return self._services.context.cluster is not None

    def grave_incidents(self, namespaces: Sequence[str]) -> Sequence[str]:
        """Drills' incidents too: what hurts now hurts."""
        found = [
            one for one in list_incidents(self._services.journal, states=OPEN_STATES) if one.severity in GRAVE
        ]
        scopes = [GateScope(namespace=one, drills=True) for one in namespaces] or [GateScope(drills=True)]
        return [f"incident #{one.number}" for one in found if any(scope.takes(one) for scope in scopes)]

    def budget_gate(self, objectives: Sequence[str]) -> GateAnswer:
        wanted = MeasureWanted(names=tuple(objectives))
        return read_experiment_gate(
            self._services,
            wanted,
            in_production=self._services.policy.protected,
            by_what_was_seen=self.rules is not None and self.rules.budgets == "seen",
        )

    def spent(self, objective: Objective, began: datetime, ended: datetime) -> Spent:
        return spent_in(objective, began, ended, self._services.raw_prometheus, self.value)

    def left_after(self, objective: Objective) -> Left:
        return self._services.budget_left_after(objective)

    def value(self, query: str) -> float | None:
        return _finite(self._services.prometheus.query(query).only)

    def value_elsewhere(self, query: str) -> float | None:
        return _finite(self._services.regions.there.prometheus.query(query).only)

    def other_region_ails(self) -> str:
        regions = self._services.regions
        return regions.ails(regions.other)

    def failover_service(self) -> str:
        return self._services.regions.service

    def others(self) -> Sequence[str]:
        return unfinished_runs(self._services.journal)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
