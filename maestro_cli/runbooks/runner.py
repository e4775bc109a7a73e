"""Starting and resuming runs.

Invariant: a key names one run for ever; what a run has recorded is never done again; the file it was
started with is pinned by digest, and another one is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import Busy, ExitCode, NotFound, PolicyRefused, StalePlan, UsageError
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.runbooks.execution import Execution
from maestro_cli.runbooks.history import (
    RunHistory,
    find_key,
    fingerprints_of,
    read_answers,
    read_cause,
    read_run,
    started_since,
)
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import (
    Confirm,
    Ending,
    Runbook,
    RunRecord,
    RunResult,
    Runs,
    RunStatus,
    Step,
    StepOutcome,
    nobody,
)
from maestro_cli.runbooks.parameters import knowing, refuse_secrets, resolve_parameters
from maestro_cli.runbooks.pinned import fingerprint, pinned, rebased
from maestro_cli.runbooks.planning import Planner, RunPlan
from maestro_cli.runbooks.ports import ChangePort, ChangeRehearsal, MetricsPort, SystemsPort
from maestro_cli.runbooks.prose import walkable
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.runbooks.session import Session, Told
from maestro_cli.runbooks.substitution import into_name
from maestro_cli.runbooks.surroundings import Surroundings

MAX_DEPTH = 5  # runbooks in one another


@dataclass(frozen=True, slots=True)
class PlaybookLimit:
    """The playbook a run is started for, and how many times in an hour it may start its first one.

    None for a run that goes on with what has started, or follows its failure.
    """

    playbook: str
    max_runs_per_hour: int | None


class RunbookRunner:
    """Runs runbooks durably; the journal must have RunsProjection among its projections."""

    def __init__(
        self,
        journal: Journal,
        *,
        metrics: MetricsPort,
        changes: ChangePort,
        systems: SystemsPort,
        clock: Clock,
        actor: str,
        redactor: Redactor,
        environment: Mapping[str, str] | None = None,
        stand_in: Callable[[Step], StepOutcome] | None = None,
        told: Told | None = None,
        defaults: Mapping[str, str] | None = None,
        why_held: Callable[[], str] = lambda: "",
    ) -> None:
        """`stand_in` takes the place of every step: a rehearsal. `told` hears of each event of a run.

        `why_held` says why nothing may be altered now, or "": a run is paused before the step that would.

        `defaults` are the context's values of parameters, for the runbooks that steps run.
        """
        self._defaults = dict(defaults or {})
        self._journal, self._metrics, self._changes = journal, metrics, changes
        self._systems, self._stand_in, self._told = systems, stand_in, told
        self._why_held = why_held
        self._clock, self._actor = clock, actor
        self._environment = dict(os.environ if environment is None else environment)
        self._redactor = knowing(redactor, self._environment)
        self.history = RunHistory(journal)
        self._chain: tuple[str, ...] = ()  # the files of the runs that this one is a step of
        self._shared: frozenset[str] = frozenset()  # the locks that they hold

    def start(
        self,
        runbook: Runbook,
        parameters: Mapping[str, str],
        *,
        incident: str | None = None,
        key: str | None = None,
        limit: PlaybookLimit | None = None,
        progress: Progress | None = None,
        cancellation: Cancellation | None = None,
        confirm: Confirm = nobody,
    ) -> RunResult:
        """Start a run, or go on with the one that has this key, and work on it until it can go no further.

        Raises UsageError for parameters that do not fit or a runbook without steps, Busy when the run or
        its lock is held, PolicyRefused when the playbook has started too many, StalePlan when the run of
        this key is of another runbook.
        """
        around = self._around(progress, cancellation, confirm, {})
        known = find_key(self._journal, key) if key else None
        if known is not None:
            return self._known(known, runbook, around)
        values = resolve_parameters(runbook, given=parameters, defaults=self._defaults)
        refuse_secrets(values, self._redactor)
        runbook = walkable(runbook)
        if not runbook.steps:
            raise UsageError(f"{runbook.id} has no steps to run", why="it is empty", fix="write what to do")
        run_id = new_id("run", self._clock.now())
        session = self._session(run_id, runbook, values)
        with session.held():
            data = _opening(runbook, values, incident or "", key or "", limit)
            opened = session.write(
                lambda transaction: self._open(transaction, session, data, limit), "run.started"
            )
            if opened == run_id:
                return self._work(session, runbook, around)
        session.forget()  # another process started the run with this key a moment ago
        return self._known(opened, runbook, around)

    def _known(self, run_id: str, runbook: Runbook, around: Surroundings) -> RunResult:
        """Go on with the run that has the key, unless another runbook was meant."""
        run = self.history.get(run_id)
        is_elsewhere = run.file != str(Path(runbook.file).resolve()) and run.digest != runbook.digest
        if run.runbook != runbook.id or is_elsewhere:
            raise StalePlan(
                f"run {run_id} is of {run.runbook}, and {runbook.id} was to be run in its place",
                why="what starts it was changed since",
                fix=f"restore that, or see what was done: maestro runbook history {run_id}",
            )
        return self._continue(run_id, around, lifted=False)

    def plan(
        self,
        runbook: Runbook,
        parameters: Mapping[str, str],
        changes: ChangeRehearsal,
        *,
        progress: Progress | None = None,
        cancellation: Cancellation | None = None,
    ) -> RunPlan:
        """What a run would do; raises UsageError for parameters that do not fit."""
        values = resolve_parameters(runbook, given=parameters)
        around = self._around(progress, cancellation, nobody, {})
        return Planner(walkable(runbook), values, around, changes).plan()

    def _open(
        self, transaction: Transaction, session: Session, data: Mapping[str, Any], limit: PlaybookLimit | None
    ) -> str:
        """Record the start, and answer the run's id; that of another run when the key is taken."""
        if data["key"]:
            known = find_key(transaction, data["key"])
            if known is not None:
                return known
        if limit is not None and limit.max_runs_per_hour is not None:
            since = self._clock.now() - timedelta(hours=1)
            count = started_since(transaction, limit.playbook, since)
            if count >= limit.max_runs_per_hour:
                raise PolicyRefused(
                    f"playbook {limit.playbook} has run as often as it may within the hour",
                    why=f"its runs are {count}, and its policy allows {limit.max_runs_per_hour}",
                    fix="run the runbook by hand if it is really needed",
                )
        session.put(transaction, "run.started", data)
        return session.run_id

    def resume(
        self,
        run_id: str,
        *,
        decisions: Mapping[str, str] | None = None,
        lifted: bool = False,
        rebase: bool = False,
        progress: Progress | None = None,
        cancellation: Cancellation | None = None,
        confirm: Confirm = nobody,
    ) -> RunResult:
        """Go on with a run that waits, was interrupted, was cancelled or is unknown; a finished one is
        only read, and so is one that people paused or cancelled, unless it is `lifted`.

        `decisions` maps a step that is unknown to `done` or `redo`, on a person's word. Raises NotFound,
        StalePlan when the file changed (with `rebase`, only when a step that has started did), Busy when
        somebody works on it, UsageError for a decision about a step that is not unknown.
        """
        for path, word in (decisions or {}).items():
            if word not in ("done", "redo"):
                raise UsageError(f"{word!r} decides nothing about {path}", fix="say done or redo")
        around = self._around(progress, cancellation, confirm, decisions or {})
        return self._continue(run_id, around, lifted=lifted, rebase=rebase)

    def _around(
        self,
        progress: Progress | None,
        cancellation: Cancellation | None,
        confirm: Confirm,
        decisions: Mapping[str, str],
    ) -> Surroundings:
        return Surroundings(
            self._metrics,
            self._changes,
            self._systems,
            no_runs,
            self._clock,
            self._redactor,
            self._environment,
            progress or Quiet(),
            cancellation or Cancellation(),
            confirm,
            decisions,
            self._stand_in,
            self._why_held,
        )

    def _session(self, run_id: str, runbook: Runbook, values: Mapping[str, str]) -> Session:
        lock = into_name(runbook.lock, values) if runbook.lock else ""
        return Session(self._journal, run_id, self._actor, lock, self._told, self._shared)

    def _within(self, session: Session, runbook: Runbook, run: RunRecord, around: Surroundings) -> Runs:
        """How a step of this run runs another runbook."""
        path = Path(runbook.file).resolve()

        def start(name: str, values: Mapping[str, str], key: str) -> RunResult:
            inner = read_runbook(path.with_name(f"{name}.md"))
            chain = (*self._chain, str(path))
            if str(Path(inner.file).resolve()) in chain:
                raise UsageError(f"{name} would run itself", why=" → ".join(map(_stem, (*chain, inner.file))))
            if len(chain) >= MAX_DEPTH:
                raise UsageError(f"{name} would be the runbook number {len(chain) + 1} in one another")
            runner = copy(self)
            runner._chain, runner._shared = chain, session.locks
            return runner.start(
                inner,
                values,
                incident=run.incident or None,
                key=key,
                progress=around.progress,
                cancellation=around.cancellation,
                confirm=around.confirm,
            )

        return start

    def _continue(
        self, run_id: str, around: Surroundings, *, lifted: bool, rebase: bool = False
    ) -> RunResult:
        run = self.history.get(run_id)
        if run.status.final or (run.asked and not lifted and run.status is not RunStatus.RUNNING):
            return RunResult(run, ExitCode(run.exit_code))
        runbook = self._file_of(run, rebase)
        for path in around.decisions:
            if runbook.step(path) is None or run.last(path) is None:
                raise UsageError(f"{path!r} is not a step that run {run_id} has started")
        session = self._session(run_id, runbook, run.parameters)
        with session.held():
            now = self.history.get(run_id)  # from here on nobody else goes on with it
            if not now.status.final and (lifted or not now.asked):
                runbook = self._file_of(now, rebase)
                if runbook.digest != now.digest:
                    session.append("run.rebased", {**_identity(runbook), "from": now.digest})
                data = {"from": run.status, "incident": run.incident}
                session.append("run.resumed", data)
                return self._work(session, runbook, around)
        left = self.history.get(run_id)
        return RunResult(left, ExitCode(left.exit_code))

    def _file_of(self, run: RunRecord, rebase: bool) -> Runbook:
        """The file that the run goes on with; raises StalePlan."""
        return rebased(run, fingerprints_of(self._journal, run.id)) if rebase else pinned(run)

    def _work(self, session: Session, runbook: Runbook, around: Surroundings) -> RunResult:
        run = read_run(self._journal, session.run_id)
        if run is None:
            raise NotFound(f"run {session.run_id} is not in the tables", fix="maestro journal verify")
        with around.cancellation.child() as cancellation:
            session.cancellation = cancellation
            own = replace(around, cancellation=cancellation)
            execution = Execution(
                session,
                Ledger(session, run),
                runbook,
                replace(own, runs=self._within(session, runbook, run, own)),
                incident=run.incident,
                answers=read_answers(self._journal, run.id),
                cause=read_cause(self._journal, run.id) if run.rolling_back else None,
            )
            try:
                ending = execution.run()
                self._end(session, run, ending)
            except Busy as error:
                lost = replace(self.history.get(run.id), status=RunStatus.INTERRUPTED, reason=error.what)
                return RunResult(lost, ExitCode.BUSY)
            finally:
                session.cancellation = None
        return RunResult(self.history.get(run.id), ending.exit_code)

    def _end(self, session: Session, run: RunRecord, ending: Ending) -> None:
        data = {
            "status": ending.status,
            "exit_code": int(ending.exit_code),
            "reason": ending.reason,
            "step": ending.step,
            "waiting": ending.waiting,
            "runbook": run.runbook,
            "incident": run.incident,
        }
        kinds = {RunStatus.WAITING: "run.waiting", RunStatus.PAUSED: "run.paused"}
        session.append(kinds.get(ending.status, "run.finished"), data)
        if ending.status.final:
            session.forget()


def no_runs(name: str, values: Mapping[str, str], key: str) -> RunResult:
    """The Runs of what is no run."""
    raise UsageError(f"{name} is only run by a run", why=f"{key} is none, with {len(values)} values")


def _stem(file: str) -> str:
    return Path(file).stem


def _opening(
    runbook: Runbook, values: Mapping[str, str], incident: str, key: str, limit: PlaybookLimit | None
) -> dict[str, Any]:
    """What the first event of a run says."""
    return {
        "runbook": runbook.id,
        "file": str(Path(runbook.file).resolve()),
        "parameters": values,
        "incident": incident,
        "key": key,
        "playbook": limit.playbook if limit else "",
        "budget_seconds": runbook.budget_seconds,
        **_identity(runbook),
    }


def _identity(runbook: Runbook) -> dict[str, Any]:
    """Which file it is, as a whole and step by step."""
    return {
        "title": runbook.title,
        "digest": runbook.digest,
        "steps": [step.path for step in runbook.steps],
        "fingerprints": [fingerprint(step) for step in runbook.steps],
    }
