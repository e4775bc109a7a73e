"""The attributes of a step: how they are written, and which there are.

Format: a fence's info string is `LANGUAGE {…}`, with either words as a shell reads them
(`{id=check expect="> 0.5" mutates}`) or one strict JSON object. The same names may stand as YAML in
`<!-- maestro: … -->` on the line above. Invariant: what cannot be read is an error, never another
meaning; without `id` or a role there is no step, whatever else the braces say.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.config.strict import parse_yaml, suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.markdown import Fence

SHELLS = frozenset({"sh", "bash", "python"})
EVERY = frozenset({*SHELLS, "promql", "http", "kube", "change", "manual", "ask", "runbook", "notify"})
ASKED = frozenset({"ask"})
WEB = frozenset({"http"})
UNPLANNED = SHELLS | WEB  # what may alter the world, and how is written nowhere
SENT = WEB | {"notify"}
JUDGED = frozenset({"promql", "kube"})
LOOKING = JUDGED | WEB
_CHECKS = SHELLS | LOOKING | {"manual"}
_TRIED = SHELLS | LOOKING
_SENDING = _TRIED | SENT
_UNDOING = SHELLS | {"http", "change", "manual"}
ROLES = ("pre", "verify", "undo", "probe")
_MAIN = frozenset({"id"})
_ALL_ROLES = frozenset({"id", *ROLES})
_JUDGEABLE = _ALL_ROLES - {"probe"}  # which says by its exit status what it found


@dataclass(frozen=True, slots=True)
class Attribute:
    """`form` names how its value is read; `kinds` and `roles` say where it may stand."""

    name: str
    form: str  # name, names, flag, who, duration, count, expectation, variable, choice, choices, pattern, …
    kinds: frozenset[str]
    roles: frozenset[str]
    meaning: str


ATTRIBUTES: Mapping[str, Attribute] = {
    item.name: item
    for item in (
        Attribute("id", "name", EVERY, _ALL_ROLES, "makes the fence a step, and names it"),
        Attribute("pre", "name", _CHECKS, frozenset({"pre"}), "must hold before step NAME starts"),
        Attribute("verify", "name", _CHECKS, frozenset({"verify"}), "must hold after step NAME"),
        Attribute("undo", "name", _UNDOING, frozenset({"undo"}), "takes step NAME back"),
        Attribute("probe", "name", SHELLS, frozenset({"probe"}), "was step NAME done? 0 yes, 1 no"),
        Attribute("title", "text", EVERY, _ALL_ROLES, "what people read instead of the id"),
        Attribute("needs", "names", EVERY, _MAIN, "earlier steps that must have ended well"),
        Attribute("when", "condition", EVERY, _MAIN, "skips the step unless this holds"),
        Attribute("lock", "lock", EVERY, _MAIN, "one step at a time under this name"),
        Attribute("cwd", "folder", SHELLS, _ALL_ROLES, "the folder it runs in (the runbook's)"),
        Attribute("mutates", "flag", SHELLS, _MAIN, "the step alters the world (a change always does)"),
        Attribute("approve", "who", EVERY, _MAIN, "a person must agree before it starts"),
        Attribute("timeout", "duration", SHELLS | SENT, _ALL_ROLES, "how long an attempt may take (5m, 10s)"),
        Attribute("retries", "count", _SENDING, _ALL_ROLES, "how often a failure is repeated (0)"),
        Attribute("backoff", "duration", _SENDING, _ALL_ROLES, "wait before a retry, doubling (1s)"),
        Attribute("expect", "expectation", _TRIED | ASKED, _JUDGEABLE, "what the value must be: `< 0.01`"),
        Attribute("for", "duration", LOOKING, _ALL_ROLES, "how long it must hold without a break"),
        Attribute("within", "duration", LOOKING, _ALL_ROLES, "how long to wait for it to hold"),
        Attribute("status", "statuses", WEB, _ALL_ROLES, "what an answer's status must be (2xx)"),
        Attribute("match", "pattern", WEB | {"kube"}, _ALL_ROLES, "what an answer holds, a field is"),
        Attribute("secret", "secrets", SHELLS | WEB, _ALL_ROLES, "secrets by reference: NAME=env:NAME"),
        Attribute("to", "address", frozenset({"notify"}), _MAIN, "where a message goes, by reference"),
        Attribute("deliver", "moment", frozenset({"notify"}), _MAIN, "now, or later: accepted is enough"),
        Attribute("choices", "choices", ASKED, _MAIN, "the answers there are, separated by commas"),
        Attribute("pattern", "pattern", ASKED, _MAIN, "what the answer must match as a whole"),
        Attribute("capture", "variable", _TRIED | ASKED, _MAIN, "keeps output, value or answer as $VARIABLE"),
        Attribute("parallel", "group", EVERY, _MAIN, "runs at the same time as the steps beside it"),
        Attribute("for_each", "list", EVERY, _MAIN, "repeats the step for each word"),
        Attribute("as", "variable", EVERY, _MAIN, "the word, in a step with for_each, as $VARIABLE"),
        Attribute("concurrency", "width", EVERY, _MAIN, "how many repetitions run at the same time (1)"),
        Attribute("on_fail", "choice", EVERY, _MAIN, "stop, continue, rollback, ask, or goto a later step"),
    )
}  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_INTENDED = re.compile(r"""(?:^|[\s{,"'])(?:id|pre|verify|undo|probe)["']?\s*[=:]""")
_JSON = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_LANGUAGE = re.compile(r"[^\s{]+")


@dataclass(frozen=True, slots=True)
class Marked:
    """A fence that asked to be a step, with its raw attribute values and the line of each."""

    language: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    fence: Fence


def read_marks(fence: Fence, file: str) -> Marked | None:
    """The attributes of a fence, or None when it is prose.

    Raises InvalidFile with file:line when braces that hold an id or a role cannot be read.
    """
    match = _LANGUAGE.match(fence.info)
    language = match.group(0) if match else ""
    braces = fence.info[len(language) :].strip()
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    if fence.comment is not None:
        values, lines = _from_comment(fence.comment, file, fence.comment_line)
    if braces.startswith("{"):
        for name, value in read_braces(braces, file, fence.line).items():
            if name in values:
                raise InvalidFile("is given above the fence as well", file=file, line=fence.line, key=name)
            values[name], lines[name] = value, fence.line
    if not _ALL_ROLES & values.keys():
        if fence.comment is not None:
            fix = "add an id, or a role: pre, verify, undo, probe"
            raise InvalidFile(
                "the maestro comment makes no step", file=file, line=fence.comment_line, fix=fix
            )
        return None
    for name in values:
        if name not in ATTRIBUTES:
            raise InvalidFile(
                "is not a step attribute",
                file=file,
                line=lines[name],
                key=visible(name, 60),
                fix=suggestion(name, list(ATTRIBUTES)),
            )
    return Marked(language, values, lines, fence)


def read_braces(braces: str, file: str, line: int) -> dict[str, Any]:
    """The attributes in braces; none when they cannot be read, unless they name an id or a role.

    Raises InvalidFile for those.
    """
    try:
        if not braces.endswith("}"):
            raise ValueError("there is text after the closing brace, or none closes it")
        if _JSON.match(braces):
            return _json_object(braces)
        return _words(braces[1:-1])
    except ValueError as error:
        if _INTENDED.search(braces):
            raise InvalidFile(
                "the attributes cannot be read",
                file=file,
                line=line,
                why=visible(str(error), 200),
                fix='write {id=check timeout=5s title="two words"} or one JSON object',
            ) from error
        return {}


def _json_object(text: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("an attribute is given twice")
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("expected one JSON object")
    return value


def _words(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if name in found:
            raise ValueError(f"{name!r} is given twice")
        found[name] = value if equals else True
    return found


def _from_comment(text: str, file: str, line: int) -> tuple[dict[str, Any], dict[str, int]]:
    document = parse_yaml(text, file, first_line=line)
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        raise document.fail("expected attributes such as 'id: check'")
    return data, {name: document.line_of((name,)) for name in data}


def is_name(text: str) -> bool:
    """Whether a text can be an id: letters, digits, `-` and `_`, 63 at most."""
    return _NAME.fullmatch(text) is not None
