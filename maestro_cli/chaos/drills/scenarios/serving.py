"""What goes wrong with a model and its requests."""

from __future__ import annotations

from maestro_cli.chaos.drills.defects.dependency import LostDependency
from maestro_cli.chaos.drills.defects.load import Surge
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
            "The server of one replica takes 400 ms longer for every prediction. It fails none, its probes "
            "are quick, nothing was released, and the other replicas answer as ever."
        ),
        target=_FRAUD,
        objective="fraud-latency",
        true_cause="pod",
        right_fix="restart",
        defect=ReplicaFault("latency", {"milliseconds": 400.0}, "fraud", 1, seconds=900.0),
        runbook="high-latency",
    ),
    Scenario(
        name="model-degradation",
        title="A release of the fraud model that answers wrongly",
        description=(
            "Someone ships version 3 of the fraud model. It was retrained on an extract in which 1 stands "
            "for a credit that was paid back, so it flags who pays and lets the others through. It fails no "
            "request, answers in time, and its golden rows pass; only what becomes of the applicants tells."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="release",
        right_fix="rollback",
        defect=BadRelease("retrained fraud model 3", {"--serve": "fraud=3"}),
        runbook="model-degradation",
        alert="ModelAccuracyLow",
    ),
    Scenario(
        name="dependency-down",
        title="What the fraud model reads its features from does not answer",
        description=(
            "Every replica answers every request 503, because the store of features does not answer. Nothing "
            "was released and no replica is ill: a rollback or a restart would help nobody. The drill plays "
            "the person who agrees to a default answer."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="dependency",
        right_fix="set-routing",
        defect=LostDependency(
            ReplicaFault("dependency", {"milliseconds": 20.0}, "fraud", None, seconds=900.0), "fraud-routing"
        ),
        runbook="dependency-down",
        alert="ServingDependencyDown",
        answers={"agreed": "yes"},
    ),
    Scenario(
        name="traffic-surge",
        title="Four times the usual requests for the fraud model",
        description=(
            "Callers send four times as much as usual. Every request is answered, but the replicas get far "
            "more than they are sized for, and the loss of one would be the loss of all."
        ),
        target=_FRAUD,
        objective="fraud-latency",
        true_cause="load",
        right_fix="scale",
        defect=Surge(factor=4.0, seconds=900.0),
        runbook="traffic-surge",
        alert="ServingTrafficSurge",
    ),
    Scenario(
        name="budget-burn",
        title="One replica of the fraud model spends the latency budget, slowly",
        description=(
            "One replica takes 400 ms longer for one request in seven. That is too little to page anybody, "
            "and enough to spend the budget of a month within a week."
        ),
        target=_FRAUD,
        objective="fraud-latency",
        true_cause="pod",
        right_fix="restart",
        defect=ReplicaFault("latency", {"milliseconds": 400.0}, "fraud", 1, seconds=900.0, share=0.15),
        runbook="budget-burn",
    ),
)
