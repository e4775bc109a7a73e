"""A release whose replicas are ill, each from the moment that it is ready."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Family, Scene
from maestro_cli.chaos.drills.defects.release import ReleaseDefect, put_back
from maestro_cli.chaos.drills.defects.replica import end_faults
from maestro_cli.chaos.drills.model import BadRelease, Baseline, Breakage, ReplicaFault
from maestro_cli.core.errors import MaestroError

_LOOK_SECONDS = 0.1
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SickRelease(Breakage):
    """`release` is harmless by itself; every replica of it has `fault`."""

    release: BadRelease
    fault: ReplicaFault


class SickReleaseDefect(ReleaseDefect):
    """Ships it, and makes each of its replicas ill as it comes up; those of other releases stay well."""

    def __init__(self, sick: SickRelease, scene: Scene) -> None:
        super().__init__(sick.release, scene)
        self._fault = sick.fault
        self._faults = scene.ensemble.faults
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self._seen: set[str] = set()
        self._owner = ""

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """As a release; the faults go with its replicas, and are ended besides."""
        left = super().prepare(baseline)
        self._seen = {pod.name for pod in self._faults.replicas(self._target)}
        return {"sick_release": left["template"], "revision": left["revision"]}

    def inject(self) -> None:
        super().inject()
        self._watcher = threading.Thread(target=self._follow, name="sick-release", daemon=True)
        self._watcher.start()

    def mend(self) -> bool:
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join(_STOP_SECONDS)
        try:
            return super().mend()
        finally:
            end_faults(self._scene)

    def _follow(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            with suppress(MaestroError):  # a replica came or went meanwhile; it is looked at again
                self.make_ill()

    def make_ill(self) -> None:
        """Every ready replica of the release that is not ill yet. Raises what the cluster and servers do."""
        for pod in self._faults.replicas(self._target):
            self._owner = self._owner or ("" if pod.name in self._seen else pod.owner)
            if pod.name not in self._seen and pod.owner == self._owner:
                self._faults.inject_in(pod, self._fault, self._scene.drill)
                self._seen.add(pod.name)


def clear_release(scene: Scene, template: Any) -> bool:
    """End every fault and put that template back; whether it was another. Raises UndoFailed."""
    did = put_back(scene, template)
    end_faults(scene)
    return did


FAMILY = Family(SickReleaseDefect, "sick_release", clear_release)
