"""What a run would do: steps that alter nothing are run, those that do are tried without doing them.

Invariant: nothing is changed and nothing of a run is recorded. What cannot be known before the run is said to
be unknown, never assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from maestro_cli.core.errors import ExitCode, MaestroError, UsageError
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.addresses import into_url
from maestro_cli.runbooks.attempts import attempt, failure_of
from maestro_cli.runbooks.condition import Facts
from maestro_cli.runbooks.iterations import words_of
from maestro_cli.runbooks.model import OnFail, Runbook, State, Step, StepOutcome, iteration, nobody
from maestro_cli.runbooks.ports import ChangeRehearsal
from maestro_cli.runbooks.questions import Asking
from maestro_cli.runbooks.steps.change import request_of
from maestro_cli.runbooks.steps.http import read_request
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.steps.registry import kind_of
from maestro_cli.runbooks.substitution import names_in
from maestro_cli.runbooks.surroundings import Surroundings

_WORD = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One line of the plan. `state`: ran, would, asks, skipped, unknown, refused, stops or not reached."""

    path: str
    kind: str
    state: str
    text: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """`exit_code` is OK when the run would get to its end, as far as that can be known."""

    runbook: str
    parameters: Mapping[str, str]
    steps: tuple[PlannedStep, ...]
    exit_code: ExitCode


def runs_of(book: Runbook) -> tuple[Step, ...]:
    """The steps that planning runs, as far as the file says: checks, and what it calls harmless."""
    found: list[Step] = []
    for step in book.steps:
        found += [one for one in step.pre if one.kind != "manual"]
        if _is_run(step):
            found += [step, *(one for one in step.verify if one.kind != "manual")]
    return tuple(found)


def _is_run(step: Step) -> bool:
    return not step.mutates and step.kind not in ("manual", "ask", "notify")


class Planner:
    """Walks through a runbook once, in its order."""

    def __init__(
        self, book: Runbook, values: Mapping[str, str], around: Surroundings, changes: ChangeRehearsal
    ) -> None:
        self._book, self._around, self._changes = book, around, changes
        self._values = dict(values)
        self._parameters = dict(values)
        self._unknown: set[str] = set()  # variables that only the run will know
        self._ended: dict[str, str] = {}  # how steps ended, or would
        self._lines: list[PlannedStep] = []
        self._code = ExitCode.OK
        self._until = ""  # the step that a failure leads to

    def plan(self) -> RunPlan:
        """Every step, with what it came to or would do."""
        is_stopped = False
        for step in self._book.steps:
            if is_stopped or self._around.cancellation.is_set:
                self._tell(step, "not reached", "")
            elif self._until not in ("", step.path):
                self._ended[step.path] = "skipped"
                self._tell(step, "skipped", f"the run goes on to {self._until}")
            else:
                self._until = ""
                is_stopped = self._step(step)
        return RunPlan(self._book.id, self._parameters, tuple(self._lines), self._code)

    def _tell(self, step: Step, state: str, text: str, output: str = "") -> None:
        self._lines.append(PlannedStep(step.path, step.kind, state, text, output))

    def _step(self, step: Step) -> bool:
        """Whether the run would end here."""
        try:
            excuse = self._excuse(step)
        except ValueError as error:
            self._forget(step, f"its condition cannot be decided now: {error}")
            return False
        if excuse:
            self._ended[step.path] = "skipped"
            self._tell(step, "skipped", excuse)
            return False
        return self._each(step) if step.for_each else self._one(step)

    def _each(self, step: Step) -> bool:
        """Every iteration of a step that is repeated; whether the run would end with one."""
        missing = names_in(step.for_each) & self._unknown
        if missing:
            self._forget(step, f"what it is repeated for, ${min(missing)}, is not known before the run")
            return False
        try:
            words = words_of(step, self._values)
        except UsageError as error:
            return self._stop(step, "stops", failure_of(error, self._around.redactor))
        captured: list[str] = []
        steps = [iteration(step, number) for number in range(1, len(words) + 1)]
        for one, word in zip(steps, words, strict=True):
            self._values[step.item] = word
            if self._one(one):
                return True
            captured += [self._values.pop(step.capture)] if step.capture in self._values else []
        del self._values[step.item]
        self._values.update({step.capture: " ".join(captured)} if captured else {})
        ended = [self._ended.get(one.path, "") for one in steps]
        self._ended[step.path] = next((state for state in ended if state != "ok"), "ok")
        return False

    def _one(self, step: Step) -> bool:
        for gate in step.pre:
            if gate.kind == "manual":
                self._tell(gate, "asks", f"a person confirms: {gate.name}")
            elif self._look(gate, step):
                return True
        if not _is_run(step):
            return self._would(step)
        if self._look(step, step):
            return True
        return any(self._look(part, step) for part in step.verify if part.kind != "manual")

    def _excuse(self, step: Step) -> str:
        """Why it would be skipped. Raises ValueError when only the run can know."""
        missing = [need for need in step.needs if self._ended.get(need) != "ok"]
        if any(need not in self._ended for need in missing):
            raise ValueError(f"{missing[0]} is unknown")
        if missing:
            return f"it needs {', '.join(missing)}"
        if step.when is None:
            return ""
        if step.when.names & self._unknown:
            raise ValueError(f"${min(step.when.names & self._unknown)} is not known yet")
        if any(name not in self._ended for name in step.when.steps):
            raise ValueError("it depends on a step that is unknown")
        holds = step.when.holds(Facts(self._values, self._ended))
        return "" if holds else f"it is only for when {step.when.text}"

    def _forget(self, step: Step, why: str) -> None:
        """A step about which nothing can be said before the run."""
        if step.capture:
            self._unknown.add(step.capture)
        self._tell(step, "unknown", why)

    def _needs_unknown(self, step: Step) -> str:
        used = kind_of(step.kind).variables(step) | set(_WORD.findall(step.body))
        return min(used & self._unknown, default="")

    # Steps that alter nothing

    def _look(self, step: Step, main: Step) -> bool:
        """Run it; whether the run would end with what it came to."""
        missing = self._needs_unknown(step)
        if missing:
            self._forget(step, f"${missing} is not known before the run")
            return False
        around = self._around
        outcome = attempt(step, self._book.file, around.redactor, around.systems.secrets, self._work(step))
        if outcome.ok:
            self._values.update(outcome.captures)
            self._ended.setdefault(step.path, "ok")
            self._tell(step, "ran", outcome.reason, outcome.output)
            return False
        self._ended[main.path] = "failed"
        if main.on_fail is OnFail.CONTINUE:
            self._tell(step, "ran", f"{outcome.reason} (the run goes on)", outcome.output)
            return False
        if main.on_fail is OnFail.GOTO:
            self._tell(step, "ran", f"{outcome.reason} (on to {main.goto})", outcome.output)
            self._until = main.goto
            return False
        if main.on_fail is OnFail.ASK:
            outcome = replace(outcome, reason=f"{outcome.reason}; a person is asked what follows")
        return self._stop(step, "stops", outcome)

    def _stop(self, step: Step, state: str, outcome: StepOutcome) -> bool:
        self._code = outcome.exit_code
        self._tell(step, state, outcome.reason, outcome.output)
        return True

    # Steps that alter something, or ask

    def _would(self, step: Step) -> bool:
        missing = self._needs_unknown(step)
        if step.capture:
            self._unknown.add(step.capture)
        first = f"asks {step.approve} first; " if step.approve else ""
        self._ended[step.path] = "ok"
        if step.kind in ("manual", "ask"):
            self._tell(step, "asks", f"{first}a person: {step.name}")
        elif missing:
            self._tell(step, "would", f"{first}${missing} is not known before the run")
        elif step.kind == "change":
            return self._change(step, first)
        else:
            self._tell(step, "would", first + self._words(step))
        for part in step.verify:
            self._tell(part, "would", "checks it then")
        return False

    def _change(self, step: Step, first: str) -> bool:
        try:
            found = self._changes.rehearse(request_of(step, self._values))
        except MaestroError as error:
            return self._stop(step, "refused", failure_of(error, self._around.redactor))
        if found.refusal:
            outcome = StepOutcome(
                State.FAILED, f"{found.summary}: {found.refusal}", exit_code=found.exit_code
            )
            return self._stop(step, "refused", outcome)
        self._tell(step, "would", f"{first}{found.summary}")
        for part in step.verify:
            self._tell(part, "would", "checks it then")
        return False

    def _words(self, step: Step) -> str:
        if step.kind == "notify":
            return f"posts to {step.secrets[0][1]}"
        if step.kind == "runbook":
            return "runs another runbook, which has a plan of its own"
        undo = "its undo is there" if step.undo else "it has no undo"
        if step.kind != "http":
            return f"runs {step.kind}; {undo}"
        request = read_request(step.body)
        try:
            return f"sends {request.method} {into_url(request.url, self._values)}; {undo}"
        except UsageError as error:
            return f"cannot send it: {error.what}"

    def _work(self, step: Step) -> Callable[[Mapping[str, str], Redactor], Work]:
        def surroundings(secrets: Mapping[str, str], redactor: Redactor) -> Work:
            return self._around.work(
                self._book.file,
                run_id="plan",
                key=f"plan/{step.path}",
                values=self._values,
                secrets=secrets,
                redactor=redactor,
                progress=self._around.progress,
                confirm=nobody,
                asking=Asking("plan", self._book.digest, self._values, redactor),
            )

        return surroundings
