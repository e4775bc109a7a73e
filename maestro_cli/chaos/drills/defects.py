"""What drills break, and mend again: a release that was shipped, a fault in one replica.

Invariant: `prepare` says how to undo before anything is broken, as plain data that a later drill can undo by;
what was refused was not broken, and what is there then is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import BadRelease, Baseline, ReplicaFault, Truth
from maestro_cli.chaos.drills.ports import Cluster, Faults
from maestro_cli.chaos.drills.release import bad_template, serves_the_same
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import (
    GateNotMet,
    MaestroError,
    NoData,
    NotFound,
    Refused,
    TimedOut,
    UndoFailed,
    Unreachable,
)
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef

_TAKE_UP_SECONDS = 15.0
_ENDED_BY_ITSELF = "time"


class NothingDone(Exception):
    """The defect was refused: nothing was broken. `error` says why."""

    def __init__(self, error: MaestroError) -> None:
        self.error = error


class Defect(Protocol):
    """One performance of a scenario's defect."""

    phase: tuple[str, str]

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """How to undo it. Raises GateNotMet when the target is not what the baseline saw."""

    def inject(self) -> None:
        """Break it; raises NothingDone when it was refused. After any other error it may be broken."""

    def mend(self) -> bool:
        """Take it away where it still is; True when the responders had done so. Raises UndoFailed."""

    def truth(self, *, is_mended: bool) -> Truth:
        """What was broken, once it was mended. Raises NoData where nobody recorded it."""


class ReleaseDefect:
    """Ships a bad release, as anyone would ship it."""

    def __init__(self, cluster: Cluster, target: WorkloadRef, release: BadRelease, clock: Clock) -> None:
        self._cluster = cluster
        self._target = target
        self._release = release
        self._clock = clock
        self._good: Mapping[str, Any] = {}
        self._bad: Mapping[str, Any] = {}
        self._workload: Workload | None = None
        self._began: datetime | None = None
        self._revision = 0
        self.phase = ("release", f"someone ships a new revision of {target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Keep the workload as it is; raises GateNotMet when it is not as it was for the baseline."""
        self._workload = self._cluster.get_workload(self._target)
        if not serves_the_same(self._workload.template, baseline.template):
            raise GateNotMet("the workload changed while the baseline was taken", fix="run the drill again")
        self._good, self._revision = baseline.template, baseline.revision
        self._bad = bad_template(self._workload.template, self._release.arguments)
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
        return not put_back(self._cluster, self._target, self._good, self._clock)

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = str(self._target)
        words = f"release of {subject}, revision {self._revision}"
        return Truth(self._began, subject, words, is_mended, self._revision)


class FaultDefect:
    """Has the server of one replica fail its requests, or delay them; the server records the truth."""

    def __init__(
        self, faults: Faults, target: WorkloadRef, fault: ReplicaFault, drill: str, clock: Clock
    ) -> None:
        self._faults = faults
        self._target = target
        self._fault = fault
        self._drill = drill
        self._clock = clock
        self._pod = ""
        self.phase = ("fault", f"something happens to {target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Every fault of the workload's replicas is ended, whichever of them it is in."""
        return {"faults": "all"}

    def inject(self) -> None:
        """Into one replica; its record carries the drill's name."""
        try:
            self._pod = self._faults.inject(self._target, self._fault, self._drill)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """End what is still on; True when it was over before, and not by itself."""
        try:
            fault = self._recorded()
        finally:
            end_faults(self._faults, self._target, self._clock)
        return fault is not None and fault.ended is not None and fault.ended_because != _ENDED_BY_ITSELF

    def truth(self, *, is_mended: bool) -> Truth:
        """As the server recorded it; who ended it too late, or never, mitigated nothing."""
        fault = self._recorded()
        if fault is None or fault.met_nobody:
            met = "recorded no fault" if fault is None else "met nobody with its fault"
            raise NoData(f"the server of pod {self._pod} {met}", why="without it nothing can be scored")
        subject = f"pod {self._target.namespace}/{self._pod}"
        words = f"{fault.kind} in {subject}"
        return Truth(fault.began, subject, words, is_mended, ended_at=fault.ended if is_mended else None)

    def _recorded(self) -> InjectedFault | None:
        return next((fault for fault in self._faults.recorded() if fault.note == self._drill), None)


def put_back(cluster: Cluster, ref: WorkloadRef, template: Mapping[str, Any], clock: Clock) -> bool:
    """Give the workload that template again; False when it had it. Raises UndoFailed."""

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

    return _again(once, clock, ref, fix=f"kubectl rollout undo, or maestro rollback {ref}")


def end_faults(faults: Faults, ref: WorkloadRef, clock: Clock) -> None:
    """End every fault of a workload's replicas. Raises UndoFailed."""

    def once() -> bool:
        faults.end_all(ref)
        return True

    _again(once, clock, ref, fix=f"maestro restart {ref}")


def _again(once: Callable[[], bool], clock: Clock, ref: WorkloadRef, *, fix: str) -> bool:
    last: MaestroError | None = None
    for _ in range(5):
        try:
            return once()
        except (GateNotMet, Unreachable) as error:  # it moved under us, or did not answer: look again
            last = error
            clock.sleep(0.2)
    raise UndoFailed(f"the defect is still on {ref}", why=str(last), fix=fix)
