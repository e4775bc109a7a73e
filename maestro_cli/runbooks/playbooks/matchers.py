"""Label matchers as Alertmanager writes them: `severity=~"page|critical"`.

Invariant: a regular expression matches the whole value, in time in proportion to it, however hostile either
is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.linear_regex import LinearRegex, linear_regex

_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"  # any other is written in quotes: Prometheus 3 has all of UTF-8
_MATCHER = re.compile(
    rf"""\s*({_LABEL}|"(?:[^"\\]|\\.)+")\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*"""
)

_PLAIN = re.compile(r"(\.\*)?([\w -]*)(\.\*)?")
_Shape = tuple[bool, str, bool]  # whether anything may stand before its words, the words, and after them


@dataclass(frozen=True, slots=True)
class Matcher:
    """One comparison of a label; a label that is not there is the empty text, as in Prometheus."""

    label: str
    operator: str
    value: str
    regex: LinearRegex | None = field(default=None, compare=False)

    @property
    def is_positive(self) -> bool:
        """Whether it says what the label is, and not what it is not."""
        return self.operator in ("=", "=~")

    def holds(self, labels: Mapping[str, str]) -> bool:
        text = labels.get(self.label, "")
        same = self.regex.matches(text) if self.regex is not None else text == self.value
        return same is self.is_positive

    def excludes(self, other: Matcher) -> bool:
        """Whether no value of the label can satisfy both; False when that cannot be told."""
        if self.label != other.label:
            return False
        for one, another in ((self, other), (other, self)):
            if one.operator == "=":
                return not another.holds({one.label: one.value})
        if self.operator != "=~" or other.operator != "=~":
            return False
        mine, theirs = _shapes(self.value), _shapes(other.value)
        for one, shapes in ((other, mine), (self, theirs)):
            if any(one.holds({one.label: shape[1]}) for shape in shapes if shape and _is_whole(shape)):
                return False
        return not any(_may_meet(one, another) for one in mine for another in theirs)

    def __str__(self) -> str:
        label = self.label if re.fullmatch(_LABEL, self.label) else f'"{self.label}"'
        return f'{label}{self.operator}"{self.value}"'


def read_matchers(
    texts: Sequence[str], refused: Callable[[int, str, str, str], Exception]
) -> tuple[Matcher, ...]:
    """Those of a file; raises what `refused` makes of the place in the list and what is wrong there."""
    found = []
    for number, text in enumerate(texts):
        try:
            found.append(parse_matcher(text))
        except ValueError as error:
            what, _, why = str(error).partition(": ")
            fix = "" if why else "write 'severity=\"page\"' or 'job=~\"a|b\"'"
            raise refused(number, what, visible(why, 300), fix) from error
    return tuple(found)


def parse_matcher(text: str) -> Matcher:
    """Read one matcher; raises ValueError that says what is wrong."""
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise ValueError("is not a matcher")
    label, operator, quoted, bare = match.groups()
    label = _unescaped(label[1:-1]) if label.startswith('"') else label
    value = _unescaped(quoted) if quoted is not None and operator in ("=", "!=") else quoted
    value = bare if value is None else value
    if operator in ("=", "!="):
        return Matcher(label, operator, value)
    try:
        return Matcher(label, operator, value, linear_regex(value))
    except ValueError as error:
        raise ValueError(f"is not a regular expression that can be used: {error}") from error


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


def _shapes(expression: str) -> list[_Shape | None]:
    """Of each alternative, or None for one that is not as plain as `page`, `.*-latency` or `fraud.*`."""
    found = (_PLAIN.fullmatch(one) for one in expression.split("|"))
    return [one and (bool(one[1]), one[2], bool(one[3])) for one in found]


def _is_whole(shape: _Shape) -> bool:
    return not (shape[0] or shape[2])


def _may_meet(one: _Shape | None, other: _Shape | None) -> bool:
    """Whether some text has both shapes; True as well when that cannot be told."""
    if one is None or other is None:
        return True
    if _is_whole(one) or _is_whole(other):
        return False  # their one text was tried
    short, long = sorted((one[1], other[1]), key=len)
    if not (one[0] or other[0]):
        return long.startswith(short)
    return long.endswith(short) if not (one[2] or other[2]) else True


def mismatch(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> str:
    """The first matcher that does not hold, in words; empty when all do."""
    for matcher in matchers:
        if not matcher.holds(labels):
            found = labels.get(matcher.label)
            has = "it has no such label" if found is None else f"it is {visible(found, 60)!r}"
            return f"{matcher}: {has}"
    return ""
