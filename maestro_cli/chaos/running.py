"""Runs an experiment: plan, guard, inject in its method, watch, take back, prove, judge.

Invariant: what the guard refuses was not begun. Whatever ends a run early, its faults are taken back first,
from here, and the child is told after that; it ends in any case. The verdict is written with the journal.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.burned import measure_burned
from maestro_cli.chaos.child import Child
from maestro_cli.chaos.drilled import Drilled
from maestro_cli.chaos.findings import LOG, keep, maestro_part, unbegun, unkept
from maestro_cli.chaos.guard import at_the_last, examine, refusal
from maestro_cli.chaos.guard.check import Answer, Proposal
from maestro_cli.chaos.heard import Heard
from maestro_cli.chaos.history import asked_of
from maestro_cli.chaos.injecting import Injecting
from maestro_cli.chaos.keeping import Keeper
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.looks import Looks
from maestro_cli.chaos.measuring import Measuring
from maestro_cli.chaos.model import Experiment, Findings, Guarded, Kind, Stop, Tolerated
from maestro_cli.chaos.planning import Planner, proposal_digest
from maestro_cli.chaos.ports import Platform, Surroundings
from maestro_cli.chaos.regions.drill import RegionDrill
from maestro_cli.chaos.requests import Requests
from maestro_cli.chaos.secrecy import Discreet, Secrecy
from maestro_cli.chaos.verdict import Judged, judge, steady_of
from maestro_cli.chaos.watch import Watch
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import (
    Busy,
    CannotRecord,
    InvalidFile,
    MaestroError,
    StalePlan,
)
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.journal.store import Journal

TICK_SECONDS = 0.1
STOP_SECONDS = 20.0  # for the child to roll back after it was told to stop
SPARE_SECONDS = 600.0  # beyond what an experiment declares, for its gate, rollbacks and proofs
_QUIET = Quiet()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run that is asked for; `variables` and `secrets` as Chaos Toolkit's `--var` and `--var-file`."""

    experiment: Experiment
    seed: int
    consent: Consent
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: float | None = None
    agreed: str = ""  # the digest of the proposal that a person was shown
    drilled: Drilled | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended. `journal` is the Chaos Toolkit journal with maestro's findings, kept in `folder`."""

    run: str
    proposal: Proposal
    judged: Judged
    findings: Findings
    journal: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True, slots=True)
class Means:
    """What runs are made with; `clean` takes the context's secrets out of what is written, `folders` are
    where runs are. `environment`: of the child of a run in that folder, whose own actions may ask a cluster.
    """

    journal: Journal
    platform: Platform
    pipeline: ChangePipeline
    surroundings: Surroundings
    clock: Clock
    actor: str
    folders: Path
    clean: Callable[[Any], Any] = lambda value: value
    environment: Callable[[Path], AbstractContextManager[Mapping[str, str]]] = lambda _: nullcontext(
        os.environ
    )


def propose(means: Means, wanted: Wanted) -> tuple[Proposal, tuple[Answer, ...]]:
    """What would be done, and what the guard says to it; does nothing."""
    planner = Planner(means.platform, means.pipeline, means.clock)
    proposal = planner.propose(wanted.experiment, wanted.seed, wanted.consent)
    return proposal, examine(proposal, means.surroundings)


def run(
    means: Means, wanted: Wanted, *, progress: Progress = _QUIET, cancellation: Cancellation | None = None
) -> RunReport:
    """Run it to its end; how it ended is in the report, and raised by nobody.

    Raises what the guard refuses with (nothing was begun), InvalidFile where Chaos Toolkit refuses the file.
    """
    cancellation = cancellation or Cancellation()
    run_id = wanted.drilled.run if wanted.drilled else new_id("exp", means.clock.now())
    secrecy = Secrecy(wanted.experiment.document, wanted.secrets, means.clean)
    ledger = ExperimentLedger(means.journal, run_id, means.actor, secrecy.words)
    progress = Discreet(progress, secrecy.clean)
    progress.phase("guard", wanted.experiment.title)
    proposal, answers = propose(means, wanted)
    error = refusal(answers)
    if error is None and wanted.agreed and wanted.agreed != proposal_digest(proposal):
        error = StalePlan(
            "what would be hurt changed since you agreed", why="nothing was injected", fix="again"
        )
    if error is not None:
        with suppress(CannotRecord, Busy):  # what it was refused for is what is told
            ledger.refused(proposal, answers, error)
        raise error
    for one in answers:
        if one.is_warning:
            progress.note(f"{one.check}: {one.reason}")
    try:
        keeper = Keeper(means.journal, run_id)
    except CannotRecord as unwritable:
        raise unbegun(unwritable) from unwritable
    cancellation.is_patient = True  # it ends in bounded time, and what it put in must not stay
    try:
        return _Run(means, wanted, proposal, ledger, progress, cancellation, keeper, secrecy).to_its_end()
    finally:
        cancellation.is_patient = False
        keeper.release()


class _Run:
    """One run, from a proposal that was let through."""

    def __init__(
        self,
        means: Means,
        wanted: Wanted,
        proposal: Proposal,
        ledger: ExperimentLedger,
        progress: Progress,
        cancellation: Cancellation,
        keeper: Keeper,
        secrecy: Secrecy,
    ) -> None:
        self._means, self._wanted, self._proposal, self._ledger = means, wanted, proposal, ledger
        self._progress, self._cancellation, self._keeper = progress, cancellation, keeper
        self._secrecy = secrecy
        self._experiment = wanted.experiment
        self._guarded = wanted.experiment.guarded or Guarded()
        self._folder = means.folders / ledger.run
        self._looks = Looks()
        self._injecting = Injecting(
            proposal, means.pipeline, means.platform, ledger, means.clock, wanted.consent, self._refused,
            wanted.drilled, self._looks,
        )  # fmt: skip
        self._regions = RegionDrill(self._guarded, self._injecting, means.platform, means.clock, ledger.run)
        self._measuring = Measuring(proposal, means.surroundings.value, means.clock)
        self._heard = Heard(self._experiment.document)
        objectives = [
            means.platform.objectives[name]
            for name in self._guarded.objectives
            if means.platform.objectives[name].is_of_metrics
        ]
        asked = means.surroundings
        self._watch = Watch(
            self._guarded, objectives, asked.value, means.clock, elsewhere=asked.value_elsewhere
        )
        self._requests = Requests(
            means.platform, asked.value, self._injecting, self._regions, self._heard, self._undo, self._put_in
        )
        self._stopped: Stop | None = None
        self._kill_at = float("inf")

    def to_its_end(self) -> RunReport:
        with ExitStack() as kept:
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                environment = kept.enter_context(self._environment())
                self._ledger.started(self._proposal, str(self._folder), self._regions.declared)
            except (CannotRecord, OSError) as error:
                raise unbegun(error) from error
            journal, worker = self._perform(environment)
        self._see(self._recovered)
        return self._finished(journal, worker)

    def _environment(self) -> AbstractContextManager[Mapping[str, str]]:
        """What asks maestro alone needs none of its own."""
        is_own = bool(self._experiment.unbound)
        return self._means.environment(self._folder) if is_own else nullcontext(os.environ)

    def _perform(self, environment: Mapping[str, str]) -> tuple[Mapping[str, Any] | None, str]:
        """The journal of the child, None where it gave none, and how it ended; everything is taken back."""
        order = {
            "experiment": self._experiment.document,
            "configuration": dict(self._wanted.variables),
            "secrets": dict(self._wanted.secrets),
            "folder": str(Path(self._experiment.file).resolve().parent),
            "every_seconds": self._guarded.tolerated.every_seconds,
        }
        self._progress.phase("experiment", self._experiment.title)
        child = Child(
            order, self._hear, self._requests.answer, log=self._folder / LOG, environment=environment
        )
        try:
            self._attend(child)
        finally:
            child.kill()
            worker = child.ended()
            self._looks.end()
            self._watch.end()
            self._injecting.stop()
            self._regions.end()
            self._see(lambda: self._take_back("", "the end of the run")).result()
        return child.journal, worker

    def _attend(self, child: Child) -> None:
        """Until the child is over, with whatever has to end it earlier."""
        clock = self._means.clock
        deadline = clock.monotonic() + (self._wanted.timeout_seconds or self._longest())
        is_heard, drilled = True, self._wanted.drilled
        while not child.over.wait(TICK_SECONDS):
            if drilled is not None and drilled.response.is_set:
                drilled = None
                self._apart("", "the end of the response")
            for name in self._injecting.overdue():
                self._apart(name, "the end of its duration")
            if is_heard and child.unheard:  # it ends by itself; its faults do not wait for that
                is_heard = False
                self._injecting.stop()
                self._apart("", "its process cannot be understood")
            if self._stopped is None:
                stop = self._reason(deadline)
                if stop is not None:
                    self._end(child, stop)
            elif clock.monotonic() >= self._kill_at:
                child.kill()
            elif self._cancellation.times > 1:
                self._injecting.hurry()

    def _refused(self, fault: str) -> MaestroError | None:
        """What came about since the plan, and forbids to put in such a fault."""
        now = replace(self._proposal, at=self._means.clock.now())
        return refusal(examine(now, self._means.surroundings, at_the_last(fault)))

    def _longest(self) -> float:
        return 2 * (self._guarded.duration_seconds or 0.0) + self._guarded.recovery_seconds + SPARE_SECONDS

    def _reason(self, deadline: float) -> Stop | None:
        """Why it has to end now."""
        self._watch.notice_silence()
        stop = self._asked() or self._watch.stop
        if stop is None and self._means.clock.monotonic() >= deadline:
            return Stop(Kind.DEADLINE, "it took too long")
        return stop

    def _asked(self) -> Stop | None:
        """Whether somebody wants it to end."""
        if self._cancellation.is_set:
            kind = Kind.SIGTERM if self._cancellation.terminated else Kind.SIGINT
            return Stop(kind, "a signal", self._means.actor)
        if self._keeper.is_lost:
            return Stop(Kind.ASKED, "another process took over what this one was at")
        asked = ""
        with suppress(MaestroError):  # a journal that cannot be asked now is asked again
            asked = asked_of(self._means.journal, self._ledger.run)
        return Stop(Kind.ASKED, asked) if asked else None

    def _end(self, child: Child, stop: Stop) -> None:
        """Its faults in a thread, for neither they nor the child's rollbacks wait for one another."""
        self._stopped = stop
        self._kill_at = self._means.clock.monotonic() + STOP_SECONDS
        child.stop()  # only a signal: what it waits for here must not end it another way before
        self._looks.end()
        self._measuring.end()
        self._injecting.stop()
        self._apart("", stop.kind.value)
        self._ledger.stopping(stop)
        self._progress.note(f"stopping: {stop.kind.value}: {stop.why}")

    def _apart(self, name: str, by: str) -> None:
        threading.Thread(target=self._take_back, args=(name, by), daemon=True, name="undo").start()

    def _take_back(self, name: str, by: str) -> None:
        """One, or all (""). What failed is kept by the injecting, and told in the end."""
        with suppress(MaestroError):
            self._undo(name, by)

    def _undo(self, fault: str, by: str) -> Mapping[str, Any]:
        self._measuring.end()
        self._regions.settle()
        try:
            return self._injecting.undo(fault, by)
        finally:
            if not self._injecting.in_force:
                self._watch.taken_back()

    def _put_in(self) -> None:
        self._measuring.begin()
        self._watch.in_force()

    def _hear(self, event: Mapping[str, Any]) -> None:
        name = event.get("event")
        if name == "secrets":
            self._secrecy.learn(event["values"])
            return
        self._heard.hear(event)
        self._looks.hear(event, self._means.clock.monotonic())
        if name == "steady":
            seen = steady_of(event["state"])
            told = filter(None, (f"steady state {event['phase']}: {seen.value}", self._measuring.so_far))
            self._progress.update("; ".join(told))
            if event["phase"] == "during":
                self._watch.steady(seen)
        elif name == "method":
            self._watch.begin(event.get("look_seconds"))
        elif name in ("method-over", "rollbacks"):
            self._measuring.end()
            self._watch.end()
        elif name == "activity-begun":
            self._progress.phase(str(event["phase"]), str(event["name"]))

    def _see(self, work: Callable[[], None]) -> Future[None]:
        """To its end: what is taken back, and every recovery. Whoever wants it to end since hurries it.

        What the watch finds now, of a look that was under way, does not: how it recovers stays worth knowing.
        """
        heeded = self._stopped
        with DaemonPool(1, "end") as pool:
            working = pool.submit(work)
            while not wait([working], TICK_SECONDS).done:
                asked = self._asked()
                if asked is not None and asked != heeded:
                    heeded = asked
                    self._injecting.hurry()
                    if self._stopped is None:
                        self._stopped = asked
                        self._ledger.stopping(asked)
                if self._cancellation.times > 1:
                    self._injecting.hurry()
        return working

    def _recovered(self) -> None:
        with suppress(MaestroError):  # what did not recover is among the recoveries
            self._injecting.recovered("")

    def _finished(self, journal: Mapping[str, Any] | None, worker: str) -> RunReport:
        watched = self._watch.concluded() if self._stopped is None else ()
        stop = self._stopped or self._watch.stop  # found when it was over already
        found = Findings(
            stop=stop,
            injections=tuple(self._injecting.injections.values()),
            recoveries=tuple(self._injecting.recoveries.values()),
            undo_failures=tuple(f"{name}: {why}" for name, why in self._injecting.failures.items()),
            residue=self._injecting.residue(),
            worker=worker or self._heard.escaped,
            tolerated=self._guarded.tolerated if self._experiment.guarded else Tolerated(),
            arms=self._measuring.comparison(),
            watched=watched,
            declared=tuple(one.name for one in self._guarded.faults),
            failover=self._regions.failed_over,
            burned=measure_burned(self._proposal, self._means, lambda: self._cancellation.is_set),
        )
        findings = self._secrecy.words(found)
        whole = self._heard.whole(journal)
        judged = judge(self._secrecy.words(whole), findings)
        ours = maestro_part(self._ledger.run, self._proposal, judged, findings)
        try:
            kept = keep(self._folder, whole, ours, self._secrecy)
            self._regions.record(self._means.journal, self._means.actor)  # first: a sweep looks for it
            self._ledger.finished(judged, findings)
        except (CannotRecord, Busy, OSError) as error:
            raise unkept(self._ledger.run, judged, findings, error) from error
        if self._heard.invalid:
            raise InvalidFile(
                "is refused by Chaos Toolkit",
                file=self._experiment.file,
                why=self._secrecy.clean(self._heard.invalid),
            )
        return RunReport(self._ledger.run, self._proposal, judged, findings, kept, self._folder)
