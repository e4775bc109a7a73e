"""A replica whose memory grows beyond its limit, is killed for it, and grows again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Family, Scene
from maestro_cli.chaos.drills.defects.replica import FaultDefect, end_faults
from maestro_cli.chaos.drills.model import Baseline, Breakage, ReplicaFault, Truth
from maestro_cli.core.errors import MaestroError, NoData

_LOOK_SECONDS = 0.25
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Leak(Breakage):
    """`fault` makes one replica grow; it has it again each time it was killed and started anew."""

    fault: ReplicaFault


class LeakDefect(FaultDefect):
    """A leak is in the process: whoever has another replica in its place has ended it."""

    def __init__(self, leak: Leak, scene: Scene) -> None:
        super().__init__(leak.fault, scene)
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self._restarts: int | None = None

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        return {"leak": super().prepare(baseline)["faults"]}

    def inject(self) -> None:
        super().inject()
        self._restarts = next((pod.restarts for pod in self._replicas() if pod.name == self._pod), None)
        self._watcher = threading.Thread(target=self._follow, name="leak", daemon=True)
        self._watcher.start()

    def mend(self) -> bool:
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join(_STOP_SECONDS)
        try:
            pods = self._faults.pods_of(self._scene.target)
        finally:
            end_faults(self._scene)
        return all(pod.name != self._pod or pod.deleting for pod in pods)

    def truth(self, *, is_mended: bool) -> Truth:
        """The first time that it grew is when it began; no server can record that it was killed."""
        faults = [fault for fault in self._faults.recorded() if fault.note == self._scene.drill]
        if not faults:
            raise NoData(f"the server of pod {self._pod} recorded no leak")
        subject = f"pod {self._scene.target.namespace}/{self._pod}"
        began = min(fault.began for fault in faults)
        return Truth(began, subject, f"a leak of memory in {subject}", is_mended)

    def _replicas(self) -> tuple[Any, ...]:
        return tuple(self._faults.replicas(self._scene.target))

    def _follow(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            with suppress(MaestroError):  # it is on its way down or up; it is looked at again
                self.leak_again()

    def leak_again(self) -> None:
        """Where the container was started anew, it grows anew. Raises what the cluster and servers do."""
        for pod in self._replicas():
            if pod.name == self._pod and pod.restarts != self._restarts:
                self._faults.inject_in(pod, self._fault, self._scene.drill)
                self._restarts = pod.restarts


FAMILY = Family(LeakDefect, "leak", end_faults)
