"""A defect that is an experiment: performed under its guard, in force until somebody responded to it.

Invariant: what it put in is taken back by its own undo, however the drill ends; a run that the guard refuses
put in nothing. What its run left that was killed, a sweep takes back.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.drilled import Drilled
from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene
from maestro_cli.chaos.drills.defects.everything import everything, put_everything_back
from maestro_cli.chaos.drills.model import Baseline, Breakage, ExperimentEnd, Truth
from maestro_cli.chaos.drills.ports import PutIn
from maestro_cli.chaos.model import Experiment, Kind
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    ExitCode,
    GateNotMet,
    Interrupted,
    MaestroError,
    NoData,
    PolicyRefused,
    UndoFailed,
    defect,
)
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress, Quiet, Several
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.refs import ObjectRef

if TYPE_CHECKING:
    from maestro_cli.chaos.guard.check import Answer, Proposal
    from maestro_cli.chaos.running import RunReport

GUARD_SECONDS = 150.0  # until enough was measured of a platform that has just started: by whole minutes
POLL_SECONDS, GUARD_POLL_SECONDS = 0.1, 2.0
UNDO_SECONDS = 60.0
_SUBJECTS = {"pod": "Pod", "node": "Node", "config": "ConfigMap"}  # causes, and what they are about
RUN = "experiment"  # what the progress of its run is called
_INTERRUPTED = (Kind.SIGINT, Kind.SIGTERM)


@dataclass(frozen=True, slots=True)
class Experimented(Breakage):
    """`file`, with targets as the seed chooses them; `cause` is the kind of suspect that is the truth, and
    `agreed` the digest of the proposal that a person was shown, where one was: no other is carried out.
    """

    file: Experiment
    seed: int
    cause: str | None
    agreed: str = ""


class _Samples:
    """What of a run's progress is told beside its drill's: where it is now, to who has a place for it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def phase(self, name: str, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def update(self, text: str) -> None:
        if isinstance(self._progress, Several):
            self._progress.said(RUN, text)


class ExperimentDefect(Defect):
    """Has an experiment run in a thread, its fault in force until `mend` or `repair`."""

    def __init__(self, asked: Experimented, scene: Scene) -> None:
        self._asked, self._scene = asked, scene
        self._experiments = scene.ensemble.experiments
        self._drilled = Drilled(new_id("exp", scene.clock.now()), scene.drill, Cancellation())
        self._waiting = Cancellation()
        self._progress: Progress = Quiet()
        self._thread: threading.Thread | None = None
        self._report: RunReport | None = None
        self._error: MaestroError | None = None
        self._put: PutIn | None = None
        self._kept: Mapping[str, Any] = {}
        self._is_repaired = False
        self.phase = ("experiment", "its guard looks, and then something happens")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Which run it will be, and everything as it is now; neither tells what the run does."""
        if self._asked.file.unbound:
            raise PolicyRefused(
                f"{self._asked.file.name} is not bounded: {', '.join(self._asked.file.unbound[:3])}",
                why="a drill takes back what maestro's own actions put in, and nothing else",
                fix="maestro chaos lint",
            )
        self._kept = everything([self._scene], [baseline])
        return {"experiment": {"run": self._drilled.run, **self._kept}}

    def attend(self, waiting: Cancellation, progress: Progress) -> None:
        self._waiting, self._progress = waiting, progress

    @property
    def why_ended(self) -> str:
        if self._error is not None:
            return f"the experiment broke off: {self._error.what}"
        stop = None if self._report is None else self._report.findings.stop
        if stop is None or stop.kind in _INTERRUPTED:  # a signal ends the drill itself
            return ""
        return f"the experiment was ended: {stop.kind.value}: {stop.why}"

    def inject(self) -> None:
        """Until its fault proved to have an effect."""
        self._await_guard()
        self._thread = threading.Thread(target=self._run, daemon=True, name="experiment")
        self._thread.start()
        while self._thread.is_alive() and not self._is_effective():
            self._thread.join(POLL_SECONDS)
        if not self._is_effective():
            raise self._why_not()

    def repair(self) -> None:
        """By the experiment's own undo; the response goes on. Raises UndoFailed."""
        self._is_repaired = not self._is_ended()
        self._drilled.response.cancel()
        thread = self._thread
        for _ in range(int(UNDO_SECONDS / POLL_SECONDS)):
            if self._is_ended() or thread is None or not thread.is_alive():
                return
            thread.join(POLL_SECONDS)
        raise UndoFailed("the experiment's fault is still there", fix="maestro chaos sweep")

    def mend(self) -> bool:
        """True when it was over, or a person had ended it, before the experiment took it back itself."""
        if self._thread is None:
            return False
        is_mended = self._is_repaired or self._is_over()
        self._drilled.response.cancel()
        self._thread.join()
        put_everything_back(self._scene, self._kept["everything"])
        report = self._report
        if report is not None and report.judged.exit_code is ExitCode.UNDO_FAILED:
            why = "; ".join((*report.findings.undo_failures, *report.findings.residue))
            raise UndoFailed("something of the experiment is still there", why=why, fix="maestro chaos sweep")
        if isinstance(self._error, UndoFailed):
            raise self._error
        return is_mended

    def let_go(self) -> None:
        """Its run takes back what is its own."""
        self._drilled.response.cancel()
        if self._thread is not None:
            self._thread.join()

    @property
    def put_back(self) -> str:
        """Of each fault whether it was taken back, and whether its recovery is proved."""
        if self._report is None:
            return "nothing was put in" if self._put is None else super().put_back
        found = self._report.findings
        known = {one.name: one for one in found.recoveries}
        told = []
        for fault in found.injections:
            proof = known.get(fault.name)
            if proof is None:
                told.append(f"{fault.name} was taken back; nobody looked whether all is as before")
            elif proof.seconds is None:
                told.append(f"{fault.name} was taken back; not proved to be over: {proof.why}")
            else:
                after = format_duration(proof.seconds)
                told.append(f"{fault.name} was taken back, and over after {after}: {proof.why}")
        return "; ".join(told) or "nothing was put in"

    def truth(self, *, is_mended: bool) -> Truth:
        if self._put is None or self._report is None:
            why = "" if self._error is None else self._error.what
            raise NoData("nobody recorded how the experiment ended", why=why)
        fault, judged = self._put.fault, self._report.judged
        ref = fault.targets[0].ref
        subject = subject_of(ref)
        reason = judged.reasons[0].what if judged.reasons else ""
        end = ExperimentEnd(
            self._report.run, self._asked.file.name, judged.verdict.value, int(judged.exit_code), reason
        )
        return Truth(
            self._put.since,
            subject,
            f"{fault.order.fault} of {subject}: {fault.order.name}",
            is_mended,
            fix_target=self._fix_target(ref),
            experiment=end,
        )

    def _fix_target(self, ref: ObjectRef) -> str:
        """What the right change is made to; "": the workload."""
        if ref.kind == "Node":
            return f"node/{ref.name}"
        return str(ref) if ref.kind == "ConfigMap" else ""

    def _await_guard(self) -> None:
        """Until nothing is unknown to the guard any more; what it forbids, it forbids now."""
        from maestro_cli.chaos.guard import refusal

        until = self._scene.clock.monotonic() + GUARD_SECONDS
        while True:
            proposal, answers = self._experiments.plan(self._asked.file, self._asked.seed)
            error = refusal(answers)
            if error is None:
                self._require_truth(proposal)
                return
            if not _is_untold(answers) or self._scene.clock.monotonic() >= until:
                raise NothingDone(error)
            self._progress.update(f"the guard cannot tell yet: {error.what}")
            self._waiting.pause(GUARD_POLL_SECONDS)

    def _require_truth(self, proposal: Proposal) -> None:
        """Raises NothingDone where what would be met is not of the kind that is said to be the cause."""
        kind = _SUBJECTS.get(self._asked.cause or "")
        for target in (one for chosen in proposal.chosen for one in chosen.targets):
            if kind not in (None, target.ref.kind):
                what = (
                    f"the drill's true cause is a {self._asked.cause}, and its experiment meets {target.ref}"
                )
                raise NothingDone(GateNotMet(what, fix="true_cause, in the extension of the experiment"))

    def _run(self) -> None:
        try:
            self._report = self._experiments.run(
                self._asked.file, self._asked.seed, self._drilled, agreed=self._asked.agreed,
                progress=_Samples(self._progress),
            )  # fmt: skip
        except MaestroError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - whoever waits for it must hear of it
            self._error = ActionFailed(defect(error))
        if self.why_ended and not self._drilled.response.is_set:
            self._waiting.cancel()

    def _is_effective(self) -> bool:
        self._put = self._experiments.put_in(self._drilled.run)
        return self._put is not None and self._put.is_effective

    def _is_ended(self) -> bool:
        put = self._experiments.put_in(self._drilled.run)
        return put is not None and bool(put.undone_by)

    def _is_over(self) -> bool:
        """Whether it is, though nobody took it back; what cannot be told is not."""
        put = self._experiments.put_in(self._drilled.run)
        if put is None or put.undone_by:
            return False
        try:
            return self._experiments.is_over(put.fault)
        except MaestroError:
            return False

    def _why_not(self) -> Exception:
        """Why it is not there, once its run is over."""
        nothing = self._put is None
        if self._report is None:
            error = self._error or ActionFailed("the experiment broke off")
            return NothingDone(error) if nothing else error
        stop, judged = self._report.findings.stop, self._report.judged
        if stop is not None and stop.kind in _INTERRUPTED:
            return Interrupted(terminated=stop.kind is Kind.SIGTERM)
        why = "; ".join(one.what for one in judged.reasons[:3])
        what = (
            f"the experiment put in nothing that could be noticed: its run ended with {int(judged.exit_code)}"
        )
        fix = f"maestro chaos report {self._report.run}"
        made = GateNotMet if judged.exit_code is ExitCode.GATE_NOT_MET else ActionFailed
        return NothingDone(made(what, why=why, fix=fix)) if nothing else made(what, why=why, fix=fix)


def subject_of(ref: ObjectRef) -> str:
    """As suspects name it."""
    return (
        f"{ref.kind.lower()} {ref.namespace}/{ref.name}"
        if ref.namespace
        else f"{ref.kind.lower()} {ref.name}"
    )


def _is_untold(answers: Sequence[Answer]) -> bool:
    """Whether all that speaks against it is that something is not known."""
    from maestro_cli.chaos.guard.check import Allows

    return all(one.allows is Allows.UNKNOWN for one in answers if one.allows is not Allows.YES)


def sweep_run(scene: Scene, left: Mapping[str, Any]) -> bool:
    """Take back what the run of a killed drill left, and put everything back. Raises UndoFailed."""
    residue = scene.ensemble.experiments.sweep(left["run"])
    if residue:
        raise UndoFailed("; ".join(residue), fix="maestro chaos sweep")
    return put_everything_back(scene, left["everything"])


FAMILY = Family(ExperimentDefect, "experiment", sweep_run)
