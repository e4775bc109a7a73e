"""A release that was shipped, as anyone would ship it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import BadRelease, Baseline, Truth
from maestro_cli.chaos.drills.release import bad_template, serves_the_same
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import GateNotMet, NotFound, Refused, TimedOut
from maestro_cli.core.facts.cluster import Workload

_TAKE_UP_SECONDS = 15.0


class ReleaseDefect(Defect):
    """Ships a bad release, as anyone would ship it."""

    def __init__(self, release: BadRelease, scene: Scene) -> None:
        self._release = release
        self._scene = scene
        self._cluster = scene.ensemble.cluster
        self._target = scene.target
        self._clock = scene.clock
        self._good: Mapping[str, Any] = {}
        self._bad: Mapping[str, Any] = {}
        self._workload: Workload | None = None
        self._began: datetime | None = None
        self._revision = 0
        self.phase = ("release", f"someone ships a new revision of {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Keep the workload as it is; raises GateNotMet when it is not as it was for the baseline."""
        self._workload = self._cluster.get_workload(self._target)
        if not serves_the_same(self._workload.template, baseline.template):
            raise GateNotMet("the workload changed while the baseline was taken", fix="run the drill again")
        self._good, self._revision = baseline.template, baseline.revision
        self._bad = bad_template(self._workload.template, self._release)
        return {"template": plain(baseline.template), "revision": baseline.revision}

    def inject(self) -> None:
        """Ship it, and wait until its controller has numbered the new revision."""
        assert self._workload is not None
        self._began = self._clock.now()
        try:
            shipped = self._cluster.replace_template(
                self._target,
                uid=self._workload.uid,
                resource_version=self._workload.resource_version,
                template=self._bad,
                annotations={"kubernetes.io/change-cause": self._release.change_cause},
            )
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error
        deadline = self._clock.monotonic() + _TAKE_UP_SECONDS
        while shipped.observed_generation < shipped.generation or shipped.revision <= self._revision:
            if self._clock.monotonic() > deadline:
                raise TimedOut("the cluster did not take up the new revision", fix="maestro local status")
            self._clock.sleep(0.1)
            shipped = self._cluster.get_workload(self._target)
        self._revision = shipped.revision

    def mend(self) -> bool:
        """Put the baseline template back if it is not there."""
        return not put_back(self._scene, self._good)

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = str(self._target)
        words = f"release of {subject}, revision {self._revision}"
        return Truth(self._began, subject, words, is_mended, self._revision)


def put_back(scene: Scene, template: Mapping[str, Any]) -> bool:
    """Give the workload that template again; False when it had it. Raises UndoFailed."""
    cluster, ref = scene.ensemble.cluster, scene.target

    def once() -> bool:
        workload = cluster.get_workload(ref)
        if serves_the_same(workload.template, template):
            return False
        cluster.replace_template(
            ref,
            uid=workload.uid,
            resource_version=workload.resource_version,
            template=template,
            annotations={"kubernetes.io/change-cause": "drill over: back to the baseline"},
        )
        return True

    return try_again(once, scene, fix=f"kubectl rollout undo, or maestro rollback {ref}")


FAMILY = Family(ReleaseDefect, "template", put_back)
