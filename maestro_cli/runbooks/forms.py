"""How the values of attributes are read. Invariant: a value is read as one thing, or is a ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.config.secrets import REFERENCES, is_reference
from maestro_cli.config.strict import suggestion
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.attributes import is_name
from maestro_cli.runbooks.condition import Condition, parse_condition
from maestro_cli.runbooks.expectation import parse_expectation
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import OnFail
from maestro_cli.runbooks.steps.notify import ADDRESS

MAX_RETRIES = 100
MAX_CONCURRENCY = 16
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
_RESERVED = re.compile(
    r"PATH|HOME|IFS|ENV|SHELL|BASH.*|LD_.*|DYLD_.*|PYTHON.*|PS[0-9]|SHELLOPTS|TMPDIR|MAESTRO.*|KUBE.*"
    r"|XDG_.*|LANG|LC_.*|USER|PWD"
)


def is_variable(name: str) -> bool:
    """Whether a parameter or capture may have this name: capitals, and nothing programs act upon."""
    return _VARIABLE.fullmatch(name) is not None and _RESERVED.fullmatch(name) is None


def _text(raw: Any) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError("needs a value")
    return str(raw)


def _names(raw: Any) -> tuple[str, ...]:
    parts = raw if isinstance(raw, list) else _text(raw).split(",")
    names = tuple(_text(part).strip() for part in parts)
    if not all(is_name(name) for name in names):
        raise ValueError("needs the ids of steps, separated by commas")
    return names


def _flag(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if raw in ("true", "false"):
        return bool(raw == "true")
    raise ValueError("is a flag: write it alone, or true or false")


def _who(raw: Any) -> str:
    if isinstance(raw, bool):
        return "a person" if raw else ""
    return visible(_text(raw), 60)


def _duration(raw: Any) -> float:
    seconds = parse_duration_seconds(_text(raw))
    if not 0 < seconds <= 7 * 86400:
        raise ValueError("must be longer than nothing and at most 7d")
    return seconds


def _count(raw: Any) -> int:
    text = _text(raw)
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > MAX_RETRIES:
        raise ValueError(f"must be a whole number from 0 to {MAX_RETRIES}")
    return int(text)


def _variable(raw: Any) -> str:
    name = _text(raw)
    if not is_variable(name):
        raise ValueError("is not a variable name: capitals, digits and '_', and none that programs act upon")
    return name


def _choices(raw: Any) -> tuple[str, ...]:
    parts = raw if isinstance(raw, list) else _text(raw).split(",")
    choices = tuple(visible(_text(part), 60).strip() for part in parts)
    if len(choices) < 2 or not all(choices) or len(set(choices)) < len(choices):
        raise ValueError("needs two answers or more, each another, separated by commas")
    return choices


def _pattern(raw: Any) -> str:
    """An expression, read in time that grows with the text alone."""
    try:
        line_regex(_text(raw))
    except ValueError as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return _text(raw)


def _condition(raw: Any) -> Condition:
    return parse_condition(_text(raw))


def _lock(raw: Any) -> str:
    name = _text(raw)
    if not re.fullmatch(r"[A-Za-z0-9$][A-Za-z0-9${}._/-]{0,199}", name):
        raise ValueError("needs a name such as deploy/$DEPLOY")
    return name


def _folder(raw: Any) -> str:
    path = _text(raw)
    if "\0" in path or "$" in path or not path.strip():
        raise ValueError("needs a folder, without variables")
    return path


def _statuses(raw: Any) -> tuple[str, ...]:
    parts = raw if isinstance(raw, list) else _text(raw).split(",")
    statuses = tuple(_text(part).strip() for part in parts)
    if not all(re.fullmatch(r"[1-5](?:[0-9][0-9]|xx)", status) for status in statuses):
        raise ValueError("needs statuses such as 200 or 2xx, separated by commas")
    return statuses


def _secrets(raw: Any) -> tuple[tuple[str, str], ...]:
    parts = raw if isinstance(raw, list) else _text(raw).split(",")
    pairs = tuple(
        (name.strip(), where.strip()) for name, _, where in (_text(p).partition("=") for p in parts)
    )
    for name, where in pairs:
        if not is_variable(name):
            raise ValueError("needs names in capitals: TOKEN=env:API_TOKEN")
        _reference(where)
    if len(dict(pairs)) < len(pairs):
        raise ValueError("names one secret twice")
    return pairs


def _address(raw: Any) -> tuple[tuple[str, str], ...]:
    return ((ADDRESS, _reference(_text(raw))),)


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError(f"a secret is a reference, not a value: {REFERENCES}")
    return text


def _moment(raw: Any) -> bool:
    """Whether it must be done when the step ends."""
    if raw not in ("now", "later"):
        raise ValueError("is now, or later")
    return bool(raw == "now")


def _group(raw: Any) -> str:
    if isinstance(raw, bool):
        return "parallel" if raw else ""
    name = _text(raw)
    if not is_name(name):
        raise ValueError("is a flag, or names the group of steps that run at the same time")
    return name


def _list(raw: Any) -> str:
    words = " ".join(map(_text, raw)) if isinstance(raw, list) else _text(raw)
    if not words.strip() or "\0" in words:
        raise ValueError("needs words, or a variable that holds them: $PODS")
    return words


def _width(raw: Any) -> int:
    text = _text(raw)
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_CONCURRENCY:
        raise ValueError(f"must be a whole number from 1 to {MAX_CONCURRENCY}")
    return int(text)


def _on_fail(raw: Any) -> tuple[OnFail, str]:
    """What follows a failure, and the step it leads to."""
    word, _, where = _text(raw).partition(" ")
    try:
        choice = OnFail(word)
    except ValueError:
        raise ValueError(suggestion(word, [choice.value for choice in OnFail])) from None
    if (choice is OnFail.GOTO) != bool(where) or (where and not is_name(where.strip())):
        raise ValueError("needs one word, or goto and the id of a later step: 'goto escalate'")
    return choice, where.strip()


FIELDS: Mapping[str, str] = {
    "timeout": "timeout_seconds",
    "backoff": "backoff_seconds",
    "for": "for_seconds",
    "within": "within_seconds",
    "as": "item",
    "secret": "secrets",
    "to": "secrets",
    "deliver": "deliver_now",
}
FORMS: Mapping[str, Callable[[Any], Any]] = {
    "text": lambda raw: visible(_text(raw), 200),
    "names": _names,
    "flag": _flag,
    "who": _who,
    "duration": _duration,
    "count": _count,
    "expectation": lambda raw: parse_expectation(_text(raw)),
    "variable": _variable,
    "choice": _on_fail,
    "choices": _choices,
    "pattern": _pattern,
    "condition": _condition,
    "lock": _lock,
    "folder": _folder,
    "statuses": _statuses,
    "secrets": _secrets,
    "address": _address,
    "moment": _moment,
    "group": _group,
    "list": _list,
    "width": _width,
}
