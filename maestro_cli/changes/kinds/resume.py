"""Resume: let a paused rollout go on.

Invariant: it lets every template change go that was held back, so its blast radius is all replicas that do
not run the newest template yet.
"""

from __future__ import annotations

from maestro_cli.changes.kinds.pausing import PausingKind
from maestro_cli.core.facts.cluster import Workload


class Resume(PausingKind):
    """Takes no parameters."""

    name = "resume"
    flag = False
    opposite = "pause"
    state = "not paused"

    def ends(self, workload: Workload) -> int:
        return max(0, workload.replicas_wanted - workload.replicas_updated)
