"""How two pod templates differ, in words.

Invariant: pure and bounded; list entries with a name are compared by name; the value of a variable or an
option whose name sounds like a secret is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from maestro_cli.core.secret_words import hide_word, hide_words, sounds_secret
from maestro_cli.incidents.intake.correlation import capped

MAX_CHANGES = 20
_IGNORED = ("pod-template-hash",)
_SECRET = re.compile(r"(?i)pass|private")  # more than sounds so to others: here nobody asked for a value


def template_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """`path: old → new` for each leaf that changed, at most twenty and a count of the rest.

    Of lists of words, such as arguments, only the words that differ are shown.
    """
    before, after = _leaves(old), _leaves(new)
    changes = [
        _change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
    if len(changes) > MAX_CHANGES:
        changes = [*changes[:MAX_CHANGES], f"and {len(changes) - MAX_CHANGES} more"]
    return tuple(changes)


Leaf = str | tuple[str, ...]


def _change(path: str, old: Leaf | None, new: Leaf | None) -> str:
    if sounds_secret(path) or _SECRET.search(path):
        return f"{path}: changed (not shown)"
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        shown = _different(old, new)
        old, new = _at(hide_words(old), shown), _at(hide_words(new), shown)
    if old is None:
        return f"{path}: added {_words(new)}"
    if new is None:
        return f"{path}: removed {_words(old)}"
    return f"{path}: {_words(old)} → {_words(new)}"


def _different(old: tuple[str, ...], new: tuple[str, ...]) -> list[int]:
    """Where two equally long lists differ, and the place of the option (`--serve`) before it."""
    places = [place for place in range(len(old)) if old[place] != new[place]]
    options = {place - 1 for place in places if place and old[place - 1].startswith("-")}
    return sorted({*places, *options})


def _at(words: tuple[str, ...], places: list[int]) -> tuple[str, ...]:
    return tuple(words[place] for place in places)


def _words(leaf: Leaf | None) -> str:
    """As it may be shown; hidden once is hidden twice."""
    words = (hide_word(leaf),) if isinstance(leaf, str) else hide_words(leaf or ())
    return capped(" ".join(capped(word, 300) for word in words), 300)


def _leaves(document: Mapping[str, Any]) -> dict[str, Leaf]:
    """Every scalar by its path, without recursion so that depth is no danger."""
    found: dict[str, Leaf] = {}
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
            found[capped(path, 300)] = tuple(map(str, value))
        elif value is not None:
            found[capped(path, 300)] = str(value)
    return found
