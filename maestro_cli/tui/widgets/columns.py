"""How columns share a line, and how rows are ordered by one of them. Pure.

Invariant: the first column that names a row is always there; what does not fit is counted, never silently
missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.quantities import parse_duration_seconds, parse_quantity
from maestro_cli.output.views import Column
from maestro_cli.tui.text import cells, shown

GAP = 2  # cells between two columns
EXTRA = 3  # the priority of a column that nothing is narrowed for
NEEDED = 1  # the priority up to which columns are whole before one beyond it has room
NARROWEST = 12  # a column is made as narrow as this before another one is left out
WIDEST_TITLE = 16  # of a longer one the end may be cut
MISSING_CELLS = 7  # `+12 →`, and a blank before it
NARROWEST_FIRST = 16  # the one that says what the row is
WIDEST = 60  # a column grows so wide by itself; the last one takes what is left
_DIGITS = re.compile(r"([0-9]{1,15})")
_LARGEST = 1e300
_LONGEST_SORTED = 200  # characters that are looked at


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns on the screen as (index, width), with the numbers of those left out."""

    shown: tuple[tuple[int, int], ...] = ()
    before: int = 0  # scrolled out to the left
    after: int = 0  # without room


def priority_of(column: Column[Any]) -> int:
    """What a narrow terminal keeps of it, as a number without the defaults of `Column`."""
    if column.wide:
        return EXTRA
    return 2 if column.priority is None else column.priority


def laid_out(
    widths: Sequence[int],
    priorities: Sequence[int],
    room: int,
    skipped: int = 0,
    titles: Sequence[int] = (),
    drawn: Sequence[bool] = (),
) -> Layout:
    """The columns that fit into `room` cells; `skipped` columns beside the first are scrolled out.

    The first is the first one that is not of priority 3, such as a namespace that is the same in all rows.

    Unscrolled, columns of priority 3 are there only if nothing has to be narrowed for them; then those of the
    higher priority give way first, among equals the right one. Those that are needed (priority 0 and 1) are
    narrowed once they are alone. None is made narrower than its title; `titles` says how wide those are;
    one that is `drawn` is whole while another can be left out.
    """
    if not widths or room <= 0:
        return Layout(after=len(widths))
    skipped = max(0, min(skipped, len(widths) - 1 - (len(widths) > 1)))
    lead = next((index for index, priority in enumerate(priorities) if priority < EXTRA), 0)
    beside = [index for index in range(len(widths)) if index != lead][skipped:]
    chosen = sorted([lead, *beside])
    if not skipped:
        for index in [i for i in reversed(beside) if priorities[i] >= EXTRA]:
            if _needed([min(widths[i], WIDEST) for i in chosen]) <= room:
                break
            chosen.remove(index)
    least = [min(width, max(NARROWEST, min(titles[i], WIDEST_TITLE) if titles else 0))
             for i, width in enumerate(widths)]  # fmt: skip
    least = [widths[i] if drawn and drawn[i] else one for i, one in enumerate(least)]
    least[lead] = min(widths[lead], NARROWEST_FIRST)
    if not skipped:
        needed = [i for i in chosen if i == lead or priorities[i] <= NEEDED]
        for index, width in _shared(widths, needed, room, least):
            least[index] = max(least[index], min(width, WIDEST))
    while len(chosen) > 1 and _needed([least[i] for i in chosen]) > room:
        others = [i for i in chosen if i != lead]
        chosen.remove(others[-1] if skipped else max(others, key=lambda i: (priorities[i], i)))
    return Layout(_shared(widths, chosen, room, least), skipped, len(widths) - skipped - len(chosen))


def laid_out_whole(
    widths: Sequence[int], columns: Sequence[Column[Any]], room: int, skipped: int = 0
) -> Layout:
    """As `laid_out`, with room for the number of what is missing beside the titles, never over one."""
    priorities = [priority_of(column) for column in columns]
    titles = [cells(shown(column.title.upper())) for column in columns]
    drawn = [column.keeps_end for column in columns]
    found = laid_out(widths, priorities, room, skipped, titles, drawn)
    if not (found.before or found.after) or not found.shown:
        return found
    index, width = found.shown[-1]
    blank = 0 if columns[index].right else max(width - titles[index], 0)
    left = room - _needed([one for _, one in found.shown]) + blank
    if left >= MISSING_CELLS:
        return found
    return laid_out(widths, priorities, room - MISSING_CELLS, skipped, titles, drawn)


def _needed(sizes: Sequence[int]) -> int:
    return sum(sizes) + GAP * (len(sizes) - 1)


def _shared(
    widths: Sequence[int], chosen: Sequence[int], room: int, least: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Each its own width, the widest narrowed first; the last one takes what it needs of the rest."""
    sizes = [min(widths[i], WIDEST) for i in chosen]
    over = _needed(sizes) - room
    floors = [least[i] if over <= sum(sizes) - sum(least[i] for i in chosen) else 1 for i in chosen]
    while over > 0 and any(size > floor for size, floor in zip(sizes, floors, strict=True)):
        able = [place for place, size in enumerate(sizes) if size > floors[place]]
        place = max(able, key=lambda place: (sizes[place], place))
        others = [sizes[other] for other in able if sizes[other] < sizes[place]]
        less = max(min(over, sizes[place] - max([*others, floors[place]])), 1)
        sizes[place] -= less
        over -= less
    if over < 0:
        sizes[-1] = min(widths[chosen[-1]], sizes[-1] - over)
    return tuple(zip(chosen, sizes, strict=True))


SortKey = tuple[int, float, tuple[object, ...]]


def sort_key(value: object) -> SortKey:
    """Numbers, durations and quantities by size, instants by time, texts as people count; nothing last."""
    if value is None or value == "":
        return (3, 0.0, ())
    if isinstance(value, (int, float)):
        number = max(min(value, _LARGEST), -_LARGEST)
        return (3, 0.0, ()) if math.isnan(number) else (0, float(number), ())
    if isinstance(value, datetime):
        return (1, value.timestamp(), ())
    text = str(value)[:_LONGEST_SORTED].strip()
    starts_a_number = text[:1].isdigit() or text[:1] in "-+."
    if starts_a_number and (size := _size(text)) is not None:
        return (0, size, ())
    return (2, 0.0, _natural(text))


def _natural(text: str) -> tuple[object, ...]:
    """`pod-9` before `pod-10`: digits at odd places are numbers."""
    parts = _DIGITS.split(text.casefold())
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))


def _size(text: str) -> float | None:
    body = text.replace(",", "").removesuffix("%").strip()
    for parse in (float, parse_duration_seconds, parse_quantity):
        try:
            size = parse(body)
        except ValueError:
            continue
        return None if math.isnan(size) else size
    return None
