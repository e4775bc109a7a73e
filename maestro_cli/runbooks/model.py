"""Runbooks as read, and runs as recorded.

Invariant: frozen data; a `Step` exists only for a fence that asked to be one, and a `StepOutcome` never
says `ok` for something that was not seen to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.condition import Condition
from maestro_cli.runbooks.expectation import Expectation


class Role(Enum):
    """What a fence does for the step it belongs to; the values are the attribute names."""

    MAIN = "id"
    PRE = "pre"
    VERIFY = "verify"
    UNDO = "undo"
    PROBE = "probe"


class OnFail(Enum):
    STOP = "stop"
    CONTINUE = "continue"
    ROLLBACK = "rollback"
    ASK = "ask"
    GOTO = "goto"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value a run needs; `source` is `label.x`, `annotation.x` or empty, `pattern` a full match."""

    name: str
    source: str
    pattern: str
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class Step:
    """One fence that runs; `path` names it in the journal: `rollback`, `rollback/verify`, `…/verify.2`."""

    path: str
    role: Role
    kind: str
    body: str
    line: int
    heading: str
    title: str = ""
    needs: tuple[str, ...] = ()
    when: Condition | None = None
    lock: str = ""  # held while it and its verify run; may hold variables
    cwd: str = ""  # relative to the runbook's folder
    mutates: bool = False
    approve: str = ""  # who is asked before it starts; empty when nobody
    timeout_seconds: float = 300.0
    retries: int = 0
    backoff_seconds: float = 1.0
    expect: Expectation | None = None
    for_seconds: float = 0.0
    within_seconds: float = 0.0
    capture: str = ""
    status: tuple[str, ...] = ()  # of an answer: `200`, `2xx`; with none, 2xx
    match: str = ""  # a regular expression to be found in an answer
    secrets: tuple[tuple[str, str], ...] = ()  # names and references, read anew at every attempt
    deliver_now: bool = False  # a message must have been delivered, not only accepted
    choices: tuple[str, ...] = ()  # what a person may answer; with none and no pattern, yes or no
    pattern: str = ""  # what an answer must match as a whole
    on_fail: OnFail = OnFail.STOP
    goto: str = ""  # a later step, where on_fail is GOTO
    parallel: str = ""  # the group of adjacent steps that it runs beside; empty when alone
    for_each: str = ""  # words, each of which it is repeated for as $item; may hold variables
    item: str = ""
    concurrency: int = 1  # iterations at the same time
    pre: tuple[Step, ...] = ()
    verify: tuple[Step, ...] = ()
    undo: Step | None = None
    probe: Step | None = None

    @property
    def name(self) -> str:
        """What a person reads: the title, else the path."""
        return self.title or self.path

    @property
    def parts(self) -> tuple[Step, ...]:
        """The fences that serve this step."""
        return (*self.pre, *self.verify, *((self.undo,) if self.undo else ()), *self._probes)

    @property
    def _probes(self) -> tuple[Step, ...]:
        return (self.probe,) if self.probe else ()


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Runbook:
    """One Markdown file. `digest` is the SHA-256 (hex) of its bytes; budgets are seconds by phase."""

    id: str
    title: str
    file: str
    digest: str
    text: str
    alerts: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    lock: str = ""
    is_by_needs: bool = False  # a step with needs waits for these alone, not for all before it
    budget_seconds: Mapping[str, float] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[tuple[int, str], ...] = ()  # by line: what another program would do, and maestro does not

    def step(self, path: str) -> Step | None:
        """The step, iteration or part of one with this path."""
        main, number = parted(path)
        for step in self.steps:
            if step.path == main and (not number or step.for_each):
                whole = iteration(step, number) if number else step
                return next((one for one in (whole, *whole.parts) if one.path == path), None)
        return None


def parted(path: str) -> tuple[str, int]:
    """The step that a path belongs to, and which iteration: `a[2]/verify` is ("a", 2), `a` is ("a", 0)."""
    main, _, number = path.split("/")[0].partition("[")
    number = number.removesuffix("]")
    return main, int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def unnumbered(path: str) -> str:
    """The path as the file has it: `a[2]/verify` is `a/verify`."""
    head, slash, rest = path.partition("/")
    return parted(head)[0] + slash + rest


def iteration(step: Step, number: int) -> Step:
    """One repetition of a step, with the fences that serve it; `number` counts from 1."""
    path = f"{step.path}[{number}]"

    def moved(part: Step) -> Step:
        title = f"{part.title} [{number}]" if part.title else ""
        return replace(part, path=path + part.path.removeprefix(step.path), title=title)

    return replace(
        moved(step),
        pre=tuple(map(moved, step.pre)),
        verify=tuple(map(moved, step.verify)),
        undo=moved(step.undo) if step.undo else None,
        probe=moved(step.probe) if step.probe else None,
        for_each="",
    )


class State(Enum):
    """How an attempt at a step ended; INTENDED means that no outcome is recorded."""

    INTENDED = "intended"
    OK = "ok"
    FAILED = "failed"
    NOT_MET = "not_met"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    SKIPPED = "skipped"
    REDO = "redo"  # a probe found that it had not been done


FAILURES = (State.FAILED, State.NOT_MET, State.TIMED_OUT)


class RunStatus(Enum):
    """Where a run is. INTERRUPTED is never written: it is a RUNNING run whose lease has ended."""

    RUNNING = "running"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether there is nothing left to resume."""
        return self in (
            RunStatus.SUCCEEDED,
            RunStatus.FAILED,
            RunStatus.ROLLED_BACK,
            RunStatus.ROLLBACK_FAILED,
        )


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What one attempt at a step came to; `output` is capped and holds no secret."""

    state: State
    reason: str = ""
    value: float | None = None
    output: str = ""
    captures: Mapping[str, str] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.ACTION_FAILED
    process_exit: int | None = None
    change_id: str = ""

    @property
    def ok(self) -> bool:
        return self.state is State.OK


# True yes, False no; a choice or a text for an `ask` that wants one.
Answer = bool | str


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked; `digest` binds the answer to exactly this text, step and file."""

    run_id: str
    path: str
    kind: str  # manual, approve, ask, failed
    title: str
    text: str
    digest: str
    choices: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def form(self) -> str:
        """What an answer looks like, in words."""
        if self.choices:
            return " or ".join(self.choices)
        return f"text that matches {self.pattern}" if self.pattern else "yes or no"


# None when there is nobody to ask.
Confirm = Callable[[Question], Answer | None]


def nobody(question: Question) -> Answer | None:
    """The Confirm of a process without a terminal."""
    return None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One attempt at a step, as the journal has it."""

    path: str
    attempt: int
    kind: str
    role: str
    mutates: bool
    state: State
    reason: str
    value: float | None
    output: str
    captures: Mapping[str, str]
    change_id: str
    exit_code: int
    intended_at: str
    finished_at: str
    seq: int  # of the event that ended it, 0 while it is open


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as the journal has it; times are RFC 3339."""

    id: str
    runbook: str
    title: str
    file: str
    digest: str
    parameters: Mapping[str, str]
    incident: str
    key: str
    playbook: str
    actor: str
    status: RunStatus
    exit_code: int
    reason: str
    waiting_for: str  # the first of `waiting`
    rolling_back: str
    started_at: str
    finished_at: str
    asked: str = ""  # `pause` or `cancel`, until it is resumed
    waiting: tuple[str, ...] = ()  # every step that it waits for a person at
    steps: tuple[StepRecord, ...] = ()

    def last(self, path: str) -> StepRecord | None:
        """The newest attempt at a step."""
        found = [step for step in self.steps if step.path == path]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run stands when there is nothing more to do now; `step` is where, `waiting` every place where a
    person is waited for."""

    status: RunStatus
    exit_code: ExitCode
    reason: str = ""
    step: str = ""
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a run is rolled back: the part that failed, why in words, and what the run ends with if nothing is
    to be undone."""

    path: str
    reason: str
    exit_code: ExitCode


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run stands when the process leaves it."""

    run: RunRecord
    exit_code: ExitCode

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def status(self) -> RunStatus:
        return self.run.status

    @property
    def reason(self) -> str:
        return self.run.reason

    @property
    def ok(self) -> bool:
        return self.exit_code is ExitCode.OK


# Starts the runbook of this name with these values under this key, or goes on with it.
Runs = Callable[[str, Mapping[str, str], str], RunResult]
