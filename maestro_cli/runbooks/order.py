"""Whether the steps of a file fit each other: what they name stands before them.

Invariant: every step that another one names is there, and every variable has one source that a run has
reached by then. Errors name file and line.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.graph import stages
from maestro_cli.runbooks.model import OnFail, Role, Step
from maestro_cli.runbooks.steps.registry import kind_of
from maestro_cli.runbooks.substitution import names_in


def check_steps(steps: Sequence[Step], declared: set[str], file: str) -> None:
    """Raises InvalidFile; `declared` are the parameters."""
    known, before = set(declared), set[str]()
    later = [step.path for step in steps]
    for stage in stages(steps):
        for step in stage:
            later.remove(step.path)
            _check_names(step, before, known, file)
            _check_repetition(step, file)
            if step.goto and step.goto not in later:
                fix = "a run only goes on, never back; name a later step"
                what = f"{visible(step.goto, 60)!r} is no step after this one"
                raise InvalidFile(what, file=file, line=step.line, key="on_fail", fix=fix)
            if step.parallel and step.on_fail is OnFail.GOTO:
                what = "leads elsewhere, and others run beside this step"
                raise InvalidFile(what, file=file, line=step.line, key="on_fail", fix="take parallel away")
        names = [step.capture for step in stage if step.capture]
        for step in stage:
            if names.count(step.capture) > 1:
                what = "a step beside this one captures it too"
                raise InvalidFile(what, file=file, line=step.line, key="capture", fix="give it another name")
        before |= {step.path for step in stage}
        known |= set(names)


def _check_repetition(step: Step, file: str) -> None:
    if step.for_each and not step.item:
        what = "needs a name for the word"
        raise InvalidFile(what, file=file, line=step.line, key="for_each", fix="add as=POD")
    for key, there in (("as", bool(step.item)), ("concurrency", step.concurrency > 1)):
        if there and not step.for_each:
            what = "has no meaning without for_each"
            raise InvalidFile(what, file=file, line=step.line, key=key, fix='add for_each="$PODS"')


def _check_names(step: Step, before: set[str], known: set[str], file: str) -> None:
    for need in step.needs:
        if need not in before:
            fix = suggestion(need, list(before)) if before else "it is the first step"
            what = f"{visible(need, 60)!r} is no step before this one"
            raise InvalidFile(what, file=file, line=step.line, key="needs", fix=fix)
    own = known | ({step.item} if step.item else set())
    named = [
        ("for_each", names_in(step.for_each), known),
        ("when", set(step.when.names) if step.when else set(), known),
        ("lock", names_in(step.lock), own),
    ]
    for key, names, given in named:
        if names - given:
            what = f"${min(names - given)} is neither a parameter nor captured before"
            raise InvalidFile(what, file=file, line=step.line, key=key)
    unknown = set(step.when.steps) - before if step.when else set()
    if unknown:
        what = f"{visible(min(unknown), 60)!r} is no step before this one"
        raise InvalidFile(what, file=file, line=step.line, key="when")
    for one in (step, *step.parts):
        for name, _ in one.secrets:
            if name in own:
                what = f"${name} has a value already"
                raise InvalidFile(what, file=file, line=one.line, key="secret", fix="give it another name")
    for key, name in (("as", step.item), ("capture", step.capture)):
        if name in (known if key == "as" else own):
            raise InvalidFile("this variable has a value already", file=file, line=step.line, key=key)
    after = own | ({step.capture} if step.capture else set())
    for one in (step, *step.parts):
        given = own if one is step or one.role is Role.PRE else after
        missing = kind_of(one.kind).variables(one) - given
        if missing:
            name = min(missing)
            fix = suggestion(name, list(given)) if given else "declare it under params"
            what = f"${name} is neither a parameter nor captured before"
            raise InvalidFile(what, file=file, line=one.line, key=one.path, fix=fix)
