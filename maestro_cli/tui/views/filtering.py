"""What is typed after `/`, as k9s reads it.

`text` is a regular expression over the cells of a row, `!text` its opposite, `-l a=b,c!=d` a selector over
labels, `-f text` letters in that order. A first or last word `@name` keeps the contexts whose name has it.
Upper and lower case are the same. Invariant: an expression is RE2's, linear in what it reads; it sees the
cells as they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.selectors import selector_matches
from maestro_cli.output.tables import cell_text
from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.cells import cell_of
from maestro_cli.tui.screens.model import Moment
from maestro_cli.tui.views.wanted import AGE, Expression, Letters, Wanted

Labels = Callable[[Any], Mapping[str, str]]
Key = Callable[[Any], str]


@dataclass(frozen=True)
class Filter:
    """`wanted` is asked with the text of a row, `selector` is about its labels; either may be absent.

    `context` is part of a context's name, "" for any.
    """

    text: str = ""
    wanted: Wanted | None = None
    selector: str = ""
    context: str = ""

    def takes(self, context: str) -> bool:
        """Whether rows of that context are shown at all."""
        return self.context.lower() in context.lower()


class _Row:
    """What is said of an item: its cells without those that go on with the time, and its text at an instant.

    `answer` is what `asked` says of it whatever its ages are.
    """

    __slots__ = ("answer", "asked", "at", "cells", "item", "still", "text")

    def __init__(self, item: Any, columns: Sequence[Column[Any]]) -> None:
        self.item = item
        self.cells = [AGE if one.ages else cell_text(cell_of(one, item)) for one in columns]
        self.still = " ".join(self.cells)
        self.at: datetime | None = None
        self.text = ""
        self.asked: Wanted | None = None
        self.answer: bool | None = None

    def text_at(self, now: datetime, ageing: Sequence[tuple[int, Column[Any]]]) -> str:
        if self.at != now:
            cells = [*self.cells]
            for at, column in ageing:
                cells[at] = cell_text(cell_of(column, self.item))
            self.at, self.text = now, " ".join(cells)
        return self.text

    def whenever(self, wanted: Wanted, ages: frozenset[str]) -> bool | None:
        if self.asked is not wanted:
            self.asked, self.answer = wanted, wanted.holds_whenever(self.still, ages)
        return self.answer


class RowFilter:
    """A filter over rows that come again and again: the text of one that is the same is made once, and what
    goes on with the time once an instant, where it can make a difference.

    Raises UsageError for a filter that cannot be read.
    """

    def __init__(self, typed: str) -> None:
        self._filter = parse_filter(typed)
        self._rows: dict[tuple[str, str], _Row] = {}

    @property
    def text(self) -> str:
        return self._filter.text

    def typed_on(self, typed: str) -> RowFilter:
        """Another filter of the same rows, whose texts it keeps. Raises UsageError."""
        other = RowFilter(typed)
        if other.text:
            other._rows = self._rows
        return other

    def kept(self, listing: Listing[Any], moment: Moment, key: Key, labels: Labels) -> Sequence[Any]:
        """The items that match at that instant in its context, in their order."""
        asked = self._filter
        if not asked.text:
            return listing.items
        if not asked.takes(moment.context):
            return ()
        if asked.selector:
            return [item for item in listing.items if selector_matches(asked.selector, labels(item))]
        if asked.wanted is None:
            return [*listing.items]
        return self._matching(asked.wanted, listing, moment, key)

    def _matching(self, wanted: Wanted, listing: Listing[Any], moment: Moment, key: Key) -> list[Any]:
        rows = self._known(listing, moment.context, key)
        ageing = [(at, one) for at, one in enumerate(listing.columns) if one.ages]
        ages = frozenset("".join(one.ages for _, one in ageing).lower())
        found = []
        for row in rows:
            holds = row.whenever(wanted, ages)
            if holds is None:
                holds = wanted.holds(row.text_at(moment.now, ageing))
            if holds:
                found.append(row.item)
        return found

    def _known(self, listing: Listing[Any], context: str, key: Key) -> Sequence[_Row]:
        """What is said of each item, made for those that are new."""
        places = [(context, key(item)) for item in listing.items]
        rows = [
            row if row is not None and row.item is item else _Row(item, listing.columns)
            for item, row in zip(listing.items, map(self._rows.get, places), strict=True)
        ]
        others = {place: row for place, row in self._rows.items() if place[0] != context}
        self._rows = others | dict(zip(places, rows, strict=True))
        return rows


def parse_filter(typed: str) -> Filter:
    """Read a filter; raises UsageError for one that cannot be read."""
    text, context = _without_context(typed.strip())
    return replace(_of_rows(text), text=typed.strip(), context=context) if typed.strip() else Filter()


def _without_context(text: str) -> tuple[str, str]:
    """The filter without its `@name`, and that name."""
    words = text.split()
    for at in (0, -1):
        if words and words[at].startswith("@"):
            name = words[at][1:]
            rest = text.removeprefix(words[at]) if at == 0 else text.removesuffix(words[at])
            return rest.strip(), name
    return text, ""


def _of_rows(text: str) -> Filter:
    if not text:
        return Filter()
    if text.startswith("-l"):
        selector = text.removeprefix("-l").strip()
        try:
            selector_matches(selector, {})
        except ValueError as error:
            raise UsageError(
                f"the filter {text!r} cannot be read", why=str(error), fix="-l app=fraud"
            ) from error
        return Filter(text, selector=selector)
    if text.startswith("-f"):
        letters = text.removeprefix("-f").strip().lower()
        return Filter(text, wanted=Letters(letters))
    from maestro_cli.runbooks.linear_regex import linear_regex  # RE2 is loaded for who filters

    is_not = text.startswith("!")
    expression = text.removeprefix("!").lstrip()
    try:
        wanted = linear_regex(f"(?i){expression}")
    except ValueError as error:
        raise UsageError(f"the filter {text!r} cannot be read", why=str(error), fix="/fraud.*9") from error
    return Filter(text, wanted=Expression.read(wanted, expression, is_not=is_not))
