"""Comparisons as people write them in runbooks: `< 0.5`, `>= 3`, `== 0`, `absent`, `present`.

Invariant: a missing value or NaN satisfies nothing but `absent`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_FORM = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Expectation:
    text: str
    operator: str
    threshold: float

    def holds(self, value: float | None) -> bool | None:
        """Whether the value satisfies it; None when there is no value to judge."""
        missing = value is None or math.isnan(value)
        if self.operator in ("absent", "present"):
            return missing if self.operator == "absent" else (None if missing else True)
        if missing or value is None:
            return None
        return _OPERATORS[self.operator](value, self.threshold)


def parse_expectation(text: str) -> Expectation:
    """Read an expectation; `%` divides by a hundred. Raises ValueError."""
    word = text.strip()
    if word in ("absent", "present"):
        return Expectation(word, word, 0.0)
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an expectation such as '< 0.05', '== 0' or 'absent'")
    threshold = float(match.group(2)) / (100.0 if match.group(3) else 1.0)
    return Expectation(word, match.group(1), threshold)
