"""Conditions as people write them in runbooks: `check.ok and ($KEEP == "yes" or $RATIO < 0.5)`.

Grammar: `or`, `and`, `not`, parentheses; `==`, `!=`, `<`, `<=`, `>`, `>=`, and `=~` (a regular expression
that matches the whole value) between `$NAME`, quoted text and numbers; `ID.ok`, `ID.failed`, `ID.skipped`.
Invariant: nothing else can be written; what has no value, or is no number where one is compared, is an error
and never true or false. Beside a number, `==` compares numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maestro_cli.runbooks.linear_regex import line_regex

MAX_LENGTH = 1000
_MAX_DEPTH = 20
_TOKEN = re.compile(
    r"\s*(?:(?P<value>\$[A-Z][A-Z0-9_]*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<step>[A-Za-z0-9][A-Za-z0-9_-]*\.(?:ok|failed|skipped)(?![A-Za-z0-9_.-]))"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))"
    r"|(?P<word>and|or|not)(?![A-Za-z0-9_-])"
    r"|(?P<sign>==|!=|<=|>=|=~|<|>|\(|\)))"
)
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known: values by name, and for each step `ok`, `failed` or `skipped`, or nothing yet."""

    values: Mapping[str, str]
    steps: Mapping[str, str]


_Test = Callable[[Facts], bool]
_Read = Callable[[Facts], str]


@dataclass(frozen=True)  # no slots: it is compared by its text
class Condition:
    """A condition that was read; `names` and `steps` are what it refers to."""

    text: str
    names: frozenset[str]
    steps: frozenset[str]

    def holds(self, facts: Facts) -> bool:
        """Raises ValueError when it cannot be decided."""
        return _Reading(self.text).whole()(facts)


def parse_condition(text: str) -> Condition:
    """Read a condition; raises ValueError that says what is wrong."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    reading = _Reading(text)
    reading.whole()
    return Condition(text, frozenset(reading.names), frozenset(reading.steps))


class _Reading:
    """Reads a condition by descent, a method a level of binding."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self.names: set[str] = set()
        self.steps: set[str] = set()

    def whole(self) -> _Test:
        test = self._either()
        if self._at < len(self._tokens):
            raise ValueError(f"did not expect {self._tokens[self._at][1]!r}")
        return test

    def _next(self, *wanted: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at][1] in wanted:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _either(self) -> _Test:
        parts = [self._both()]
        while self._next("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda facts: any(part(facts) for part in parts)

    def _both(self) -> _Test:
        parts = [self._single()]
        while self._next("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda facts: all(part(facts) for part in parts)

    def _single(self) -> _Test:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("is nested too deeply")
        try:
            if self._next("not"):
                inner = self._single()
                return lambda facts: not inner(facts)
            if self._next("("):
                inner = self._either()
                if not self._next(")"):
                    raise ValueError("a parenthesis is not closed")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> _Test:
        kind, word = self._operand()
        if kind == "step":
            name, _, state = word.rpartition(".")
            self.steps.add(name)
            return lambda facts: facts.steps.get(name, "") == state
        sign = self._next("==", "!=", "=~", *_ORDER)
        if sign is None:
            raise ValueError(f"{word} needs a comparison, such as == 'yes'")
        other_kind, other = self._operand()
        if other_kind == "step":
            raise ValueError(f"{other} cannot be compared")
        left, right = self._read(kind, word), self._read(other_kind, other)
        if sign == "=~":
            return _matching(left, other_kind, other)
        if sign in _ORDER:
            order = _ORDER[sign]
            return lambda facts: order(_number(left(facts)), _number(right(facts)))
        numeric, same = "number" in (kind, other_kind), sign == "=="
        if numeric:
            return lambda facts: (_number(left(facts)) == _number(right(facts))) is same
        return lambda facts: (left(facts) == right(facts)) is same

    def _operand(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError("ends too early")
        kind, word = self._tokens[self._at]
        if kind in ("word", "sign"):
            raise ValueError(f"did not expect {word!r}")
        self._at += 1
        return kind, word

    def _read(self, kind: str, word: str) -> _Read:
        if kind == "value":
            name = word[1:]
            self.names.add(name)
            return lambda facts: _value(facts, name)
        said = word[1:-1] if kind == "text" else word
        return lambda facts: said


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"cannot be read from {text[at:].strip()[:30]!r} on")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _matching(left: _Read, kind: str, word: str) -> _Test:
    if kind != "text":
        raise ValueError("=~ needs a quoted regular expression")
    try:
        pattern = line_regex(word[1:-1])
    except ValueError as error:
        raise ValueError(f"{word} is not a regular expression: {error}") from error
    return lambda facts: pattern.matches(left(facts))


def _value(facts: Facts, name: str) -> str:
    if name not in facts.values:
        raise ValueError(f"${name} has no value")
    return facts.values[name]


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a number")
    return float(text)
