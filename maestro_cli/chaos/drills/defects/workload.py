"""A workload that somebody scaled, or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, NotFound, Refused
from maestro_cli.core.refs import WorkloadRef

_BY_THE_CLUSTER = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")
_REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class OtherScale(Breakage):
    """The target, a Deployment, is told to have so many replicas."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Deletion(Breakage):
    """The target, a Deployment, is deleted, with everything it owns."""


class ScaleDefect(Defect):
    """Scales, as anyone would."""

    def __init__(self, other: OtherScale, scene: Scene) -> None:
        self._other = other
        self._scene = scene
        self._good = 0
        self._began: datetime | None = None
        self.phase = ("scale", f"someone scales {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        self._good = self._scene.ensemble.cluster.get_workload(self._scene.target).replicas_wanted
        return {"replicas": self._good}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        wanted = {"spec": {"replicas": self._other.replicas}}
        try:
            self._scene.ensemble.objects.merge_object(path_of(self._scene.target), wanted)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """True when it has other replicas than it was told to have; in the end it has the baseline's."""
        scene, told = self._scene, self._other.replicas
        is_mended = try_again(
            lambda: scene.ensemble.cluster.get_workload(scene.target).replicas_wanted != told,
            scene,
            fix=f"maestro scale {scene.target} --replicas {self._good}",
        )
        scale_back(scene, self._good)
        return is_mended

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = str(self._scene.target)
        words = f"{subject} was scaled from {self._good} to {self._other.replicas} replicas"
        return Truth(self._began, subject, words, is_mended)


class DeletionDefect(Defect):
    """Deletes, as anyone would."""

    def __init__(self, deletion: Deletion, scene: Scene) -> None:
        self._scene = scene
        self._manifest: Mapping[str, Any] = {}
        self._began: datetime | None = None
        self.phase = ("deletion", f"someone deletes {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Keep it as it is now."""
        found = self._scene.ensemble.objects.get_object(path_of(self._scene.target))
        self._manifest = declared(found)
        return {"manifest": self._manifest}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        try:
            self._scene.ensemble.objects.delete_object(path_of(self._scene.target))
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """Create it again where it is not."""
        return not create_again(self._scene, self._manifest)

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = str(self._scene.target)
        return Truth(self._began, subject, f"{subject} was deleted", is_mended)


def path_of(ref: WorkloadRef) -> str:
    """The REST path of a Deployment."""
    return f"{_collection(ref)}/{ref.name}"


def _collection(ref: WorkloadRef) -> str:
    return f"/apis/apps/v1/namespaces/{ref.namespace}/deployments"


def declared(found: Mapping[str, Any]) -> dict[str, Any]:
    """The object as somebody declared it, without what the cluster added. Pure."""
    metadata = {name: value for name, value in found["metadata"].items() if name not in _BY_THE_CLUSTER}
    notes = {name: text for name, text in (metadata.get("annotations") or {}).items() if name != _REVISION}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata | {"annotations": notes},
        "spec": found["spec"],
    }


def scale_back(scene: Scene, replicas: int) -> bool:
    """Have it that many replicas again; False when it had. Raises UndoFailed."""
    ensemble, ref = scene.ensemble, scene.target

    def once() -> bool:
        if ensemble.cluster.get_workload(ref).replicas_wanted == replicas:
            return False
        ensemble.objects.merge_object(path_of(ref), {"spec": {"replicas": replicas}})
        return True

    return try_again(once, scene, fix=f"maestro scale {ref} --replicas {replicas}")


def create_again(scene: Scene, manifest: Mapping[str, Any]) -> bool:
    """Create it where it is not; False when it is there. Raises UndoFailed."""
    ensemble, ref = scene.ensemble, scene.target

    def once() -> bool:
        try:
            ensemble.cluster.get_workload(ref)
        except NotFound:
            ensemble.objects.create_object(_collection(ref), manifest)
            return True
        return False

    return try_again(once, scene, fix="maestro local down")


SCALE = Family(ScaleDefect, "replicas", scale_back)
PRESENCE = Family(DeletionDefect, "manifest", create_again)
