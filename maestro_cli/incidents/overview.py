"""What a first look at a context found. Invariant: a silent backend makes the answer unknown, never well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.verdict import Judgement
from maestro_cli.incidents.intake.anomalies.model import Anomaly
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.people.model import Standing, Task
from maestro_cli.incidents.unanswered import Unanswered, unanswered_alerts
from maestro_cli.slo.objectives import Objective


@dataclass(frozen=True, slots=True)
class Burn:
    """One objective over the last minute: its error ratio, and how fast that spends the budget."""

    objective: Objective
    judgement: Judgement
    rate: float | None


@dataclass(frozen=True, slots=True)
class Overview:
    """`people` is by incident id, `tasks` are the open ones of any incident.

    `failures` says which backend did not answer, and why.
    """

    context: str
    namespace: str | None
    incidents: tuple[Incident, ...]
    people: Mapping[str, Standing]
    tasks: tuple[Task, ...]
    workloads: tuple[Workload, ...]
    alerts: tuple[Alert, ...]
    burns: tuple[Burn, ...]
    sight: Sight
    failures: tuple[tuple[str, str], ...]
    anomalies: tuple[Anomaly, ...] = ()  # these make nothing unwell

    @property
    def unanswered(self) -> Unanswered:
        """What fires beside the incidents; with one open it may be of that."""
        silent = ", ".join(f"no {name}: {error}" for name, error in self.failures)
        return Unanswered(self.sight, unanswered_alerts(self.alerts, {}), silent)

    @property
    def is_well(self) -> bool | None:
        """False when something is known to be wrong; None when a backend that would know is silent."""
        wrong = (
            bool(self.incidents)
            or any(alert.firing and not alert.suppressed_by for alert in self.alerts)
            or any(not workload.is_rolled_out for workload in self.workloads)
            or any(burn.rate is not None and burn.rate > 1 for burn in self.burns)
        )
        blind = self.failures or any(burn.rate is None for burn in self.burns)
        return False if wrong else (None if blind else True)
