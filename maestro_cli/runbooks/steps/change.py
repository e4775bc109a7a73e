"""A change of the world, made by the change pipeline.

Invariant: the key is `run/<id>/<step>`, so that the same step of the same run is one change, however
often it is tried. The body is YAML with one level; values are put into its parsed fields, never into
its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Option
from maestro_cli.config.strict import Document, parse_yaml, suggestion
from maestro_cli.core.errors import InvalidFile, OutcomeUnknown, UsageError, WaitingForApproval
from maestro_cli.core.refs import parse_object_ref
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.ports import ChangeOutcome, ChangeRequest, ChangeState
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.substitution import into_name, names_in

# The kinds of change a runbook can ask for, which are all, and the options of each.
OPTIONS: Mapping[str, Mapping[str, Option]] = {name: kind.options for name, kind in KINDS.items()}
_FIELDS = ("kind", "target", "namespace", "reason")


class ChangeStep:
    def check(self, step: Step, file: str) -> None:
        fields, document = _fields(step, file)
        kind = fields.get("kind", "")
        if kind not in OPTIONS:
            what = f"{kind!r} is not a kind of change" if kind else "the kind is missing"
            path = ("kind",) if kind else ()
            raise document.fail(what, path, fix=suggestion(kind, list(OPTIONS)))
        if not fields.get("target"):
            raise document.fail("the target is missing", fix="add 'target: deploy/NAME'")
        known = [*_FIELDS, *OPTIONS[kind]]
        for name in fields:
            if name not in known:
                raise document.fail("is not known here", (name,), fix=suggestion(name, known))
        for name, option in OPTIONS[kind].items():
            value = fields.get(name)
            if option.needed and not value:
                raise document.fail(f"{name} is missing", fix=f"a change of kind {kind} needs it")
            if value and "$" not in value:  # what a variable brings is read when it is known
                try:
                    option.read(value)
                except ValueError as error:
                    raise document.fail(f"{value!r} {error}", (name,)) from error

    def variables(self, step: Step) -> set[str]:
        return names_in(step.body)

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Hand it to the pipeline; an unknown outcome is settled by asking for the key again."""
        if not step.body:  # made by a rollback for a change that has no undo fence
            key = work.key.removesuffix("/undo")
            return outcome_of(work.changes.undo(key, progress=work.progress, cancellation=work.cancellation))
        request = request_of(step, work.values)
        try:
            outcome = work.changes.execute(
                request,
                key=work.key,
                incident=work.incident,
                progress=work.progress,
                cancellation=work.cancellation,
            )
        except WaitingForApproval as error:
            return StepOutcome(State.WAITING, f"{error.what}; {error.fix}")
        except OutcomeUnknown:
            outcome = work.changes.recover(work.key, progress=work.progress, cancellation=work.cancellation)
        return outcome_of(outcome)


def outcome_of(outcome: ChangeOutcome) -> StepOutcome:
    """What a change's state means for its step."""
    states = {
        ChangeState.DONE: State.OK,
        ChangeState.ABSENT: State.FAILED,
        ChangeState.UNKNOWN: State.UNKNOWN,
    }
    return StepOutcome(states[outcome.state], outcome.summary, change_id=outcome.change_id)


def asked_kind(step: Step) -> str:
    """The kind of change that a step asks for."""
    return _fields(step, step.path)[0]["kind"]


def reversal_of(step: Step, file: str) -> str:
    """What of the change that a step asks for could not be taken back, in words; empty when nothing."""
    fields, _ = _fields(step, file)
    return KINDS[fields["kind"]].reversal.missing(fields)


def request_of(step: Step, values: Mapping[str, str]) -> ChangeRequest:
    """The change a step asks for, with its variables filled in; raises UsageError."""
    fields, _ = _fields(step, step.path)
    filled = {name: into_name(text, values) for name, text in fields.items() if name != "reason"}
    target = parse_object_ref(filled["target"], namespace=filled.get("namespace"))
    options: dict[str, Any] = {}
    for name, option in OPTIONS[fields["kind"]].items():
        if not filled.get(name):
            continue  # an optional parameter was left empty
        try:
            options[name] = option.read(filled[name])
        except ValueError as error:
            raise UsageError(f"{name} of {step.path} {error}") from error
    return ChangeRequest(fields["kind"], target, options, fields.get("reason", "") or step.name)


def _fields(step: Step, file: str) -> tuple[dict[str, str], Document]:
    document = parse_yaml(step.body, file, first_line=step.line + 1)
    data = document.data
    if not isinstance(data, dict):
        raise InvalidFile(
            "expected fields such as 'kind: rollback'", file=file, line=step.line, key=step.path
        )
    fields: dict[str, str] = {}
    for name, value in data.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise document.fail("expected text or a whole number", (name,))
        fields[name] = str(value)
    return fields, document
