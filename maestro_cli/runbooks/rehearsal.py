"""Rehearsals: a runbook run with mocked steps, and what must come of it.

Format: `NAME.test.yaml` beside `NAME.md`, `maestro: rehearsal/v1` and `cases`. A case has `params`, `mocks`
(what a step comes to, by its path; a list is one outcome an attempt), `answers`, and `expect` (status,
exit_code, and the sequence of steps that started). Invariant: nothing is really done; a step that starts and
has no mock fails the case, and so does a mock that no step used.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.strict import Document, read_yaml
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import ExitCode, MaestroError, UsageError
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.attributes import JUDGED
from maestro_cli.runbooks.model import (
    Answer,
    Question,
    Runbook,
    RunResult,
    State,
    Step,
    StepOutcome,
    unnumbered,
)
from maestro_cli.runbooks.ports import (
    ChangeOutcome,
    ChangeRequest,
    ChangeState,
    ClusterPort,
    OutboxPort,
    WebPort,
)
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.questions import read_answer
from maestro_cli.runbooks.runner import RunbookRunner

SUFFIX = ".test.yaml"
_STATES = {
    "ok": (State.OK, ExitCode.OK),
    "failed": (State.FAILED, ExitCode.ACTION_FAILED),
    "not_met": (State.NOT_MET, ExitCode.CONDITION_NOT_MET),
    "refused": (State.FAILED, ExitCode.GATE_NOT_MET),
    "timed_out": (State.TIMED_OUT, ExitCode.TIMEOUT),
    "unknown": (State.UNKNOWN, ExitCode.UNDO_FAILED),
}


class MockSpec(msgspec.Struct, forbid_unknown_fields=True):
    state: Literal["ok", "failed", "not_met", "refused", "timed_out", "unknown"] = "ok"
    value: float | None = None
    capture: str | int | float | None = None


class ExpectSpec(msgspec.Struct, forbid_unknown_fields=True):
    status: str
    sequence: list[str]
    exit_code: int | None = None


class CaseSpec(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    expect: ExpectSpec
    params: dict[str, str | int | float] = {}
    mocks: dict[str, MockSpec | list[MockSpec]] = {}
    answers: dict[str, str | bool | int] = {}


class RehearsalSpec(msgspec.Struct, forbid_unknown_fields=True):
    maestro: Literal["rehearsal/v1"]
    cases: list[CaseSpec]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went; `fault` says what was not as expected, and is empty when all was."""

    runbook: str
    case: str
    file: str
    line: int
    fault: str

    @property
    def is_green(self) -> bool:
        return not self.fault


def rehearsal_file(book: Runbook) -> Path:
    """Where the rehearsal of a runbook is kept, whether it is there or not."""
    path = Path(book.file)
    return path.with_name(path.stem + SUFFIX)


def rehearse(book: Runbook, clock: Clock) -> tuple[CaseResult, ...]:
    """Run every case of a runbook's rehearsal; raises InvalidFile when it is not there or wrong."""
    file = rehearsal_file(book)
    document = read_yaml(file)
    spec = document.decode(RehearsalSpec)
    if not spec.cases:
        raise document.fail("is empty", ("cases",), fix="add a case with a name and what to expect")
    results = []
    for number, case in enumerate(spec.cases):
        _check(case, book, document, number)
        line = document.line_of(("cases", number))
        results.append(CaseResult(book.id, case.name, str(file), line, _fault(book, case, clock)))
    return tuple(results)


def _check(case: CaseSpec, book: Runbook, document: Document, number: int) -> None:
    for key, names in (("mocks", case.mocks), ("answers", case.answers)):
        for path in names:
            main, _, part = path.partition("/")
            change = book.step(main)
            is_own_undo = part == "undo" and change is not None and change.kind == "change"
            if book.step(path) is None and not is_own_undo:
                raise document.fail("is no step of the runbook", ("cases", number, key, path))


def _fault(book: Runbook, case: CaseSpec, clock: Clock) -> str:
    """What was not as the case expects, in words."""
    player = Player(case)
    try:
        result = player.play(book, clock)
    except MaestroError as error:
        return error.what
    if player.fault:
        return player.fault
    sequence = [record.path for record in result.run.steps if record.state is not State.SKIPPED]
    unused = sorted(case.mocks.keys() - set(sequence) - player.asked)
    wanted = case.expect
    if sequence != wanted.sequence:
        return f"the steps were {_listed(sequence)}, expected {_listed(wanted.sequence)}"
    if result.status.value != wanted.status:
        return f"it {result.status.value} ({result.reason}), expected {wanted.status}"
    if wanted.exit_code is not None and int(result.exit_code) != wanted.exit_code:
        return f"it ended with {int(result.exit_code)}, expected {wanted.exit_code}"
    return f"no step used the mock of {unused[0]}" if unused else ""


class Player:
    """Stands in for the world and the people of one case."""

    def __init__(self, case: CaseSpec) -> None:
        self._case = case
        self._left = {path: list(_each(mock)) for path, mock in case.mocks.items()}
        self.asked: set[str] = set()  # the mocks that were used, probes among them
        self.fault = ""
        self._said: set[str] = set()  # what follows a failure is said once, so that a case ends

    def play(self, book: Runbook, clock: Clock) -> RunResult:
        """Run it in a journal of its own, which is thrown away."""
        with tempfile.TemporaryDirectory(prefix="maestro-rehearsal-") as folder:
            journal = Journal(Path(folder) / "journal.db", projections=[RunsProjection()], clock=clock)
            try:
                runner = RunbookRunner(
                    journal,
                    metrics=_Nowhere(),
                    changes=_Nowhere(),
                    systems=_Nowhere(),
                    clock=clock,
                    actor="rehearsal",
                    redactor=Redactor(),
                    environment={},
                    stand_in=self.perform,
                )
                values = {name: str(value) for name, value in self._case.params.items()}
                return runner.start(book, values, confirm=self.answer)
            finally:
                journal.close()

    def perform(self, step: Step) -> StepOutcome:
        """The mocked outcome of the next attempt at a step."""
        path = step.path if step.path in self._left else unnumbered(step.path)
        self.asked.add(path)
        left = self._left.get(path)
        if not left:
            what = "has no mock" if left is None else "is tried more often than it has mocks"
            self.fault = self.fault or f"{step.path} {what}"
            return StepOutcome(State.FAILED, what)
        return _outcome(step, left.pop(0) if len(left) > 1 or _is_list(self._case, path) else left[0])

    def answer(self, question: Question) -> Answer | None:
        """What the case says to a question; nobody is there for others."""
        answers = self._case.answers
        said = answers.get(question.path, answers.get(unnumbered(question.path)))
        if said is None or (question.kind == "failed" and question.path in self._said):
            return None
        self._said.add(question.path)
        text = ("yes" if said else "no") if isinstance(said, bool) else str(said)
        try:
            return read_answer(question, text)
        except UsageError as error:
            self.fault = self.fault or error.what
            return None


def _each(mock: MockSpec | list[MockSpec]) -> list[MockSpec]:
    return mock if isinstance(mock, list) else [mock]


def _is_list(case: CaseSpec, path: str) -> bool:
    return isinstance(case.mocks[path], list)


def _outcome(step: Step, mock: MockSpec) -> StepOutcome:
    state, code = _STATES[mock.state]
    given = mock.capture if mock.capture is not None else mock.value
    said = "" if given is None else f"{given:g}" if isinstance(given, float) else str(given)
    if state is State.OK and step.expect is not None:
        expect = step.expect
        holds = expect.holds(mock.value) is True if step.kind in JUDGED else expect.holds_text(said)
        state, code = (state, code) if holds else _STATES["not_met"]
    captures = {step.capture: said} if step.capture and state is State.OK else {}
    status = {State.OK: 0, State.FAILED: 1}.get(state)
    return StepOutcome(
        state, f"mocked: {state.value}", mock.value, captures=captures, exit_code=code, process_exit=status
    )


def _listed(paths: list[str]) -> str:
    return ", ".join(paths) or "none"


class _Nowhere:
    """The ports of a rehearsal. Every step is mocked, so that nobody asks them."""

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        raise _asked("metrics")

    def execute(self, request: ChangeRequest, **_: object) -> ChangeOutcome:
        raise _asked("a change")

    def admit(self, what: str) -> None:
        """Its mock says what became of it."""

    def recover(self, key: str, **_: object) -> ChangeOutcome:
        """Nothing is known of a change but what its mock says."""
        return ChangeOutcome(ChangeState.UNKNOWN, "", "its mock says unknown")

    def undo(self, key: str, **_: object) -> ChangeOutcome:
        raise _asked("an undo")

    @property
    def cluster(self) -> ClusterPort:
        raise _asked("the cluster")

    @property
    def web(self) -> WebPort:
        raise _asked("the web")

    @property
    def outbox(self) -> OutboxPort:
        raise _asked("the outbox")

    @property
    def secrets(self) -> Secrets:
        """What a vault holds is nothing to a rehearsal."""
        return NO_VAULT


def _asked(what: str) -> UsageError:
    return UsageError(f"the rehearsal asked for {what}", why="every step should be mocked")
