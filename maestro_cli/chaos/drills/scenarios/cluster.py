"""What goes wrong with pods, releases and nodes."""

from __future__ import annotations

from maestro_cli.chaos.drills.defects.node import LostNode
from maestro_cli.chaos.drills.model import BadRelease, ReplicaFault, Scenario
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
    Scenario(
        name="stuck-rollout",
        title="A release whose image cannot be pulled",
        description=(
            "Someone ships a release with an image that the registry does not have. Its first pod never "
            "starts, the rollout stops there, and the replicas of the release before serve on."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="release",
        right_fix="rollback",
        defect=BadRelease("next model server", image="maestro.local/model-server-next:2"),
        runbook="deployment-failure",
        alert="KubeDeploymentRolloutStuck",
    ),
    Scenario(
        name="memory-leak",
        title="One replica of the fraud model takes ever more memory",
        description=(
            "The server of one replica grows until little is left below its limit. It still answers; nothing "
            "was released, and the other replicas need as much memory as ever."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="pod",
        right_fix="restart",
        defect=ReplicaFault(
            "memory",
            {"mebibytes_per_second": 256.0, "ceiling_mebibytes": 400.0},
            "",
            None,
            seconds=900.0,
        ),
        runbook="memory-leak",
        alert="ContainerHighMemoryUsage",
    ),
    Scenario(
        name="node-failure",
        title="The kubelet of a node stops",
        description=(
            "The kubelet of a node that runs a replica of the fraud model stops. Nobody hears of it any "
            "more, and what runs there cannot be looked after."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="node",
        right_fix="drain",
        defect=LostNode(),
        runbook="node-failure",
        alert="KubeNodeNotReady",
        answers={"repair": "yes"},
        repairs="repair",
    ),
)
