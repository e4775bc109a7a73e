"""The real control plane for tests: the one that `maestro local up --cluster kubernetes` starts, alone.

etcd does not wait for the disk, and a lost node is noticed after seconds. It announces itself as the light
cluster does, and leaves the same `pki` and kubeconfigs in the state folder.
"""

from __future__ import annotations

from tests.contract.cluster.running import EVICT_AFTER, NODE_GRACE, Platform

# Versions are forgotten after seconds; a watch of secrets, which are not cached here, is told so too.
FORGETFUL = (
    "--apiserver-flag=--etcd-compaction-interval=10s", "--apiserver-flag=--watch-cache-sizes=secrets#0",
)  # fmt: skip


def start_control_plane(platform: Platform, binary: str) -> None:
    """Start all four parts and wait until they are ready and the identities have their rights."""
    platform.start(
        "cluster", "kubernetes", "--program", binary, "--unsafe-no-fsync", "--node-grace", str(NODE_GRACE),
        "--evict-after", str(EVICT_AFTER), *FORGETFUL,
    )  # fmt: skip
