"""What the text of a row must say.

Invariant: pure. A row is its cells with a blank between, as they are shown. What is told of a row without its
ages (a NUL, which nothing shown has, is in the place of each) is so whatever they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from maestro_cli.runbooks.linear_regex import LinearRegex  # RE2 is loaded for who filters

AGE = "\0"  # a cell that goes on with the time
_PIECE = r"[\w/:@=,-]+"
# what takes these pieces in this order, whatever is between them; each is within one cell
_PIECES = re.compile(rf"(?:{_PIECE}|\.[*+]?|\\\W|[\^$ ])*", re.ASCII)
_APART = re.compile(r"\.[*+]?|\\\W|[\^$ ]", re.ASCII)


class Wanted(Protocol):
    """What a filter asks of the text of rows."""

    def holds(self, row: str) -> bool:
        """Whether a row is shown."""
        ...

    def holds_whenever(self, row: str, ages: frozenset[str]) -> bool | None:
        """Whether a row is shown, by its text without its ages, which are of these characters.

        None where they can make a difference.
        """
        ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A row in which the expression holds, or with `is_not` does not.

    `pieces` are what a row must have for that, in lower case, each within one cell; `is_plain` is an
    expression that is one piece and nothing else.
    """

    wanted: LinearRegex
    is_not: bool
    pieces: tuple[str, ...]
    is_plain: bool

    @classmethod
    def read(cls, wanted: LinearRegex, text: str, *, is_not: bool) -> Expression:
        """`wanted` is what the text says, whatever the case."""
        pieces = tuple(_APART.sub("\n", text).lower().split()) if _PIECES.fullmatch(text) else ()
        return cls(wanted, is_not, pieces, pieces == (text.lower(),))

    def holds(self, row: str) -> bool:
        return self._is_in(row) is not self.is_not

    def _is_in(self, row: str) -> bool:
        if row.isascii() and self.pieces:  # beyond, letters of another alphabet are the same as some of these
            low = row.lower()
            if not all(piece in low for piece in self.pieces):
                return False
            if self.is_plain:
                return True
        return self.wanted.place(row.encode(errors="replace")) is not None

    def holds_whenever(self, row: str, ages: frozenset[str]) -> bool | None:
        if row.isascii():
            low = row.lower()
            if any(piece not in low and not ages.issuperset(piece) for piece in self.pieces):
                return self.is_not
            if self.is_plain:
                return not self.is_not if self.pieces[0] in low else None
        text = row.encode(errors="replace")
        place = self.wanted.place(text)
        if place is None:
            return None
        first, end = place  # and what is beside it, which `^`, `$` and `\b` look at
        return None if AGE.encode() in text[max(first - 1, 0) : end + 1] else not self.is_not


@dataclass(frozen=True, slots=True)
class Letters:
    """A row that has these letters in their order, whatever the case."""

    letters: str

    def holds(self, row: str) -> bool:
        return _in_order(self.letters, row.lower())

    def holds_whenever(self, row: str, ages: frozenset[str]) -> bool | None:
        low = row.lower()
        if _in_order(self.letters, low):
            return True
        sure = "".join(letter for letter in self.letters if letter not in ages)
        return None if _in_order(sure, low) else False


def _in_order(letters: str, text: str) -> bool:
    place = 0
    for letter in letters:
        place = text.find(letter, place) + 1
        if not place:
            return False
    return True
