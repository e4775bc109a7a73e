"""The counters of an objective as one selector, and which series of its answer are which.

Invariant: the one selector takes at least the series of both counters, and each series is told by the
matchers themselves, so that what is counted is what two selectors would have given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from maestro_cli.core.promql import promql_string

QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)"""
METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
MATCHERS = rf"""\{{(?:[^{{}}"'`]|{QUOTED})*\}}"""
# a metric name and label matchers, no function, range or offset
SELECTOR = rf"{METRIC}\s*(?:{MATCHERS})?\s*"
_SELECTED = re.compile(rf"{QUOTED}|(?P<selector>(?:{METRIC}\s*)?{MATCHERS}|{METRIC}(?=\s*\[))")
_HEAD = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*")
_MATCHER = re.compile(
    r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*(?:,|(?=\}))"""
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")  # any other is written in quotes
_NAME = "__name__"


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """One matcher: `label sign value`, with the meaning it has in PromQL (a missing label is empty)."""

    label: str
    sign: str
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        found = labels.get(self.label, "")
        if self.sign in ("=", "!="):
            return (found == self.value) is (self.sign == "=")
        return (_expression(self.value).fullmatch(found) is not None) is (self.sign == "=~")

    def __str__(self) -> str:
        label = self.label if _LABEL.fullmatch(self.label) else promql_string(self.label)
        return f"{label}{self.sign}{promql_string(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric by its matchers, its name among them as `__name__`."""

    matches: frozenset[Match]

    @property
    def name(self) -> str | None:
        """The metric's name where there is exactly one."""
        named = [match.value for match in self.matches if match.label == _NAME and match.sign == "="]
        return named[0] if len(named) == 1 else None

    def takes(self, labels: Mapping[str, str]) -> bool:
        return all(match.holds(labels) for match in self.matches)

    def __str__(self) -> str:
        return "{" + ",".join(map(str, sorted(self.matches))) + "}"


def parse_selector(text: str) -> Selector:
    """Read `metric{label="value",…}`. Raises ValueError for what is no selector of series."""
    head = _HEAD.match(text)
    at = head.end() if head else 0
    found = [Match(_NAME, "=", head[1])] if head and head[1] else []
    rest = text[at:].strip()
    if rest:
        if not (rest.startswith("{") and rest.endswith("}")):
            raise ValueError(f'{text[:80]!r} is not a selector such as requests_total{{code="500"}}')
        at = 1
        while at < len(rest) - 1 and rest[at:-1].strip():
            match = _MATCHER.match(rest, at)
            if match is None:
                raise ValueError(f"{rest[at:][:80]!r} is not a label matcher")
            found.append(Match(match[1], match[2], unquoted(match[3])))
            at = match.end()
    if not found:
        raise ValueError("a selector needs a metric's name or a matcher")
    for one in found:
        if "~" in one.sign:
            _expression(one.value)
    return Selector(frozenset(found))


def selectors_in(promql: str) -> list[str]:
    """The selectors of a query that have matchers or a range, as they are written."""
    return [match["selector"] for match in _SELECTED.finditer(promql) if match["selector"]]


def joined(first: Selector, second: Selector) -> Selector | None:
    """One selector that takes the series of both, and not many others; None where there is none.

    Either one takes whatever the other takes, or both differ in their names and in the bucket alone.
    """
    if first.matches <= second.matches:
        return first
    if second.matches <= first.matches:
        return second
    names = sorted({one.name for one in (first, second) if one.name})
    common = first.matches & second.matches
    apart = [match for match in first.matches ^ second.matches if match.label != _NAME]
    if len(names) != 2 or any(match.label != "le" or match.sign not in ("=", "=~") for match in apart):
        return None
    if apart and (sum(name.endswith("_bucket") for name in names) != 1 or len(apart) > 1):
        return None
    either = Match(_NAME, "=~", "|".join(names))
    buckets = [
        Match("le", "=~", f"{match.value if match.sign == '=~' else re2.escape(match.value)}|")
        for match in apart
    ]
    return Selector(frozenset({*common, either, *buckets}))


@lru_cache(maxsize=512)
def _expression(text: str) -> Any:
    options = re2.Options()
    options.dot_nl, options.log_errors = True, False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise ValueError(f"{text[:80]!r} is not an expression of RE2") from error


def unquoted(literal: str) -> str:
    """The value of a PromQL string (Go's escapes)."""
    body = literal[1:-1]
    return body if literal[0] == "`" else _ESCAPE.sub(_escaped, body)


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if len(code) == 3:
        return chr(int(code, 8))
    return _SIMPLE.get(code, code)
