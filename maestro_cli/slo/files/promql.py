"""What a file's PromQL counts: plain counters, a bucket of a histogram, or whatever else it says.

Invariant: queries stand for themselves: brackets and quotes are balanced and comments are gone, so that they
can be put between parentheses.
"""

from __future__ import annotations

import re

from maestro_cli.slo.measuring.selectors import QUOTED, parse_selector, selectors_in
from maestro_cli.slo.measuring.selectors import SELECTOR as _SELECTOR
from maestro_cli.slo.objectives import WINDOW, Counters, Latency, Queries

# a name in quotes, as Prometheus 3 has them: such series are counted by queries alone
_QUOTED_NAME = re.compile(rf"[{{,]\s*{QUOTED}\s*[=!,}}]")
SELECTOR = re.compile(_SELECTOR)
_MATCHER = re.compile(
    r"""\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<sign>=~|!~|!=|=)\s*"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*(?:,|$)"""
)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_PLACEHOLDER = re.compile(r"\{\{-?\s*\.?[wW]indow\s*-?\}\}|\$\{window\}")
# the events of one selector, by whatever range: that of each series, added up
_COUNTED = re.compile(
    rf"sum\s*\(\s*(?:(?P<how>rate|increase)\s*\(\s*(?P<ranged>{_SELECTOR})\[[^\]:]+\]\s*\)|(?P<bare>{_SELECTOR}))\s*\)"
)
_RATE, _INCREASE = re.compile(r"\bi?rate\s*\("), re.compile(r"\bincrease\s*\(")
# what is said of a ratio that `mixes_units`
MIXED = {
    "what": "divides what is counted by the second and what is counted over the range",
    "why": "one side has rate(), the other increase(): their ratio is off by the seconds of the range",
    "fix": "write rate() on both sides, or increase() on both",
}
_IN_QUOTES = re.compile(QUOTED)
_OR = re.compile(r"\bor\b", re.IGNORECASE)
_NOTHING = re.compile(r"(on\s*\(\s*\)\s*)?vector\s*\(\s*0\s*\)", re.IGNORECASE)
_MINUS = re.compile("-")
_TOKEN = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|.""", re.DOTALL)
_CLOSING = {")": "(", "}": "{", "]": "["}


def as_written(query: str) -> str:
    """The query with `$window` for whatever its format says, and without comments.

    Raises ValueError for one that is empty or not closed, and for matchers that Prometheus would refuse.
    """
    text, _ = _masked(_PLACEHOLDER.sub(WINDOW, query))
    if not text.strip():
        raise ValueError("is empty")
    for selector in selectors_in(text):
        if not _QUOTED_NAME.search(selector):
            try:
                parse_selector(selector)
            except ValueError as error:
                raise ValueError(f"selects nothing: {error}") from error
    return text.strip()


def indicator_of(*, total: str, bad: str | None, good: str | None) -> Counters | Latency | Queries:
    """Of queries `as_written`: a latency where the good events are a bucket, counters where each is the sum
    of one selector, else the queries as they are.
    """
    all_, part = _counted(total), _counted(_without_nothing(bad or good or ""))
    if all_ and not part and bad is not None:
        good_part = _complement(bad, all_)
        bad, good, part = (None, good_part, good_part) if good_part else (bad, good, part)
    if not all_ or not part:
        how = _how(" ".join(filter(None, (total, bad, good))))
        asked = [one if one is None else _asked(one, how) for one in (total, bad, good)]
        return Queries(total=asked[0] or "", bad=asked[1], good=asked[2])
    if good is None:
        return Counters(total=all_, bad=part)
    return _latency(part, all_) or Counters(total=all_, good=part)


def has_no_window(found: Counters | Latency | Queries) -> bool:
    """Whether it is a query that says nowhere over which range it is to be asked."""
    return isinstance(found, Queries) and not all(
        WINDOW in one for one in (found.total, found.bad, found.good) if one is not None
    )


def mixes_units(found: Counters | Latency | Queries) -> bool:
    """Whether one side is of each second and the other of the whole range: their ratio is no share."""
    if not isinstance(found, Queries):
        return False
    units = {_unit(one) for one in (found.total, found.bad, found.good) if one is not None}
    return len(units - {""}) > 1


def _unit(query: str) -> str:
    """What its functions count by; "" where that does not show."""
    text = _IN_QUOTES.sub("", query)
    is_rate, is_increase = (one.search(text) is not None for one in (_RATE, _INCREASE))
    return "" if is_rate is is_increase else "rate" if is_rate else "increase"


def _asked(query: str, how: str) -> str:
    """The query over `$window`; one that says nothing of how it counts is counted as the other one is."""
    text = _unwrapped(query)
    if SELECTOR.fullmatch(text):
        return f"sum({how}({text}[{WINDOW}]))"
    match = _COUNTED.fullmatch(text)
    if match is None:
        return query
    return f"sum({match['how'] or how}({(match['ranged'] or match['bare']).strip()}[{WINDOW}]))"


def _how(queries: str) -> str:
    """Whether what is beside a bare selector are rates; else they are taken as counts."""
    return "rate" if _RATE.search(queries) and not _INCREASE.search(queries) else "increase"


def _counted(query: str) -> str:
    """The selector whose events a query counts; "" where it is another query."""
    text = _unwrapped(query)
    match = _COUNTED.fullmatch(text)
    selector = (match["ranged"] or match["bare"]).strip() if match else text
    if not SELECTOR.fullmatch(selector):
        return ""
    try:
        parse_selector(selector)
    except ValueError:
        return ""  # by a name in quotes: what is no selector at all is refused `as_written`
    return selector


def _complement(bad: str, total: str) -> str:
    """The good events where the bad ones are all of them without the good ones."""
    text = _unwrapped(bad)
    signs = list(_MINUS.finditer(_masked(text)[1]))
    if len(signs) != 1 or _counted(text[: signs[0].start()].strip()) != total:
        return ""
    return _counted(text[signs[0].end() :].strip())


def _without_nothing(query: str) -> str:
    """Without the `or vector(0)` that makes a zero of a series that is not there: here it is one anyway."""
    signs = list(_OR.finditer(_masked(query)[1]))
    if len(signs) == 1 and _NOTHING.fullmatch(query[signs[0].end() :].strip()):
        return query[: signs[0].start()].strip()
    return query


def _unwrapped(text: str) -> str:
    """Without parentheses around the whole."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and not _masked(text)[1][1:-1].strip("\0"):
        text = text[1:-1].strip()
    return text


def _masked(query: str) -> tuple[str, str]:
    """The query without comments, and the same with NUL for all that is in brackets or quotes."""
    kept, mask, open_ = [], [], []  # type: list[str], list[str], list[str]
    for token in _TOKEN.findall(query):
        if token.startswith("#"):
            continue
        kept.append(token)
        if token in _CLOSING and (not open_ or open_.pop() != _CLOSING[token]):
            raise ValueError(f"closes {token!r} which is not open")
        if token in "\"'`":
            raise ValueError("has a quote that is not closed")
        mask.append(token if not open_ and len(token) == 1 else "\0" * len(token))
        if token in _CLOSING.values():
            open_.append(token)
    if open_:
        raise ValueError(f"leaves {open_[-1]!r} open")
    return "".join(kept), "".join(mask)


def _latency(good: str, total: str) -> Latency | None:
    """A bucket with a bound in seconds; the count of the same events of the histogram is not said twice."""
    name, matchers = _parts(good)
    base = name.removesuffix("_bucket")
    bounds = [value for label, sign, value in matchers if (label, sign) == ("le", "=")]
    if base == name or len(bounds) != 1 or not _NUMBER.fullmatch(bounds[0][1:-1]):
        return None
    others = [one for one in matchers if one[0] != "le"]
    inside = ", ".join(f"{label}{sign}{value}" for label, sign, value in others)
    counted, of_total = _parts(total)
    is_its_own = counted == f"{base}_count" and sorted(of_total) == sorted(others)
    histogram = f"{base}{{{inside}}}" if inside else base
    return Latency(histogram, float(bounds[0][1:-1]), total="" if is_its_own else total)


def _parts(selector: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The name and the matchers, each with its quotes; of what cannot be read whole none."""
    name, _, rest = selector.strip().partition("{")
    found: list[tuple[str, str, str]] = []
    at, inside = 0, rest.rstrip().removesuffix("}").rstrip()
    while at < len(inside):
        match = _MATCHER.match(inside, at)
        if match is None:
            return "", []
        found.append((match["name"], match["sign"], match["value"]))
        at = match.end()
    return name.strip(), found
