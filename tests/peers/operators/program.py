"""`python -m tests.peers.operators.program` builds what decodes the examples by types of operators.

Of these no Go module is to be had, so that their types are not here: KServe, LeaderWorkerSet, JobSet,
OpenKruise, Seldon, the MPI operator that Kubeflow had before.
"""

from __future__ import annotations

from tests.peers.decoder import PEERS, Decoder

EXAMPLES = PEERS / "operators" / "examples"
OPERATORS = Decoder(
    name="operators",
    manifests=EXAMPLES,
    modules=(
        "github.com/argoproj/argo-rollouts", "github.com/kedacore/keda/v2",
        "github.com/kubeflow/training-operator",
        "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring",
        "github.com/ray-project/kuberay/ray-operator", "knative.dev/serving",
    ),
    variable="MAESTRO_OPERATORS_BINARY",
)  # fmt: skip

if __name__ == "__main__":
    OPERATORS.keep()
