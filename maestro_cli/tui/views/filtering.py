"""What is typed after `/`, as k9s reads it.

`text` is a regular expression over the cells of a row, `!text` its opposite, `-l a=b,c!=d` a selector over
labels, `-f text` letters in that order. A first or last word `@name` keeps the contexts whose name has it.
Upper and lower case are the same. Invariant: an expression is RE2's, linear in what it reads; it sees the
cells as they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.selectors import selector_matches
from maestro_cli.output.tables import cell_text
from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.cells import cell_of

Labels = Callable[[Any], Mapping[str, str]]
_PLAIN = re.compile(r"!?([\w/:@=,-]+)", re.ASCII)  # an expression that is its own text: it holds in one cell
_Text = tuple[Any, tuple[str, ...]]  # an item, and what its columns say


@dataclass(frozen=True)
class Filter:
    """`row` is asked with the text of a row, `selector` is about its labels; either may be absent.

    `context` is part of a context's name, "" for any. `plain` is the text itself, in lower case, where it is
    one that holds within a cell.
    """

    text: str = ""
    row: Callable[[str], bool] | None = None
    selector: str = ""
    context: str = ""
    plain: str = ""

    def takes(self, context: str) -> bool:
        """Whether rows of that context are shown at all."""
        return self.context.lower() in context.lower()

    def may_hold_in(self, characters: str) -> bool:
        """Whether a cell of these characters can make a difference."""
        return not self.plain or set(self.plain) <= set(characters)


class RowFilter:
    """A filter over rows that come again and again: the text of one that is the same is made once,
    but for what goes on with the time.

    Raises UsageError for a filter that cannot be read.
    """

    def __init__(self, typed: str) -> None:
        self._filter = parse_filter(typed)
        self._texts: dict[tuple[str, str], _Text] = {}

    @property
    def text(self) -> str:
        return self._filter.text

    def kept(
        self, listing: Listing[Any], context: str, key: Callable[[Any], str], labels: Labels
    ) -> Sequence[Any]:
        """The items that match, in their order."""
        wanted = self._filter
        if not wanted.text:
            return listing.items
        if not wanted.takes(context):
            return ()
        if wanted.selector:
            return [item for item in listing.items if selector_matches(wanted.selector, labels(item))]
        texts = {
            (context, key(item)): self._text(listing, item, (context, key(item))) for item in listing.items
        }
        self._texts = {one: kept for one, kept in self._texts.items() if one[0] != context} | texts
        holds = wanted.row or (lambda row: True)
        ageing = [
            (at, one) for at, one in enumerate(listing.columns) if one.ages and wanted.may_hold_in(one.ages)
        ]
        rows = zip(listing.items, texts.values(), strict=True)
        return [item for item, (_, said) in rows if holds(_text_now(item, said, ageing))]

    def _text(self, listing: Listing[Any], item: Any, place: tuple[str, str]) -> _Text:
        """The cells, without those that go on with the time."""
        known = self._texts.get(place)
        if known is not None and known[0] is item:
            return known
        columns = listing.columns
        return item, tuple("" if one.ages else cell_text(cell_of(one, item)) for one in columns)


def _text_now(item: Any, said: tuple[str, ...], ageing: Sequence[tuple[int, Column[Any]]]) -> str:
    """A row as it is shown now."""
    if not ageing:
        return " ".join(said)
    texts = [*said]
    for at, column in ageing:
        texts[at] = cell_text(cell_of(column, item))
    return " ".join(texts)


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
        return Filter(text, row=lambda row: _in_order(letters, row.lower()))
    from maestro_cli.runbooks.linear_regex import linear_regex  # RE2 is loaded for who filters

    negative = text.startswith("!")
    try:
        wanted = linear_regex(f"(?i){text.removeprefix('!')}")
    except ValueError as error:
        raise UsageError(f"the filter {text!r} cannot be read", why=str(error), fix="/fraud.*9") from error
    found = _PLAIN.fullmatch(text)
    plain = found[1].lower() if found else ""

    def holds(row: str) -> bool:
        if plain and row.isascii():  # a tenth of the time
            return (plain in row.lower()) is not negative
        return (wanted.find(row) is not None) is not negative

    return Filter(text, row=holds, plain=plain)


def _in_order(letters: str, text: str) -> bool:
    """Whether the letters come in that order."""
    place = 0
    for letter in letters:
        place = text.find(letter, place) + 1
        if not place:
            return False
    return True
