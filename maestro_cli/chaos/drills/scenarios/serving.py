"""What goes wrong with a model and its requests."""

from __future__ import annotations

from maestro_cli.chaos.drills.model import BadRelease, ReplicaFault, Scenario
from maestro_cli.core.refs import WorkloadRef

_FRAUD = WorkloadRef("Deployment", "ml", "fraud")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="bad-release",
        title="A bad release of the fraud model",
        description=(
            "Someone ships version 2 of the fraud model. It was retrained on an extract that lacks some "
            "categories, so the graph fails on the requests that carry them. It loads, its golden rows "
            "pass, and monitoring is not told."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="release",
        right_fix="rollback",
        defect=BadRelease("retrained fraud model 2", {"--serve": "fraud=2"}),
        runbook="high-error-rate",
    ),
    Scenario(
        name="slow-model",
        title="One replica of the fraud model becomes slow",
        description=(
            "The server of one replica takes 800 ms longer for every prediction. It fails none, its probes "
            "are quick, nothing was released, and the other replicas answer as ever."
        ),
        target=_FRAUD,
        objective="fraud-latency",
        true_cause="pod",
        right_fix="restart",
        defect=ReplicaFault("latency", {"milliseconds": 800.0}, "fraud", 1, seconds=900.0),
        runbook="high-latency",
    ),
)
