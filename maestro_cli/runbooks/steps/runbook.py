"""Another runbook as one step.

Format: YAML with `runbook` (a file beside this one, without `.md`) and `with`, the values it is given.
Invariant: it is a run of its own under the step's key, so that it is started once and gone on with; it never
contains itself.
"""

from __future__ import annotations

import re
from typing import Any

from maestro_cli.config.strict import Document, parse_yaml
from maestro_cli.core.errors import Busy, ExitCode, InvalidFile
from maestro_cli.runbooks.model import RunResult, RunStatus, State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.substitution import into_text, names_in

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


class RunbookStep:
    def check(self, step: Step, file: str) -> None:
        data, document = _fields(step, file)
        if not isinstance(data.get("runbook"), str) or not _NAME.fullmatch(data["runbook"]):
            raise document.fail(
                "names no runbook", ("runbook",), fix="write the name of a file beside this one"
            )
        for name in data:
            if name not in ("runbook", "with"):
                raise document.fail("is not known here", (name,), fix="write runbook and with")
        values = data.get("with", {})
        if not isinstance(values, dict) or not all(isinstance(one, str | int) for one in values.values()):
            raise document.fail("expected NAME: value", ("with",))

    def variables(self, step: Step) -> set[str]:
        return names_in(step.body)

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Start it, or go on with it, until it can go no further."""
        data, _ = _fields(step, step.path)
        values = {name: into_text(str(text), work.values) for name, text in data.get("with", {}).items()}
        try:
            return _outcome(work.runs(str(data["runbook"]), values, work.key))
        except Busy as error:
            return StepOutcome(State.WAITING, f"{error.what}; {error.why}")


def name_of(step: Step, file: str) -> str:
    """The runbook that a step runs."""
    return str(_fields(step, file)[0]["runbook"])


def _outcome(result: RunResult) -> StepOutcome:
    reason = f"run {result.id} {result.status.value}" + (f": {result.reason}" if result.reason else "")
    if result.status is RunStatus.SUCCEEDED:
        return StepOutcome(State.OK, reason)
    if result.status is RunStatus.UNKNOWN:
        return StepOutcome(State.UNKNOWN, reason, exit_code=ExitCode.UNDO_FAILED)
    if result.status is RunStatus.CANCELLED:
        return StepOutcome(State.CANCELLED, reason)
    if not result.status.final:
        return StepOutcome(State.WAITING, reason)
    return StepOutcome(State.FAILED, reason, exit_code=result.exit_code)


def _fields(step: Step, file: str) -> tuple[dict[str, Any], Document]:
    document = parse_yaml(step.body, file, first_line=step.line + 1)
    if not isinstance(document.data, dict):
        raise InvalidFile("expected 'runbook: NAME'", file=file, line=step.line, key=step.path)
    return document.data, document
