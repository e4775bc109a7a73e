"""One undo for whatever is broken: so that what is written before it tells nothing of what it is.

Invariant: it has the same parts whatever breaks, and all of them are put back; what was well stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Scene
from maestro_cli.chaos.drills.defects.load import calm_down
from maestro_cli.chaos.drills.defects.node import clear_nodes
from maestro_cli.chaos.drills.defects.release import put_back
from maestro_cli.chaos.drills.defects.replica import end_faults
from maestro_cli.chaos.drills.defects.routing import put_routing_back, routing_of
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import MaestroError

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
    """Whether anything was not as it was; faults are ended besides. Raises UndoFailed.

    What fails keeps none of the others from being put back; the first that failed is raised in the end.
    """
    undos: tuple[Callable[[], object], ...] = (
        partial(put_back, scene, kept["template"]),
        partial(end_faults, scene),
        partial(put_routing_back, scene, kept["routing"]),
        partial(clear_nodes, scene, {"closed": kept["closed"]}),
        partial(calm_down, scene, {"replicas": kept["replicas"]}),
    )
    did, failures = False, []
    for undo in undos:
        try:
            did = bool(undo()) or did
        except MaestroError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return did
