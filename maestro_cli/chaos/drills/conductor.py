"""Runs a drill from a healthy baseline to its score.

Invariant: what must be undone is in the journal before the defect is shipped, and is undone however
the drill ends; but what the cluster refused was not shipped, and what is there then is left alone. The
truth is written only with the score. One drill at a time: who has the lease alone says of another that it is
over. A drill that lost it stops, takes back what nobody took back for it, and leaves the rest to who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.act import Act, OpenAct, Setting
from maestro_cli.chaos.drills.baseline import Measuring, await_baselines
from maestro_cli.chaos.drills.defects import clear
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.history import REFUSED
from maestro_cli.chaos.drills.model import Outcome, Scenario, Scorecard
from maestro_cli.chaos.drills.ports import Ensemble, Stage
from maestro_cli.chaos.drills.scorecard import Performance, score
from maestro_cli.chaos.keeping import Keeper
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import Clock, from_rfc3339, seconds_between
from maestro_cli.core.errors import (
    Busy,
    CannotRecord,
    ExitCode,
    GateNotMet,
    Interrupted,
    MaestroError,
    NotFound,
    NotKept,
    TimedOut,
)
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import WorkloadRef, parse_workload_ref
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import Answer, Confirm, Question
from maestro_cli.runbooks.questions import read_answer
from maestro_cli.slo.objectives import Objective

DRILLS = "drills"  # the lease: one drill at a time in a context
GONE = "the end of what it was left on"
ECHO_SECONDS = 120.0  # an alert over the longest window of the drill profile outlives its cause by a minute


def unfinished(journal: Journal) -> tuple[Event, ...]:
    """The intents of drills whose defect may still be there: running ones, and ones that were killed."""
    events = journal.events(subject="drill/", kinds=("drill.intended", "drill.undone"))
    done = {event.subject for event in events if event.kind == "drill.undone"}
    return tuple(event for event in events if event.kind == "drill.intended" and event.subject not in done)


def is_drilling(journal: Journal, now: datetime) -> bool:
    """Whether what fires now may come from a drill: one runs, or its defect was undone a moment ago."""
    if unfinished(journal):
        return True
    undone = journal.events(subject="drill/", kinds=("drill.undone",))
    return bool(undone) and seconds_between(from_rfc3339(undone[-1].time), now) < ECHO_SECONDS


class Conductor:
    """Plays scenarios on a stage; `gather` builds the ensemble after the stage is up."""

    def __init__(
        self,
        stage: Stage,
        gather: Callable[[], Ensemble],
        objectives: Mapping[str, Objective],
        *,
        clock: Clock,
        actor: str,
    ) -> None:
        self._stage = stage
        self._gather = gather
        self._objectives = objectives
        self._clock = clock
        self._actor = actor

    def run(
        self, scenario: Scenario, *, keep: bool, progress: Progress, cancellation: Cancellation
    ) -> Scorecard:
        """Play a scenario that is known, and give its scorecard; the rest as `play`."""
        return score(self.play(OpenAct(scenario), keep=keep, progress=progress, cancellation=cancellation))

    def play(self, act: Act, *, keep: bool, progress: Progress, cancellation: Cancellation) -> Performance:
        """Start what is not up, play, score; the platform goes down unless kept or up before.

        Raises what the parts raise, and Busy while another drill is at work; whatever happens, the defect is
        undone and nothing is left behind.
        """
        started = self._clock.monotonic()
        was_up = self._stage.is_up()
        platform_seconds: float | None = None
        came_up_at: datetime | None = None
        play: _Play | None = None
        try:
            if not was_up:
                came_up_at = self._clock.now()
                self._stage.up(progress, cancellation)
                platform_seconds = self._clock.monotonic() - started
            play = _Play(self._gather(), act, self._objectives, self._clock)
            return play.run(
                self._actor, progress, cancellation, started=started, platform_seconds=platform_seconds,
                came_up_at=came_up_at,
            )  # fmt: skip
        finally:
            try:
                if not was_up and not keep and (play is None or not play.is_anothers):
                    self._stage.down(progress)
            finally:
                if play is not None:  # last: what fires until the platform is down opens none after this
                    play.dismiss()


class _Play:
    """One performance of one act."""

    def __init__(
        self, ensemble: Ensemble, act: Act, objectives: Mapping[str, Objective], clock: Clock
    ) -> None:
        self._ensemble = ensemble
        self._journal = ensemble.journal
        self._responder = ensemble.responder
        self._act = act
        places = act.sheet.places
        self._targets = tuple(place.target for place in places)
        self._counted = tuple(objectives[one.objective] if one.objective else None for one in places)
        self._clock = clock
        self._keeper: Keeper | None = None
        self._is_refused = False
        self._measured = tuple(
            Measuring(ensemble.cluster, ensemble.metrics, ensemble.responder, target, objective, clock)
            for target, objective in zip(self._targets, self._counted, strict=True)
        )

    def run(
        self,
        actor: str,
        progress: Progress,
        cancellation: Cancellation,
        *,
        started: float,
        platform_seconds: float | None,
        came_up_at: datetime | None,
    ) -> Performance:
        drill = new_id("drl", self._clock.now())
        with cancellation.child() as waiting:
            self._keeper = self._lease(drill, waiting)
            try:
                return self._perform_all(
                    drill, actor, progress, waiting, started=started, platform_seconds=platform_seconds,
                    came_up_at=came_up_at,
                )  # fmt: skip
            except Interrupted as interrupted:
                if cancellation.is_set:
                    raise
                self._require_lease(interrupted)
                raise

    def _perform_all(
        self,
        drill: str,
        actor: str,
        progress: Progress,
        cancellation: Cancellation,
        *,
        started: float,
        platform_seconds: float | None,
        came_up_at: datetime | None,
    ) -> Performance:
        subject = f"drill/{drill}"
        self._restore_leftovers(actor)
        self._require_no_incident(came_up_at)
        baselines = await_baselines(self._measured, self._clock, progress, cancellation)
        if came_up_at is not None:
            # Slow answers of servers that had just started: nothing fires any more, and nobody was hurt.
            reason = "it began while the platform came up for the drill"
            for target in self._targets:
                self._responder.dismiss_since(target, came_up_at, reason)
        scenes = tuple(self._scene(drill, target) for target in self._targets)
        settings = tuple(map(Setting, scenes, baselines))
        defect, undo = self._act.prepare(settings)
        intent = {**self._act.told(), **_places(self._targets), "undo": undo}
        self._require_lease()
        self._journal.append("drill.intended", subject, actor, intent)
        outcome, failure = self._perform(defect, subject, actor, progress, cancellation)
        is_mended = self._mend(defect, subject, actor)
        self._require_lease()
        truth = defect.truth(is_mended=is_mended)
        scenario = self._act.scenario()  # only now does anybody here know where it was
        place = self._targets.index(scenario.target)
        requests, errors = self._measured[place].totals_since(baselines[place])
        played = Performance(
            drill, scenario, self._counted[place], baselines[place], truth, outcome, requests, errors,
            self._clock.now(), self._clock.monotonic() - started, platform_seconds, failure,
        )  # fmt: skip
        card = score(played)
        result = {"passed": card.passed, "misses": list(card.misses)}
        scored = {"incident": outcome.incident, "scorecard": plain(card), **result}
        found = ExitCode.CONDITION_NOT_MET if card.passed is False else ExitCode.OK
        self._tell_end("scored", subject, actor, scored, defect, found)
        if outcome.resolved_at is not None:
            self._responder.close(outcome.incident, "the drill is over")
        return played

    def _lease(self, drill: str, waiting: Cancellation) -> Keeper:
        """Raises Busy while another drill is at work, and GateNotMet where nothing can be written down."""
        try:
            return Keeper(self._journal, drill, DRILLS, waiting.cancel)
        except Busy:
            self._is_refused = True
            raise
        except CannotRecord as error:
            raise GateNotMet(
                "the drill cannot be written down; nothing was broken", why=error.why, fix="make room"
            ) from error

    @property
    def is_anothers(self) -> bool:
        """Whether another drill is at work, or took over: what is there is that one's."""
        return self._is_refused or (self._keeper is not None and self._keeper.is_lost)

    def _require_lease(self, cause: BaseException | None = None) -> None:
        """Raises Busy where another process took over: what would be measured is not this drill's alone."""
        if self._keeper is not None and self._keeper.is_lost:
            raise Busy(
                "the drill was stopped: another process took over its lease",
                why="this one was not heard of for too long, and what it broke was taken back",
                fix="maestro drill list, and begin it again once the other one is over",
            ) from cause

    def dismiss(self) -> None:
        """Dismiss what the drill left open, because it failed or was stopped, and let the next one begin."""
        if self._keeper is None or self._keeper.is_lost:
            return
        try:
            with suppress(CannotRecord, Busy):  # the next drill does so
                for target in self._targets:
                    self._responder.dismiss_drills(target, "the drill is over")
        finally:
            self._keeper.release()

    def _scene(self, drill: str, target: WorkloadRef) -> Scene:
        return Scene(self._ensemble, target, drill, self._clock)

    def _perform(
        self, defect: Defect, subject: str, actor: str, progress: Progress, cancellation: Cancellation
    ) -> tuple[Outcome, str]:
        """Break it and have it responded to; whatever ends that early, it is mended."""
        progress.phase(*defect.phase)
        since = self._clock.now()
        try:
            with cancellation.child() as waiting:
                defect.attend(waiting, progress)
                defect.inject()
                confirm = self._in_a_persons_place(subject, actor)
                return self._respond(since, confirm, progress, waiting, lambda: defect.why_ended)
        except NothingDone as refused:  # what is there now is somebody else's
            self._journal.append("drill.undone", subject, actor, {"by": REFUSED})
            raise refused.error from refused
        except BaseException:
            try:
                self._mend(defect, subject, actor)
                progress.note(defect.put_back)
            except NotKept as untold:  # what ended it is what is raised
                progress.note(f"{untold.what}: {untold.why}")
            raise

    def _mend(self, defect: Defect, subject: str, actor: str) -> bool:
        """Take the defect away if it is there; True when the responders had done so."""
        if self._is_taken_back(subject):
            defect.let_go()
            return False
        is_mended = defect.mend()
        by = "the responders" if is_mended else "the drill"
        self._tell_end("undone", subject, actor, {"by": by}, defect)
        return is_mended

    def _tell_end(
        self, name: str, subject: str, actor: str, data: Mapping[str, Any], defect: Defect,
        found: ExitCode = ExitCode.OK,
    ) -> None:  # fmt: skip
        """Raises NotKept, once what was broken is put back: a score without a record is none."""
        try:
            self._journal.append(f"drill.{name}", subject, actor, data)
        except (CannotRecord, Busy) as error:
            why = f"{error.why or error.what}; {defect.put_back}"
            fix = "make room, then: maestro chaos sweep"
            raise NotKept(
                "the drill is over, and its end cannot be written down", found=found, why=why, fix=fix
            ) from error

    def _is_taken_back(self, subject: str) -> bool:
        """Whether who took over did so: what is there now may be theirs."""
        left = {event.subject for event in unfinished(self._journal)}
        return self._keeper is not None and self._keeper.is_lost and subject not in left

    def _in_a_persons_place(self, subject: str, actor: str) -> Confirm:
        """Answers what the act has an answer for, and records that the drill did."""

        def confirm(question: Question) -> Answer | None:
            said = self._act.answer(question.path)
            if said is None:
                return None
            told = {"run": question.run_id, "step": question.path, "answer": said}
            self._journal.append("drill.answered", subject, actor, {**told, "by": "the drill, for a person"})
            return read_answer(question, said)

        return confirm

    def _respond(
        self,
        injected_at: datetime,
        confirm: Confirm,
        progress: Progress,
        cancellation: Cancellation,
        why_ended: Callable[[], str],
    ) -> tuple[Outcome, str]:
        """What the responders came to, and why they got no further; only an interrupt ends the drill."""
        progress.phase("detect", "waiting for an alert to become an incident")
        sheet, incident = self._act.sheet, ""
        try:
            incident = self._responder.await_incident(
                self._targets,
                sheet.alert,
                since=injected_at,
                timeout_seconds=sheet.patience_seconds,
                cancellation=cancellation,
            )
            self._responder.respond(incident, confirm=confirm, progress=progress, cancellation=cancellation)
        except Interrupted:
            why = why_ended()
            if not why:
                raise
            progress.note(why)
            return (self._responder.outcome(incident) if incident else Outcome()), why
        except MaestroError as error:
            if isinstance(error, TimedOut) and not (sheet.alert or incident):
                return Outcome(), ""
            progress.note(f"{error.what}: {error.why}" if error.why else error.what)
            return (self._responder.outcome(incident) if incident else Outcome()), error.what
        return self._responder.outcome(incident), ""

    def _restore_leftovers(self, actor: str) -> None:
        """Undo what earlier drills that were killed left on these workloads.

        What was left on a workload that is gone now is nobody's any more; where it is there, the next drill
        on it undoes it.
        """
        for event in unfinished(self._journal):
            places = told_places(event.data)
            ours = [target for target in self._targets if str(target) in places]
            by = "the next drill"
            if ours:
                clear(event.data["undo"], self._scene(event.subject.removeprefix("drill/"), ours[0]))
            elif all(map(self._is_gone, places)):
                by = GONE
            else:
                continue
            self._journal.append("drill.undone", event.subject, actor, {"by": by})
        for target in self._targets:
            self._responder.dismiss_drills(target, "left open by a drill that was killed")

    def _is_gone(self, place: str) -> bool:
        try:
            self._ensemble.cluster.get_workload(parse_workload_ref(place))
        except NotFound:
            return True
        return False

    def _require_no_incident(self, came_up_at: datetime | None) -> None:
        """A drill on top of a real incident would hide it; what the platform's own start opened is none."""
        for target in self._targets:
            if found := self._responder.open_incidents(target, before=came_up_at):
                raise GateNotMet(
                    f"{', '.join(found)} is open on {target}",
                    why="a drill on top of an incident would hide it",
                    fix="maestro --context local incident list, then resolve it",
                )


def _places(targets: Sequence[WorkloadRef]) -> dict[str, Any]:
    """What the journal says of where it may happen; of one place, by its name alone."""
    words = [str(target) for target in targets]
    return {"target": words[0]} if len(words) == 1 else {"targets": words}


def told_places(intent: Mapping[str, Any]) -> Sequence[str]:
    """Where it may have happened, by what the journal says of it."""
    return intent["targets"] if "targets" in intent else (intent["target"],)
