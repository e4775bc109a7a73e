"""One undo for whatever is broken: so that what is written before it tells nothing of what it is.

Invariant: it has the same parts whatever breaks, and all of them are put back; what was well stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Scene, is_gone
from maestro_cli.chaos.drills.defects.load import calm_down
from maestro_cli.chaos.drills.defects.node import clear_nodes
from maestro_cli.chaos.drills.defects.release import put_back
from maestro_cli.chaos.drills.defects.replica import end_faults
from maestro_cli.chaos.drills.defects.routing import config_of, put_routing_back
from maestro_cli.chaos.drills.defects.settings import put_settings_back
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.refs import WorkloadRef

LEAVES = "everything"
WORKLOADS = "workloads"


def everything(scenes: Sequence[Scene], baselines: Sequence[Baseline]) -> dict[str, Any]:
    """Each workload as it is, what it reads and what routes its requests; and which nodes are closed."""
    workloads = [_kept(scene, baseline) for scene, baseline in zip(scenes, baselines, strict=True)]
    return {LEAVES: {WORKLOADS: workloads, "closed": list(scenes[0].ensemble.nodes.closed())}}


def _kept(scene: Scene, baseline: Baseline) -> dict[str, Any]:
    return {
        "target": plain(scene.target),
        "template": plain(baseline.template),
        "replicas": scene.ensemble.cluster.get_workload(scene.target).replicas_wanted,
        "routing": config_of(scene, f"{scene.target.name}-routing"),
        "settings": config_of(scene, f"{scene.target.name}-settings"),
    }


def put_everything_back(scene: Scene, kept: Mapping[str, Any]) -> bool:
    """Whether anything was not as it was; faults are ended besides. Raises UndoFailed.

    What fails keeps none of the others from being put back; the first that failed is raised in the end. What
    was broken of a workload that is gone went with it: a platform that was started anew may have fewer.
    """
    undos: list[tuple[Scene, Callable[[], object]]] = [
        (scene, partial(clear_nodes, scene, {"closed": kept["closed"]}))
    ]
    for each in kept[WORKLOADS]:
        place = replace(scene, target=WorkloadRef(**each["target"]))
        undos += [
            (place, partial(put_back, place, each["template"])),
            (place, partial(end_faults, place)),
            (place, partial(put_settings_back, place, each["settings"])),
            (place, partial(put_routing_back, place, each["routing"])),
            (place, partial(calm_down, place, {"replicas": each["replicas"]})),
        ]
    did, failures = False, []
    for place, undo in undos:
        try:
            did = bool(undo()) or did
        except MaestroError as error:
            if not (isinstance(error, NotFound) and is_gone(place)):
                failures.append(error)
    if failures:
        raise failures[0]
    return did
