"""Series that a selector takes, made up: for unit tests of rules.

Invariant: what is given was checked against every matcher; None is the honest answer where none was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import re2

from maestro_cli.core.promql import promql_string

_SELECTOR = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_MATCHER = re.compile(
    r"""\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"""
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*(?:,|$)"""
)
_SIMPLE = re.compile(r"\\(.)|\[([^\]^])[^\]]*\]|(\.[*+?]?)|([()^$?*+])", re.DOTALL)
_GUESSES = ("other", "200", "500", "a", "0", "")


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    op: str
    value: str

    def takes(self, text: str) -> bool:
        """As Prometheus: a label that is not there is empty, and an expression is anchored."""
        if self.op in ("=", "!="):
            return (self.value == text) is (self.op == "=")
        try:
            matched = re2.fullmatch(self.value, text) is not None
        except re2.error:
            return False
        return matched is (self.op == "=~")

    @property
    def candidates(self) -> Iterator[str]:
        """Values that it may take, or surely not."""
        if self.op in ("=", "!="):
            yield self.value
        else:
            for one in self.value.strip("()^$").split("|"):
                yield _SIMPLE.sub(_simplest, one)


@dataclass(frozen=True, slots=True)
class Selector:
    metric: str
    matchers: tuple[Matcher, ...]


def parse_selector(text: str) -> Selector | None:
    """None for what is more than a metric and its matchers."""
    match = _SELECTOR.fullmatch(text)
    if match is None:
        return None
    inside, found, at = (match[2] or "").strip(), [], 0
    while at < len(inside):
        one = _MATCHER.match(inside, at)
        if one is None:
            return None
        found.append(Matcher(one[1], one[2], _value(one[3])))
        at = one.end()
    return Selector(match[1], tuple(found))


def example(takes: Selector, refuses: Selector | None = None) -> dict[str, str] | None:
    """The labels of a series that one selector takes, and the other, where there is one, does not."""
    labels = _taken(takes.matchers)
    if labels is None or refuses is None or refuses.metric != takes.metric:
        return labels
    for matcher in refuses.matchers:
        own = [one for one in takes.matchers if one.label == matcher.label]
        for value in _values((*own, matcher)):
            if all(one.takes(value) for one in own) and not matcher.takes(value):
                return {**labels, matcher.label: value}
    return None


def both(one: Selector, other: Selector) -> Selector:
    """What is taken by the two, where they are of one metric; else the first."""
    return Selector(one.metric, (*one.matchers, *other.matchers)) if one.metric == other.metric else one


def series_text(metric: str, labels: Mapping[str, str]) -> str:
    """`metric{a="b"}`, without empty labels."""
    inside = ",".join(f"{name}={promql_string(value)}" for name, value in sorted(labels.items()) if value)
    return f"{metric}{{{inside}}}"


def _taken(matchers: Iterable[Matcher]) -> dict[str, str] | None:
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_label.setdefault(matcher.label, []).append(matcher)
    found: dict[str, str] = {}
    for label, own in by_label.items():
        value = next((one for one in _values(own) if all(matcher.takes(one) for matcher in own)), None)
        if value is None:
            return None
        found[label] = value
    return found


def _values(matchers: Iterable[Matcher]) -> Iterator[str]:
    for matcher in matchers:
        yield from matcher.candidates
    yield from _GUESSES


def _simplest(match: re.Match[str]) -> str:
    """The shortest text of a piece of an expression, as a guess: `5..` is 500, `\\.` a dot."""
    escaped, first, dot, _ = match.groups()
    if escaped:
        return {"d": "0", "w": "a", "s": " "}.get(escaped, escaped)
    if first:
        return str(first)
    return "0" if dot in (".", ".+") else ""


def _value(text: str) -> str:
    return text[1:-1] if text[0] == "`" else re.sub(r"\\(.)", r"\1", text[1:-1])
