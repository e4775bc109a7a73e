"""The text of a table's lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_cli.output.views import Column
from maestro_cli.tui.swatches import SWATCH_TONES
from maestro_cli.tui.text import Span, Spans, cells, cut, fit, plain_text, shown
from maestro_cli.tui.widgets.columns import GAP, Layout

GUTTER = 3  # cells for cursor, mark and stale


def gutter_text(is_at: bool, is_marked: bool, is_stale: bool) -> str:
    """`▸*~`: the cursor, marked, of an older time. What colour says, these say too."""
    return ("▸" if is_at else " ") + ("*" if is_marked else " ") + ("~" if is_stale else " ")


def row_spans(
    row: Sequence[Span], layout: Layout, columns: Sequence[Column[Any]], gutter: str, tone: str = ""
) -> Spans:
    """One row of shown cells as its columns lie; a tone of the whole row beats those of its cells, not the
    colour of a context: that of the row at the cursor is the one that matters most."""
    done: list[Span] = [(gutter, tone)]
    for place, (index, width) in enumerate(layout.shown):
        text, own = row[index]
        if place:
            done.append((" " * GAP, tone))
        column = columns[index]
        told = own if own in SWATCH_TONES else tone or own
        done.append((fit(text, width, right=column.right, keeps_end=column.keeps_end), told))
    return tuple(done)


def title_spans(
    columns: Sequence[Column[Any]], layout: Layout, sorted_by: int | None, is_reversed: bool
) -> Spans:
    """The titles as the columns lie, with an arrow at the one that sorts."""
    done = []
    for index, width in layout.shown:
        arrow = ("▼" if is_reversed else "▲") if index == sorted_by else ""
        title = cut(shown(columns[index].title.upper()), width - len(arrow)) + arrow
        done.append(fit(title, width, right=columns[index].right))
    return ((" " * GUTTER + (" " * GAP).join(done), "title"),)


def title_parts(
    columns: Sequence[Column[Any]], layout: Layout, sorted_by: int | None, is_reversed: bool, width: int
) -> list[tuple[Spans, int]]:
    """The line of titles, with what is missing at its end; each part with the cells it has."""
    spans = title_spans(columns, layout, sorted_by, is_reversed)
    missing = missing_text(layout, width - cells(plain_text(spans).rstrip()) - 2)
    if not missing:
        return [(spans, width)]
    room = max(width - len(missing) - 1, 0)
    return [(spans, room), (((" " + missing, "title"),), width - room)]


def missing_text(layout: Layout, room: int) -> str:
    """`← 2  +3 columns →`, shorter where that does not fit, or nothing."""
    before = f"← {layout.before}" if layout.before else ""
    long = f"+{layout.after} column{'s' if layout.after > 1 else ''} →" if layout.after else ""
    whole = "  ".join(filter(None, (before, long)))
    if len(whole) <= room or not layout.after:
        return whole
    return " ".join(filter(None, (before, f"+{layout.after} →")))
