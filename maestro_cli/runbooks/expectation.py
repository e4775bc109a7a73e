"""Comparisons as people write them in runbooks: `< 0.5`, `>= 3`, `== 0`, `absent`, `present`; of what is text
also `== "in sync"`, `!= none` and `=~ v1[.].*`, a regular expression that matches the whole.

Invariant: a missing value or NaN satisfies nothing but `absent`, and text that is no number satisfies no
comparison with one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from maestro_cli.runbooks.linear_regex import line_regex

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = re.compile(r"\s*(==|!=|=~)\s*(\S.*?)\s*", re.DOTALL)
_FORM = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Expectation:
    text: str
    operator: str
    threshold: float
    word: str | None = None  # what text is compared with

    def holds(self, value: float | None) -> bool | None:
        """Whether the value satisfies it; None when there is no value to judge."""
        missing = value is None or math.isnan(value)
        if self.operator in ("absent", "present"):
            return missing if self.operator == "absent" else (None if missing else True)
        if missing or value is None or self.word is not None:
            return None
        return _OPERATORS[self.operator](value, self.threshold)

    def holds_text(self, text: str) -> bool:
        """Whether what was printed or answered satisfies it; an empty text is a missing value."""
        if not text or self.operator in ("absent", "present"):
            return self.operator == ("present" if text else "absent")
        if self.word is None:
            return _NUMBER.fullmatch(text) is not None and self.holds(float(text)) is True
        if self.operator == "=~":
            return line_regex(self.word).matches(text)
        return (text == self.word) == (self.operator == "==")


def parse_expectation(text: str) -> Expectation:
    """Read an expectation; `%` divides by a hundred. Raises ValueError."""
    word = text.strip()
    if word in ("absent", "present"):
        return Expectation(word, word, 0.0)
    match = _FORM.fullmatch(text)
    if match is None:
        return _of_text(text)
    threshold = float(match.group(2)) / (100.0 if match.group(3) else 1.0)
    return Expectation(word, match.group(1), threshold)


def _of_text(text: str) -> Expectation:
    match = _WORDS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an expectation such as '< 0.05', '== 0' or 'absent'")
    operator, word = match.groups()
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        word = word[1:-1]
    if operator == "=~":
        try:
            line_regex(word)
        except ValueError as error:
            raise ValueError(f"{word!r} is not a regular expression: {error}") from error
    return Expectation(text.strip(), operator, 0.0, word)
