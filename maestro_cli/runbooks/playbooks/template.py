"""What stands for a value in titles and parameters: `{{ labels.NAME }}`, `{{ incident.NAME }}`, and others.

Invariant: each is replaced once, and what it is replaced by is not read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from maestro_cli.core.errors import UsageError

SCOPES = ("labels", "incident", "params", "schedule")
INCIDENT_NAMES = ("id", "number", "title", "severity", "namespace", "owner")
Facts = Mapping[str, Mapping[str, str]]  # by scope, then by name

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z]+)\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}")
_BRACES = re.compile(r"\{\{.{0,80}?(?:\}\}|$)", re.DOTALL)


def fill(text: str, facts: Facts, *, strict: bool) -> str:
    """Replace each placeholder; raises UsageError for one without a value when strict, else it reads `?`."""

    def one(found: re.Match[str]) -> str:
        scope, name = found.groups()
        if scope not in SCOPES:
            return found.group(0)
        value = facts.get(scope, {}).get(name)
        if value is None and strict:
            has = "the alert has no label" if scope == "labels" else f"there is no {scope}."
            what = f"{has} {name!r}" if scope == "labels" else f"{has}{name}"
            raise UsageError(what, why=f"{text!r} asks for it")
        return "?" if value is None else value

    return _PLACEHOLDER.sub(one, text)


def placeholders(text: str) -> tuple[tuple[str, str], ...]:
    """The scope and name of each, in order."""
    every = ((found.group(1), found.group(2)) for found in _PLACEHOLDER.finditer(text))
    return tuple((scope, name) for scope, name in every if scope in SCOPES)


def unread(text: str) -> tuple[str, ...]:
    """Braces that look like a placeholder and are none, so that they would stay as they are."""
    return tuple(
        found.group(0)
        for found in _BRACES.finditer(text)
        if (match := _PLACEHOLDER.fullmatch(found.group(0))) is None or match.group(1) not in SCOPES
    )
