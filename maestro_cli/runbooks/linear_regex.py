"""Regular expressions that take time in proportion to the text, whoever wrote either of them: RE2's.

Invariant: what would need backtracking (looking around, back references) is refused when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class LinearRegex:
    """An expression that was read; it is compared by its text."""

    text: str
    _program: Any = field(compare=False, repr=False)

    def matches(self, text: str) -> bool:
        """Whether it takes the whole text."""
        return self._program.fullmatch(_readable(text)) is not None

    def find(self, text: str) -> str | None:
        """Its first group where it first holds, or all that it takes there; None where it nowhere does.

        A group that took no part is "".
        """
        found = self._program.search(_readable(text))
        if found is None:
            return None
        return str(found.group(1) or "") if self._program.groups else str(found.group(0))

    def place(self, text: bytes) -> tuple[int, int] | None:
        """Where it first holds in text that is UTF-8, in bytes; None where it nowhere does."""
        found = self._program.search(text)  # nothing to turn into characters: a third of the time
        return None if found is None else found.span()


@lru_cache(maxsize=256)
def linear_regex(text: str, *, dot_takes_newline: bool = True) -> LinearRegex:
    """Read an expression as Prometheus does; raises ValueError that says what is wrong."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    options = re2.Options()
    options.dot_nl, options.log_errors = dot_takes_newline, False
    try:
        return LinearRegex(text, re2.compile(text, options))
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from error
    except UnicodeEncodeError as error:
        raise ValueError("it holds what is no character") from error


def line_regex(text: str) -> LinearRegex:
    r"""Read an expression of RE2 in which `.` takes a newline after `(?s)` alone. Raises ValueError.

    Other than Python's: `\d`, `\w`, `\s` and `\b` know ASCII alone, `$` holds at the very end and not before
    a last newline, and there is no looking around, no back reference, no `(?x)`, no `\Z` (it is `\z`) and no
    `{1001}`.
    """
    return linear_regex(text, dot_takes_newline=False)


def _readable(text: str) -> str:
    """The text, with a replacement for each half of a surrogate pair, which is no character."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
