"""What goes wrong with pods, releases and nodes."""

from __future__ import annotations

from maestro_cli.chaos.drills.model import BadRelease, Scenario
from maestro_cli.core.refs import WorkloadRef

_FRAUD = WorkloadRef("Deployment", "ml", "fraud")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="crash-loop",
        title="A release whose process ends as soon as it starts",
        description=(
            "Someone ships a release that is told to drain for `5s`, where the server wants a number. It "
            "says so and ends, again and again; the replicas of the release before serve on."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="release",
        right_fix="rollback",
        defect=BadRelease("drain for five seconds", {"--drain-seconds": "5s"}),
        runbook="crash-loop",
        alert="KubePodCrashLooping",
    ),
)
