"""Something that every replica depends on does not answer; the servers' own records are the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene
from maestro_cli.chaos.drills.defects.replica import end_faults
from maestro_cli.chaos.drills.defects.routing import config_of, put_routing_back
from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import Baseline, Breakage, ReplicaFault, Truth
from maestro_cli.core.errors import GateNotMet, MaestroError, NoData, NotFound, Refused
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.refs import ObjectRef

_WINDOW = "5s"


@dataclass(frozen=True, slots=True)
class LostDependency(Breakage):
    """`fault` in every ready replica; `routing` names the ConfigMap in which responders may get round it."""

    fault: ReplicaFault
    routing: str


class DependencyDefect(Defect):
    """Responders cannot end it: who has callers answered in spite of it has done what can be done."""

    def __init__(self, lost: LostDependency, scene: Scene) -> None:
        self._lost = lost
        self._scene = scene
        self._faults = scene.ensemble.faults
        self._routing: Mapping[str, Any] = {}
        self.phase = ("dependency", f"something happens around {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Every fault is ended, and the routing is what it is now."""
        self._routing = config_of(self._scene, self._lost.routing)
        return {"dependency": self._routing}

    def inject(self) -> None:
        """What one replica refused may be on in another."""
        try:
            self._faults.inject_everywhere(self._scene.target, self._lost.fault, self._scene.drill)
        except (GateNotMet, Refused, NotFound) as error:
            end_faults(self._scene)
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """True when callers were answered while the dependency was still away."""
        try:
            is_got_round = any(fault.ended is None for fault in self._recorded()) and self._is_answered()
        finally:
            bring_back(self._scene, self._routing)
        return is_got_round

    def truth(self, *, is_mended: bool) -> Truth:
        """As the servers recorded it."""
        faults = self._recorded()
        if not faults or all(fault.met_nobody for fault in faults):
            raise NoData(
                f"no server of {self._scene.target} recorded a fault that met anybody",
                why="without it nothing can be scored",
            )
        target = self._scene.target
        subject = f"something that {target} depends on"
        config = ObjectRef("ConfigMap", target.namespace, self._lost.routing)
        began = min(fault.began for fault in faults)
        return Truth(began, subject, f"{subject} did not answer", is_mended, fix_target=str(config))

    def _recorded(self) -> list[InjectedFault]:
        return [fault for fault in self._faults.recorded() if fault.note == self._scene.drill]

    def _is_answered(self) -> bool:
        """Whether nobody is answered 503 now, and somebody is answered."""
        target = self._scene.target
        labels = {"namespace": target.namespace, "deployment": target.name}
        every = promql_selector("maestro_inference_requests_total", labels)
        failed = promql_selector("maestro_inference_requests_total", {**labels, "code": "503"})
        query = f"(sum(rate({failed}[{_WINDOW}])) or vector(0)) / sum(rate({every}[{_WINDOW}]))"
        try:
            return self._scene.ensemble.metrics.query(query).only == 0
        except MaestroError:
            return False  # nobody can tell


def bring_back(scene: Scene, routing: Mapping[str, Any]) -> bool:
    """End every fault, then put the routing back; whether it was another. Raises UndoFailed."""
    end_faults(scene)
    return put_routing_back(scene, routing)


FAMILY = Family(DependencyDefect, "dependency", bring_back)
