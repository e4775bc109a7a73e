"""From marked fences to steps.

Invariant: a fence without marks is never looked at again; a marked one becomes exactly one step or
serves exactly one, or the file is refused with the line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.attributes import (
    ATTRIBUTES,
    EVERY,
    JUDGED,
    ROLES,
    SENT,
    Marked,
    is_name,
    read_marks,
)
from maestro_cli.runbooks.forms import FIELDS, FORMS
from maestro_cli.runbooks.markdown import Fence
from maestro_cli.runbooks.model import OnFail, Role, Step
from maestro_cli.runbooks.order import check_steps
from maestro_cli.runbooks.steps.http import is_write
from maestro_cli.runbooks.steps.registry import kind_of

MAX_STEPS = 2000
REQUEST_SECONDS = 10.0  # how long a request may take unless the fence says it
MAX_BODY = 100_000  # a process argument may hold 128 KiB


def build_steps(fences: Iterable[Fence], file: str, declared: set[str]) -> tuple[Step, ...]:
    """The steps of a file in their order, each with the fences that serve it; raises InvalidFile."""
    marked = [marks for fence in fences if (marks := read_marks(fence, file)) is not None]
    if len(marked) > MAX_STEPS:
        raise InvalidFile(f"has more than {MAX_STEPS} steps", file=file, line=marked[MAX_STEPS].fence.line)
    mains: dict[str, Step] = {}
    served: dict[str, list[Step]] = {}
    chosen: set[str] = set()
    for marks in marked:
        reading = _Reading(marks, file)
        if reading.role is Role.MAIN:
            if reading.name in mains:
                first = mains[reading.name].line
                raise reading.fail("this id is taken", "id", fix=f"line {first} has it")
            mains[reading.name] = reading.step(reading.name)
            chosen |= {reading.name} if "on_fail" in marks.values else set()
    for marks in marked:
        reading = _Reading(marks, file)
        if reading.role is not Role.MAIN:
            if reading.name not in mains:
                fix = suggestion(reading.name, list(mains)) if mains else "no fence has an id"
                raise reading.fail(
                    f"no step is called {visible(reading.name, 60)!r}", reading.role.value, fix=fix
                )
            others = served.setdefault(reading.name, [])
            others.append(reading.serving(others))
    steps = [_assemble(step, served.get(name, []), name in chosen, file) for name, step in mains.items()]
    check_steps(steps, declared, file)
    return tuple(steps)


def _assemble(step: Step, parts: list[Step], chosen: bool, file: str) -> Step:
    """`chosen`: the file says what happens when it fails; otherwise an undo means rollback."""

    def of(role: Role) -> tuple[Step, ...]:
        return tuple(part for part in parts if part.role is role)

    undo, probe = of(Role.UNDO), of(Role.PROBE)
    if undo and not step.mutates:
        fix = "add the flag mutates to the step, or remove this fence"
        raise InvalidFile(
            "undoes a step that alters nothing", file=file, line=undo[0].line, key="undo", fix=fix
        )
    return dataclasses.replace(
        step,
        pre=of(Role.PRE),
        verify=of(Role.VERIFY),
        undo=undo[0] if undo else None,
        probe=probe[0] if probe else None,
        on_fail=OnFail.ROLLBACK if undo and not chosen else step.on_fail,
    )


class _Reading:
    """One marked fence being read: turns raw attribute values into checked ones."""

    def __init__(self, marks: Marked, file: str) -> None:
        self.marks, self.file = marks, file
        roles = [name for name in ("id", *ROLES) if name in marks.values]
        if len(roles) > 1:
            raise self.fail(f"cannot stand together with {roles[0]}", roles[1], fix="write one of them")
        self.role = Role(roles[0])
        self.name = self._name(roles[0])

    def fail(self, what: str, name: str, *, why: str = "", fix: str = "") -> InvalidFile:
        line = self.marks.lines.get(name, self.marks.fence.line)
        return InvalidFile(what, file=self.file, line=line, key=name, why=why, fix=fix)

    def _name(self, attribute: str) -> str:
        value = self.marks.values[attribute]
        if not isinstance(value, str) or not is_name(value):
            raise self.fail("is not a name", attribute, fix="use letters, digits, '-' and '_'")
        return value

    def serving(self, others: list[Step]) -> Step:
        """The step for a fence that serves another; one undo and one probe at most."""
        count = sum(1 for other in others if other.role is self.role) + 1
        if count > 1 and self.role in (Role.UNDO, Role.PROBE):
            raise self.fail(f"step {self.name!r} has one already", self.role.value, fix="join the two fences")
        suffix = f".{count}" if count > 1 else ""
        return self.step(f"{self.name}/{self.role.value}{suffix}")

    def step(self, path: str) -> Step:
        marks, fence = self.marks, self.marks.fence
        kind = marks.language
        if kind not in EVERY:
            what = f"{visible(kind, 30)!r} is not a kind of step" if kind else "the fence has no language"
            raise self.fail(what, self.role.value, fix=suggestion(kind, list(EVERY)))
        if not fence.closed:
            raise self.fail("the fence is never closed", self.role.value, fix="end it with ``` on a line")
        if len(fence.body.encode("utf-8", "surrogatepass")) > MAX_BODY or "\0" in fence.body:
            raise self.fail(f"is longer than {MAX_BODY} bytes, or not text", self.role.value)
        self._check_places(kind)
        step = Step(
            path=path,
            role=self.role,
            kind=kind,
            body=fence.body,
            line=fence.line,
            heading=visible(fence.heading, 200),
            **self._values(),
        )
        writes = kind in ("change", "runbook") or (kind == "http" and is_write(step.body))
        if writes and self.role in (Role.PRE, Role.VERIFY):
            raise self.fail("a check must not alter anything", self.role.value, fix="send a GET")
        if kind in SENT and "timeout" not in marks.values:
            step = dataclasses.replace(step, timeout_seconds=REQUEST_SECONDS)
        step = dataclasses.replace(
            step,
            mutates=step.mutates or writes or self.role is Role.UNDO,
            within_seconds=step.within_seconds or step.for_seconds,
        )
        if step.expect is not None and step.expect.word is not None and kind in JUDGED:
            raise self.fail("is compared with a number here", "expect", fix='write it as "< 0.05" or "== 0"')
        if step.within_seconds < step.for_seconds:
            raise self.fail("is shorter than for", "within", fix="wait at least as long as it must hold")
        kind_of(kind).check(step, self.file)
        return step

    def _check_places(self, kind: str) -> None:
        for name in self.marks.values:
            attribute = ATTRIBUTES[name]
            if kind not in attribute.kinds:
                fits = ", ".join(sorted(attribute.kinds))
                raise self.fail(f"has no meaning on a {kind} fence", name, fix=f"it is for {fits}")
            if self.role.value not in attribute.roles:
                raise self.fail(f"has no meaning on a fence with {self.role.value}=", name)

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, raw in self.marks.values.items():
            form = ATTRIBUTES[name].form
            if name in ("id", *ROLES):
                continue
            try:
                value = FORMS[form](raw)
            except ValueError as error:
                raise self.fail(visible(str(error), 200), name) from error
            if form == "choice":
                values["on_fail"], values["goto"] = value
            else:
                values[FIELDS.get(name, name)] = value
        return values
