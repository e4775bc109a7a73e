"""What drills break, and mend again: one module a family, and the table of them.

Invariant: the kind of breakage alone decides who performs it, and the key of an undo who takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.drills.defects import (
    backup,
    certificate,
    dependency,
    everything,
    experimented,
    key,
    leak,
    load,
    node,
    noise,
    release,
    replica,
    routing,
    settings,
    sick_release,
    workload,
)
from maestro_cli.chaos.drills.defects.defect import Defect, Family, Scene
from maestro_cli.chaos.drills.model import BadRelease, Breakage, ReplicaFault
from maestro_cli.core.errors import UndoFailed

FAMILIES: Mapping[type[Breakage], Family] = {
    BadRelease: release.FAMILY,
    ReplicaFault: replica.FAMILY,
    node.LostNode: node.FAMILY,
    workload.OtherScale: workload.SCALE,
    workload.Deletion: workload.PRESENCE,
    certificate.EndingCertificate: certificate.FAMILY,
    backup.LostDestination: backup.FAMILY,
    key.MisusedKey: key.FAMILY,
    load.Surge: load.FAMILY,
    dependency.LostDependency: dependency.FAMILY,
    sick_release.SickRelease: sick_release.FAMILY,
    leak.Leak: leak.FAMILY,
    routing.RoutingEdit: routing.FAMILY,
    settings.SettingsEdit: settings.FAMILY,
    noise.Noise: noise.NOISE,
    noise.Nothing: noise.NOTHING,
    experimented.Experimented: experimented.FAMILY,
}


def defect_of(breakage: Breakage, scene: Scene) -> Defect:
    """One performance of that breakage."""
    return FAMILIES[type(breakage)].make(breakage, scene)


def clear(undo: Mapping[str, Any], scene: Scene) -> None:
    """Undo what a drill that was killed left, by what its `prepare` returned. Raises UndoFailed."""
    if everything.WORKLOADS in undo.get(everything.LEAVES, {}):
        everything.put_everything_back(scene, undo[everything.LEAVES])
        return
    for family in FAMILIES.values():
        if family.leaves in undo:
            family.clear(scene, undo[family.leaves])
            return
    raise UndoFailed(
        f"what drill {scene.drill} left on {scene.target} is not known here",
        why="another version of maestro ran it",
        fix="maestro local down",
    )
