"""Label matchers as Alertmanager writes them: `severity=~"page|critical"`.

Invariant: a regular expression matches the whole value, in time in proportion to it, however hostile either
is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maestro_cli.core.linear_regex import LinearRegex, linear_regex
from maestro_cli.core.untrusted import visible

_MATCHER = re.compile(
    r"""\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*"""
)


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
        if self.regex is None or other.regex is None or not (self.is_positive and other.is_positive):
            return False
        return not self.regex.overlaps(other.regex)

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


def parse_matcher(text: str) -> Matcher:
    """Read one matcher; raises ValueError that says what is wrong."""
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise ValueError("is not a matcher")
    label, operator, quoted, bare = match.groups()
    value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None and operator in ("=", "!=") else quoted
    value = bare if value is None else value
    if operator in ("=", "!="):
        return Matcher(label, operator, value)
    try:
        return Matcher(label, operator, value, linear_regex(value))
    except ValueError as error:
        raise ValueError(f"is not a regular expression that can be used: {error}") from error


def mismatch(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> str:
    """The first matcher that does not hold, in words; empty when all do."""
    for matcher in matchers:
        if not matcher.holds(labels):
            found = labels.get(matcher.label)
            has = "it has no such label" if found is None else f"it is {visible(found, 60)!r}"
            return f"{matcher}: {has}"
    return ""
