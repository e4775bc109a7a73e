"""What is typed after `/`, as k9s reads it.

`text` is a regular expression over the cells of a row, `!text` its opposite, `-l a=b,c!=d` a selector over
labels, `-f text` letters in that order. Upper and lower case are the same. Invariant: an expression is RE2's,
linear in what it reads; it sees the cells as they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.selectors import selector_matches
from maestro_cli.output.tables import cell_text
from maestro_cli.output.views import Listing
from maestro_cli.runbooks.linear_regex import linear_regex

Labels = Callable[[Any], Mapping[str, str]]


@dataclass(frozen=True)
class Filter:
    """`row` is asked with the text of a row, `selector` is about its labels; either may be absent."""

    text: str = ""
    row: Callable[[str], bool] | None = None
    selector: str = ""

    def kept(self, listing: Listing[Any], labels: Labels) -> Sequence[Any]:
        """The items that match, in their order."""
        return (
            [item for item in listing.items if self._keeps(item, listing, labels)]
            if self.text
            else listing.items
        )

    def _keeps(self, item: Any, listing: Listing[Any], labels: Labels) -> bool:
        if self.selector:
            return selector_matches(self.selector, labels(item))
        text = " ".join(cell_text(column.cell(item)) for column in listing.columns)
        return self.row is None or self.row(text)


def parse_filter(typed: str) -> Filter:
    """Read a filter; raises UsageError for one that cannot be read."""
    text = typed.strip()
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
    negative = text.startswith("!")
    try:
        wanted = linear_regex(f"(?i){text.removeprefix('!')}")
    except ValueError as error:
        raise UsageError(f"the filter {text!r} cannot be read", why=str(error), fix="/fraud.*9") from error
    return Filter(text, row=lambda row: (wanted.find(row) is not None) is not negative)


def _in_order(letters: str, text: str) -> bool:
    """Whether the letters come in that order."""
    place = 0
    for letter in letters:
        place = text.find(letter, place) + 1
        if not place:
            return False
    return True
