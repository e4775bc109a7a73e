"""Far more requests than usual, for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, NotFound, Refused
from maestro_cli.core.promql import promql_selector

_CUSTOM_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Surge(Breakage):
    """So many times the usual requests come; it ends by itself after `seconds`."""

    factor: float
    seconds: float


class SurgeDefect(Defect):
    """Has the load send more. Who has more replicas started than there were has done what helps."""

    def __init__(self, surge: Surge, scene: Scene) -> None:
        self._surge = surge
        self._scene = scene
        self._replicas = 0
        self._began: datetime | None = None
        self.phase = ("surge", f"something happens to those who call {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """The load is calm again, and as many replicas are wanted as now."""
        self._await_custom()
        self._replicas = self._scene.ensemble.cluster.get_workload(self._scene.target).replicas_wanted
        return {"surge": {"replicas": self._replicas}}

    def _await_custom(self) -> None:
        """Wait until callers have come for a while: what is more than usual, nobody can tell before."""
        target, clock = self._scene.target, self._scene.clock
        labels = {"namespace": target.namespace, "deployment": target.name}
        every = promql_selector("maestro_inference_requests_total", labels)
        query = f"count_over_time((sum(rate({every}[5s])) > 0)[{_CUSTOM_SECONDS + 5}s:1s])"
        deadline = clock.monotonic() + 2 * _CUSTOM_SECONDS
        while clock.monotonic() < deadline:
            seconds = self._scene.ensemble.metrics.query(query).only
            if seconds is not None and seconds >= _CUSTOM_SECONDS:
                return
            clock.sleep(0.5)

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        try:
            self._scene.ensemble.load.surge(self._scene.target, self._surge.factor, self._surge.seconds)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """True when more replicas than before were there; they are taken back, for the surge is over."""
        try:
            workload = self._scene.ensemble.cluster.get_workload(self._scene.target)
        finally:
            calm_down(self._scene, {"replicas": self._replicas})
        return min(workload.replicas_wanted, workload.replicas_ready) > self._replicas

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        words = f"{self._surge.factor:g} times the usual requests to {self._scene.target}"
        return Truth(self._began, f"load on {self._scene.target}", words, is_mended)


def calm_down(scene: Scene, before: Mapping[str, Any]) -> bool:
    """End the surge and put the number of replicas back; whether that was another. Raises UndoFailed."""
    cluster, ref, replicas = scene.ensemble.cluster, scene.target, int(before["replicas"])
    scene.ensemble.load.calm(ref)

    def once() -> bool:
        workload = cluster.get_workload(ref)
        if workload.replicas_wanted == replicas:
            return False
        cluster.write_spec(
            ref,
            uid=workload.uid,
            resource_version=workload.resource_version,
            spec={"replicas": replicas},
            annotations={},
        )
        return True

    return try_again(once, scene, fix=f"maestro scale {ref} --replicas {replicas}")


FAMILY = Family(SurgeDefect, "surge", calm_down)
