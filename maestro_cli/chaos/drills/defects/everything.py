"""One undo for whatever is broken: so that what is written before it tells nothing of what it is.

Invariant: it has the same parts whatever breaks, and all of them are put back; what was well stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Scene
from maestro_cli.chaos.drills.defects.load import calm_down
from maestro_cli.chaos.drills.defects.node import clear_nodes
from maestro_cli.chaos.drills.defects.release import put_back
from maestro_cli.chaos.drills.defects.replica import end_faults
from maestro_cli.chaos.drills.defects.routing import put_routing_back, routing_of
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.core.canonical import plain

LEAVES = "everything"


def everything(scene: Scene, baseline: Baseline) -> dict[str, Any]:
    """The target as it is, what routes its requests, and which nodes are closed."""
    workload = scene.ensemble.cluster.get_workload(scene.target)
    routing = f"{scene.target.name}-routing"
    return {
        LEAVES: {
            "template": plain(baseline.template),
            "replicas": workload.replicas_wanted,
            "routing": routing_of(scene, routing),
            "closed": list(scene.ensemble.nodes.closed()),
        }
    }


def put_everything_back(scene: Scene, kept: Mapping[str, Any]) -> bool:
    """Whether anything was not as it was; faults are ended besides. Raises UndoFailed."""
    did = put_back(scene, kept["template"])
    end_faults(scene)
    did = put_routing_back(scene, kept["routing"]) or did
    did = clear_nodes(scene, {"closed": kept["closed"]}) or did
    return calm_down(scene, {"replicas": kept["replicas"]}) or did
