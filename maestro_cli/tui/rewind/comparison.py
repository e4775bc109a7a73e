"""Then and now beside one another: which rows are new, gone or changed, and which lines of a text.

Invariant: pure. A row is known by its key and compared as it is shown, cell by cell; both sides are shown as
of one instant, so that what only became older is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Any

from maestro_cli.output.tables import cell_text
from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.cells import cell_of

MOST_LINES = 5000  # of a text on each side; what is longer is compared so far
NAMING = 2  # so many columns at the left name a row
TONES = {"gone": "bad", "new": "good", "changed": "warn"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A row by its key. `what` is a word of TONES; `item` is what it is now, or was; `cells` are shown by the
    title of their column, `old → new` for those in `changed`."""

    key: str
    what: str
    item: Any
    cells: dict[str, str]
    changed: frozenset[str] = frozenset()


def differences(
    then: Listing[Any], now: Listing[Any], key: Callable[[Any], str], left_out: Sequence[str] = ()
) -> list[Difference]:
    """Those that are gone, then those that are new, then those that changed; columns of a title that is
    left out are not compared."""
    before = {key(item): item for item in then.items}
    after = {key(item): item for item in now.items}
    old, new = _kept(then.columns, left_out), _kept(now.columns, left_out)
    gone = [Difference(one, "gone", before[one], _cells(old, before[one])) for one in before.keys() - after]
    gone.sort(key=lambda one: list(one.cells.values()))
    come = [
        Difference(one, "new", item, _cells(new, item)) for one, item in after.items() if one not in before
    ]
    both = ((one, before[one], item) for one, item in after.items() if one in before)
    changed = [_changed(one, was, item, old, new) for one, was, item in both if was != item]
    return [*gone, *come, *(one for one in changed if one is not None)]


def _kept(columns: Sequence[Column[Any]], left_out: Sequence[str]) -> list[Column[Any]]:
    return [one for one in columns if one.title not in left_out]


def _cells(columns: Sequence[Column[Any]], item: Any) -> dict[str, str]:
    return {one.title: cell_text(cell_of(one, item)) for one in columns}


def _changed(
    key: str, was: Any, item: Any, old: Sequence[Column[Any]], new: Sequence[Column[Any]]
) -> Difference | None:
    """None where what is shown of both is the same."""
    before, after = _cells(old, was), _cells(new, item)
    others = frozenset(title for title, text in after.items() if before.get(title, "-") != text)
    if not others:
        return None
    cells = {
        title: f"{before.get(title, '-')} → {text}" if title in others else text
        for title, text in after.items()
    }
    return Difference(key, "changed", item, cells, others)


def difference_columns(
    columns: Sequence[Column[Any]], found: Sequence[Difference], left_out: Sequence[str] = ()
) -> list[Column[Any]]:
    """The columns of a listing as those of its differences, with what happened to the row first.

    Where there is no room for all, those in which something changed stay longest, beside the first two,
    which name the row.
    """
    first: Column[Any] = Column("diff", lambda one: one.what, tone=lambda one: TONES[one.what])
    changed = frozenset().union(*(one.changed for one in found))
    return [first, *(_of(one, place, changed) for place, one in enumerate(_kept(columns, left_out)))]


def _of(column: Column[Any], place: int, changed: frozenset[str]) -> Column[Any]:
    title, priority = column.title, column.priority
    if place < NAMING:
        priority = min(place, 1)
    elif title in changed:
        priority = 1
    elif priority is None or priority > 1:
        priority = 3
    return replace(
        column,
        cell=lambda one: one.cells.get(title),
        tone=lambda one: "warn" if title in one.changed else "",
        priority=priority,
        ages="",
        order=None,
    )


def text_difference(then: Sequence[str], now: Sequence[str]) -> str:
    """Two texts by line as a unified diff without its head; "" where they are the same."""
    found = unified_diff(then[:MOST_LINES], now[:MOST_LINES], "then", "now", lineterm="")
    return "\n".join(found)
