"""How two pod templates differ, in words.

Invariant: pure and bounded; list entries with a name are compared by name; the value of a variable whose
name sounds like a secret is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from maestro_cli.incidents.correlation import capped

MAX_CHANGES = 20
_IGNORED = ("pod-template-hash",)
_SECRET = re.compile(r"(?i)pass|secret|token|api_?key|private|credential")


def template_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """`path: old → new` for each leaf that changed, at most twenty and a count of the rest."""
    before, after = _leaves(old), _leaves(new)
    changes = [
        _change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
    if len(changes) > MAX_CHANGES:
        changes = [*changes[:MAX_CHANGES], f"and {len(changes) - MAX_CHANGES} more"]
    return tuple(changes)


def _change(path: str, old: str | None, new: str | None) -> str:
    if _SECRET.search(path):
        return f"{path}: changed (not shown)"
    if old is None:
        return f"{path}: added {new}"
    if new is None:
        return f"{path}: removed {old}"
    return f"{path}: {old} → {new}"


def _leaves(document: Mapping[str, Any]) -> dict[str, str]:
    """Every scalar by its path, without recursion so that depth is no danger."""
    found: dict[str, str] = {}
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                if key not in _IGNORED:
                    pending.append((f"{path}.{key}" if path else str(key), item))
        elif isinstance(value, list) and all(isinstance(item, Mapping) for item in value) and value:
            for place, item in enumerate(value):
                pending.append((f"{path}[{item.get('name', place)}]", item))
        elif isinstance(value, list):
            found[capped(path, 300)] = capped(" ".join(map(str, value)), 300)
        elif value is not None:
            found[capped(path, 300)] = capped(str(value), 300)
    return found
