"""A fault in the model server of one replica; the server's own record is the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import Baseline, ReplicaFault, Truth
from maestro_cli.core.errors import GateNotMet, NoData, NotFound, Refused

_ENDED_BY_ITSELF = "time"


class FaultDefect(Defect):
    """Has the server of one replica misbehave; the server records the truth."""

    def __init__(self, fault: ReplicaFault, scene: Scene) -> None:
        self._fault = fault
        self._scene = scene
        self._faults = scene.ensemble.faults
        self._pod = ""
        self.phase = ("fault", f"something happens to {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Every fault of the workload's replicas is ended, whichever of them it is in."""
        return {"faults": "all"}

    def inject(self) -> None:
        """Into one replica; its record carries the drill's name."""
        try:
            self._pod = self._faults.inject(self._scene.target, self._fault, self._scene.drill)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """End what is still on; True when it was over before, and not by itself."""
        try:
            fault = self._recorded()
        finally:
            end_faults(self._scene)
        return fault is not None and fault.ended is not None and fault.ended_because != _ENDED_BY_ITSELF

    def truth(self, *, is_mended: bool) -> Truth:
        """As the server recorded it; who ended it too late, or never, mitigated nothing."""
        fault = self._recorded()
        if fault is None or fault.met_nobody:
            met = "recorded no fault" if fault is None else "met nobody with its fault"
            raise NoData(f"the server of pod {self._pod} {met}", why="without it nothing can be scored")
        subject = f"pod {self._scene.target.namespace}/{self._pod}"
        words = f"{fault.kind} in {subject}"
        return Truth(fault.began, subject, words, is_mended, ended_at=fault.ended if is_mended else None)

    def _recorded(self) -> InjectedFault | None:
        return next((fault for fault in self._faults.recorded() if fault.note == self._scene.drill), None)


def end_faults(scene: Scene, which: str = "all") -> None:
    """End every fault of a workload's replicas. Raises UndoFailed."""

    def once() -> bool:
        scene.ensemble.faults.end_all(scene.target)
        return True

    try_again(once, scene, fix=f"maestro restart {scene.target}")


FAMILY = Family(FaultDefect, "faults", end_faults)
