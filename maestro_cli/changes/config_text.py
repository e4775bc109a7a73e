"""What may be shown and kept of the text in a config map.

Invariant: a text that holds a secret, by its key, a name in it or its looks, is shown and recorded nowhere.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from maestro_cli.changes.model import Diff, DiffLine
from maestro_cli.changes.template import holds_secret
from maestro_cli.core.quantities import counted
from maestro_cli.core.secret_words import HIDDEN
from maestro_cli.core.untrusted import Untrusted

MAX_LINES = 200
_MOST_PAIRS = 250_000


def text_diff(key: str, before: str | None, after: str | None) -> Diff:
    """Line by line when it has lines, at most MAX_LINES of them."""
    hidden = any(text is not None and holds_secret(key, text) for text in (before, after))
    if hidden:
        shown = (None if text is None else Untrusted(HIDDEN) for text in (before, after))
        return Diff((DiffLine(Untrusted(f"data[{key}]"), *shown),)) if before != after else Diff()
    if before is None or after is None or "\n" not in before + after:
        return Diff((DiffLine(Untrusted(f"data[{key}]"), _short(before), _short(after)),))
    lines = list(_changed(key, before.split("\n"), after.split("\n")))
    if len(lines) > MAX_LINES:
        more = Untrusted(f"{counted(len(lines) - MAX_LINES, 'line')} more")
        lines = [*lines[:MAX_LINES], DiffLine(Untrusted(f"data[{key}] …"), more, more)]
    return Diff(tuple(lines))


def _changed(key: str, before: list[str], after: list[str]) -> Iterator[DiffLine]:
    for first, last, start, end in _blocks(before, after):
        for offset in range(max(last - first, end - start)):
            old = before[first + offset] if first + offset < last else None
            new = after[start + offset] if start + offset < end else None
            at = start + offset if new is not None else first + offset
            yield DiffLine(Untrusted(f"data[{key}]:{at + 1}"), _short(old), _short(new))


def _blocks(before: list[str], after: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """The lines before (from, to) that others (from, to) took the place of.

    Between what is the same at both ends lines are matched; where that is much, those of the same number are
    compared, because texts of one line many thousand times take a matcher hours.
    """
    same, shorter = 0, min(len(before), len(after))
    while same < shorter and before[same] == after[same]:
        same += 1
    rest = 0
    while rest < shorter - same and before[-1 - rest] == after[-1 - rest]:
        rest += 1
    last, end = len(before) - rest, len(after) - rest
    if (last - same) * (end - same) > _MOST_PAIRS:
        both = min(last, end)
        yield from ((at, at + 1, at, at + 1) for at in range(same, both) if before[at] != after[at])
        yield both, last, both, end
        return
    matcher = difflib.SequenceMatcher(None, before[same:last], after[same:end], False)
    for tag, *places in matcher.get_opcodes():
        if tag != "equal":
            first, past, start, stop = (place + same for place in places)
            yield first, past, start, stop


def _short(text: str | None) -> Untrusted | None:
    if text is None:
        return None
    return Untrusted(text if len(text) <= 2000 else text[:1999] + "…")
