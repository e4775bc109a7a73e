"""A node whose kubelet stops: its pods go on, and nobody hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, NotFound, Refused


@dataclass(frozen=True, slots=True)
class LostNode(Breakage):
    """One of the nodes that run a replica of the target is lost: `place`, from 0 to below 1, says which of
    them, in the order of their names.
    """

    place: float = 0.0


class NodeDefect(Defect):
    """Stops a kubelet. A person at the machine starts it again; the cluster's people open the node again."""

    def __init__(self, lost: LostNode, scene: Scene) -> None:
        self._lost = lost
        self._scene = scene
        self._nodes = scene.ensemble.nodes
        self._node = ""
        self._began: datetime | None = None
        self.phase = ("node", "something happens to a machine")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Every stopped kubelet goes on and every node that was open opens, so that nobody can read here
        which it was.
        """
        hosting = self._nodes.hosting(self._scene.target)
        if not hosting:
            raise GateNotMet(f"no node runs a ready replica of {self._scene.target}", fix="maestro pod list")
        self._node = hosting[int(self._lost.place * len(hosting))]
        return {"nodes": {"closed": list(self._nodes.closed())}}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        try:
            self._nodes.stop(self._node)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def repair(self) -> None:
        """The machine goes on; that it takes no new pods is for the cluster's people to end."""
        _resume(self._scene)

    def mend(self) -> bool:
        """True when its kubelet went on and the node took new pods already."""
        was_stopped = _resume(self._scene)
        fix = f"maestro node uncordon {self._node}"
        was_closed = try_again(
            lambda: self._nodes.reopen(self._node, self._scene.drill), self._scene, fix=fix
        )
        return not was_stopped and not was_closed

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = f"node {self._node}"
        words = f"the kubelet of {subject} stopped"
        return Truth(self._began, subject, words, is_mended, fix_target=f"node/{self._node}")


def _resume(scene: Scene) -> bool:
    return try_again(lambda: bool(scene.ensemble.nodes.resume()), scene, fix="maestro local down")


def clear_nodes(scene: Scene, left: Any) -> bool:
    """Let every stopped kubelet go on, and open every node but those that were closed before; whether there
    was one. `left` is what `prepare` returned; "all", of older drills, tells of no closed node, and none is
    opened. Raises UndoFailed.
    """
    did = _resume(scene)
    nodes = scene.ensemble.nodes

    def reopen() -> bool:
        shut = [node for node in nodes.closed() if node not in left["closed"]]
        opened = [node for node in shut if nodes.reopen(node, scene.drill)]
        return bool(opened)

    if isinstance(left, Mapping):
        did = try_again(reopen, scene, fix="maestro node uncordon NODE") or did
    return did


FAMILY = Family(NodeDefect, "nodes", clear_nodes)
