"""Runme's attributes, understood where they mean the same.

Format: `{"name":"x", "cwd":"..", …}` or `{ name=x cwd=.. }` behind the language, and `cwd` and `shell` in
front matter. Invariant: a fence is Runme's step only with a `name`, which a person wrote, and always counts
as altering the world, since Runme does not say; what cannot be done as Runme would is an error, and what has
no meaning here is noted for `lint`. The result is maestro's own attributes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.attributes import read_braces
from maestro_cli.runbooks.forms import is_variable
from maestro_cli.runbooks.markdown import Fence, Page
from maestro_cli.runbooks.model import Parameter

# What each of Runme's attributes comes to; docs/runbooks.md has the same table.
MEANINGS: Mapping[str, str] = {
    "name": "id",
    "excludeFromRunAll": "asked",
    "interactive": "no terminal",
    "background": "refused",
    "interpreter": "language",
    "promptEnv": "noted",
    "skipPrompts": "nothing prompts",
    "closeTerminalOnSuccess": "noted",
    "terminalRows": "noted",
    "mimetype": "noted",
    "mimeType": "noted",
    "category": "noted",
    "tag": "noted",
}
_MACHINE_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")  # a ULID, which Runme writes on every fence
_KINDS = {
    "sh": "sh", "shell": "sh", "shellscript": "sh", "bash": "bash",
    "python": "python", "python3": "python", "py": "python",
}  # fmt: skip
_TRUE, _FALSE = ("true", "yes", "1", "always"), ("false", "no", "0", "never")
_LANGUAGE = re.compile(r"[^\s{]*")


@dataclass(frozen=True, slots=True)
class Adopted:
    """A page in maestro's own words; `notes` are (line, text) of what has no meaning here."""

    page: Page
    parameters: tuple[Parameter, ...] = ()
    notes: tuple[tuple[int, str], ...] = ()


def adopt(page: Page, file: str) -> Adopted:
    """Translate what is Runme's; raises InvalidFile for what cannot be done as Runme would."""
    fences: list[Fence] = []
    parameters: list[Parameter] = []
    notes: list[tuple[int, str]] = []
    document: Mapping[str, str] | None = None
    for fence in page.fences:
        marks = _marks(fence, file)
        if marks is None:
            fences.append(fence)
            continue
        reading = _Reading(fence, marks, file, notes)
        if "name" in marks and document is None:
            document = _document(page, file)
        fences.append(reading.fence(document or {}))
        parameters += reading.parameters
    return Adopted(replace(page, fences=tuple(fences)), tuple(parameters), tuple(notes))


def _marks(fence: Fence, file: str) -> dict[str, Any] | None:
    """The attributes of a fence that has Runme's, else None."""
    braces = fence.info[_LANGUAGE.match(fence.info).end() :].strip()  # type: ignore[union-attr]  # may be empty
    if fence.comment is not None or not braces.startswith("{"):
        return None
    marks = read_braces(braces, file, fence.line)
    machine = _MACHINE_ID.fullmatch(str(marks.get("id", ""))) is not None
    if MEANINGS.keys() & marks.keys():
        return {name: value for name, value in marks.items() if not (machine and name == "id")}
    return {} if machine and marks.keys() <= {"id", "cwd"} else None


def _document(page: Page, file: str) -> Mapping[str, str]:
    """`cwd` and `shell` of front matter that is Runme's."""
    if page.foreign is None:
        return {}
    data = parse_yaml(page.foreign, file, first_line=2).data
    found = {name: data[name] for name in ("cwd", "shell") if isinstance(data, dict) and name in data}
    for name, value in found.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidFile("needs a text", file=file, line=2, key=name)
    return found


class _Reading:
    """One fence with Runme's attributes, and the parameter that asks for it, if it has to be asked for."""

    def __init__(self, fence: Fence, marks: dict[str, Any], file: str, notes: list[tuple[int, str]]) -> None:
        self._fence, self._marks, self._file, self._notes = fence, marks, file, notes
        self._language = _LANGUAGE.match(fence.info).group(0)  # type: ignore[union-attr]  # may be empty
        self.parameters: list[Parameter] = []

    def fence(self, document: Mapping[str, str]) -> Fence:
        """The fence with maestro's attributes; without any when it is no step."""
        own = {name: value for name, value in self._marks.items() if name not in MEANINGS}
        if "name" not in self._marks:
            if "id" in own or own.keys() & {"pre", "verify", "undo", "probe"}:
                self._judge()
                return self._written(self._language, own)
            return replace(self._fence, info=self._language)  # an id that a machine wrote makes no step
        if "id" in own:
            raise self._fail("cannot stand together with id", "name", "write one of them")
        shell = document.get("shell", "") if _KINDS.get(self._language) in ("sh", "bash") else ""
        wanted = str(self._marks.get("interpreter", "") or shell or self._language)
        kind = _KINDS.get(wanted.rpartition("/")[2].strip()) if self._language in _KINDS else None
        if self._language not in _KINDS:
            self._note(f"Runme would run this fence; maestro runs no {visible(self._language, 30) or 'text'}")
            return replace(self._fence, info=self._language)
        if kind is None:
            key = "interpreter" if "interpreter" in self._marks else "shell"
            raise self._fail(
                f"{visible(wanted, 40)!r} is none that maestro runs", key, "use sh, bash or python3"
            )
        self._judge()
        marks = {**own, "id": self._marks["name"], "mutates": True}
        folder = "/".join(part for part in (document.get("cwd", ""), str(own.get("cwd", ""))) if part)
        if folder and not str(own.get("cwd", "")).startswith("/"):
            marks["cwd"] = folder
        if self._is_set("excludeFromRunAll"):
            asked = self._asked_for(str(self._marks["name"]))
            marks["when"] = f"({own['when']}) and {asked}" if "when" in own else asked
        return self._written(kind, marks)

    def _written(self, kind: str, marks: Mapping[str, Any]) -> Fence:
        return replace(self._fence, info=f"{kind} {json.dumps(marks)}")

    def _asked_for(self, name: str) -> str:
        """The condition that the step is asked for, by a parameter of its own."""
        variable = "RUN_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
        if not is_variable(variable):
            raise self._fail("makes no variable", "name", "use letters, digits, '-' and '_'")
        self.parameters.append(
            Parameter(
                variable, "", "yes|no", "no", f"yes: also run {name}, which is excluded from a run of all"
            )
        )
        return f"${variable} == 'yes'"

    def _judge(self) -> None:
        """Refuse what cannot be done, and note what has no meaning."""
        if self._is_set("background"):
            why = "a step ends before the next one begins, and leaves no process behind"
            fix = "remove it, and start that process by other means"
            raise self._fail("cannot be done", "background", fix, why)
        if self._is_set("interactive"):
            self._note("interactive=true: a step has no terminal, and its input is empty; make it manual")
        prompts = str(self._marks.get("promptEnv", "no")).lower()
        if prompts not in _FALSE:
            self._note("promptEnv: nothing prompts for variables; declare them under params")
        for name in self._marks:
            if MEANINGS.get(name) == "noted" and name != "promptEnv":
                self._note(f"{name} has no meaning here")

    def _is_set(self, name: str) -> bool:
        value = str(self._marks.get(name, False)).lower()
        if value not in (*_TRUE, *_FALSE):
            raise self._fail("is a flag: true or false", name, "")
        return value in _TRUE

    def _note(self, text: str) -> None:
        self._notes.append((self._fence.line, text))

    def _fail(self, what: str, name: str, fix: str, why: str = "") -> InvalidFile:
        return InvalidFile(what, file=self._file, line=self._fence.line, key=name, why=why, fix=fix)
