"""A backup whose destination is not there: it fails, as its own words say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, NotFound, Refused

_NAME = "model-backup"
_CHECK = "-check"  # of the job that reads a backup back


@dataclass(frozen=True, slots=True)
class LostDestination(Breakage):
    """Somebody set the destination of the models' backup to a folder that is not there."""

    destination: str


class BackupDefect(Defect):
    """Sets it so, and has the backup run."""

    def __init__(self, lost: LostDestination, scene: Scene) -> None:
        self._lost = lost
        self._scene = scene
        self._is_mended: bool | None = None
        self._began: datetime | None = None
        self.phase = ("backup", "the backup of the models runs")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """The config map and every job of it are deleted afterwards: there were none."""
        return {"backup": _NAME}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        job_name = f"{_NAME}-{int(self._began.timestamp())}"
        settings, job = self._scene.ensemble.props.backup(job_name, self._lost.destination)
        objects = self._scene.ensemble.objects
        try:
            objects.create_object(_path(self._scene, "configmaps"), settings)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error
        objects.create_object(_path(self._scene, "jobs"), job)

    def mend(self) -> bool:
        """Delete all of it; True when a backup could be read back."""
        if self._is_mended is None:
            self._is_mended = any(_was_read_back(job) for job in _jobs(self._scene))
        delete_backups(self._scene, _NAME)
        return self._is_mended

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = f"backup {self._scene.target.namespace}/{_NAME}"
        words = f"the destination of {subject} was {self._lost.destination}, which is not there"
        return Truth(self._began, subject, words, is_mended)


def _path(scene: Scene, plural: str, name: str = "") -> str:
    group = "/apis/batch/v1" if plural == "jobs" else "/api/v1"
    place = f"{group}/namespaces/{scene.target.namespace}/{plural}"
    return f"{place}/{name}" if name else place


def _jobs(scene: Scene) -> Iterator[Mapping[str, Any]]:
    for job in scene.ensemble.objects.get_object(_path(scene, "jobs")).get("items") or ():
        if job["metadata"]["name"].startswith(f"{_NAME}-"):
            yield job


def _was_read_back(job: Mapping[str, Any]) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    complete = any(one["type"] == "Complete" and one["status"] == "True" for one in conditions)
    return complete and str(job["metadata"]["name"]).endswith(_CHECK)


def delete_backups(scene: Scene, name: str) -> bool:
    """Delete the config map of that name and its jobs; what they wrote stays. Raises UndoFailed."""

    def once() -> bool:
        doomed = [_path(scene, "jobs", job["metadata"]["name"]) for job in _jobs(scene)]
        deleted = False
        for path in (*doomed, _path(scene, "configmaps", name)):
            try:
                scene.ensemble.objects.delete_object(path)
            except NotFound:
                continue
            deleted = True
        return deleted

    return try_again(once, scene, fix=f"kubectl delete jobs --selector app={name}")


FAMILY = Family(BackupDefect, "backup", delete_backups)
