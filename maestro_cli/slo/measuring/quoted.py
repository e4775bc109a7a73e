"""Selectors with names in quotes, as Prometheus 3 has them."""

from __future__ import annotations

import re

from maestro_cli.slo.measuring.selectors import METRIC, QUOTED, Match, Selector, unquoted

_HEAD = re.compile(rf"\s*(?:(?P<plain>{METRIC})\s*\{{|\{{\s*(?P<quoted>{QUOTED})\s*(?=[,}}])|\{{)")
_MATCHER = re.compile(
    rf"(?P<label>{QUOTED}|[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>{QUOTED})"
)
_NAME = "__name__"


def parse_quoted(text: str) -> Selector:
    """Read `{"http.requests","http.code"="500"}`. Raises ValueError for what names no metric."""
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"{text[:80]!r} is not a selector of series")
    found = {
        Match(_label(match["label"]), match["sign"], unquoted(match["value"]))
        for match in _MATCHER.finditer(text, head.end())
    }
    if name := head["plain"] or (unquoted(head["quoted"]) if head["quoted"] else ""):
        found.add(Match(_NAME, "=", name))
    selector = Selector(frozenset(found))
    if selector.name is None:
        raise ValueError(f"{text[:80]!r} names no metric")
    return selector


def _label(text: str) -> str:
    return unquoted(text) if text[0] in "\"'`" else text
