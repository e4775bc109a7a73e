"""Named lines of several parts, folded between these. Pure.

Invariant: nothing is lost, and a part stands on one line wherever it has room there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from maestro_cli.tui.screens.incident_words import SEPARATOR
from maestro_cli.tui.text import Spans, cells

LEAD_CELLS = 9  # the name of a line
CUT = ("suspect  ",)  # the line of which a pane has the rest: it stays one


def folded_head(lines: Iterable[Spans], width: int) -> list[Spans]:
    """Lines that are shown text, the named ones in parts that each stand whole where `width` cells allow."""
    return [row for line in lines for row in _folded(line, width)]


def _folded(line: Spans, width: int) -> list[Spans]:
    if line[0][1] != "key" or line[0][0] in CUT:
        return [line]
    rows: list[Spans] = [line[:1]]
    for part in _parts(line[1:]):
        is_first = len(rows[-1]) == 1
        if is_first or _cells((*rows[-1], *part)) + len(SEPARATOR) <= width:
            rows[-1] = (*rows[-1], *part)
            continue
        rows[-1] = (*rows[-1], (SEPARATOR.rstrip(), "dim"))
        bare = ((part[0][0].removeprefix(SEPARATOR), part[0][1]), *part[1:])
        rows.append(((" " * LEAD_CELLS, "key"), *(one for one in bare if one[0])))
    return rows


def _parts(spans: Spans) -> Iterator[Spans]:
    """Each begins with the span that begins with the separator."""
    starts = [index for index, (text, _) in enumerate(spans) if not index or text.startswith(SEPARATOR)]
    for start, end in pairwise((*starts, len(spans))):
        yield spans[start:end]


def _cells(spans: Spans) -> int:
    return sum(cells(text) for text, _ in spans)
