"""`python -m tests.peers.manifests.program` builds what decodes `deploy/optimization`, and runs it."""

from __future__ import annotations

from tests.peers.decoder import PEERS, Decoder

OPTIMIZATION = Decoder(
    name="manifests",
    manifests=PEERS.parents[1] / "deploy" / "optimization",
    modules=(
        "github.com/aws/karpenter-provider-aws", "k8s.io/api", "k8s.io/autoscaler/vertical-pod-autoscaler",
        "sigs.k8s.io/karpenter",
    ),
    variable="MAESTRO_MANIFESTS_BINARY",
)  # fmt: skip

if __name__ == "__main__":
    OPTIMIZATION.keep()
