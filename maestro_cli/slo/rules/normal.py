"""PromQL in one spelling, so that a query and what Prometheus prints of it are equal.

Invariant: two texts become equal only by what cannot change their meaning: white space, how a string or a
duration is written, the order of matchers, and where the labels of an aggregation stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(
    r"(?P<skip>\s+|\#[^\n]*)"
    r'|(?P<text>"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`)'
    r"|(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_:.]))"
    r"|(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"|(?P<sign>=~|!~|!=|==|>=|<=|.)",
    re.DOTALL,
)
_PART = re.compile(r"([0-9]+)(ms|[smhdwy])")
_MILLISECONDS = {
    "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000,
}  # fmt: skip
_AGGREGATIONS = {
    "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile",
    "count_values", "limitk", "limit_ratio",
}  # fmt: skip
_GROUPINGS = (["by"], ["without"])
_WORDS = {*_AGGREGATIONS, "by", "without", "and", "or", "unless", "bool", "on", "ignoring", "offset", "atan2"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_LONGEST, _DEEPEST = 20_000, 100  # characters and brackets: nobody's rule, and no work for a hostile one
Tokens = list[str]


def normal_query(text: str) -> str:
    """The query in that spelling.

    Total: what is no PromQL comes back in some spelling of its own, what is too long for a rule as it is.
    """
    if len(text) > _LONGEST:
        return text
    return " ".join(_grouped(_matched(_tokens(text))))


def _tokens(text: str) -> Tokens:
    found: Tokens = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind == "skip":
            continue
        if kind == "text":
            found.append(_quoted(token))
        elif kind == "duration":
            found.append(f"{sum(int(n) * _MILLISECONDS[unit] for n, unit in _PART.findall(token))}ms")
        elif kind == "number":
            found.append(_number(token))
        else:
            found.append(token.lower() if token.lower() in _WORDS else token)
    return found


def _quoted(token: str) -> str:
    """A string by its value: in one kind of quotes, with nothing escaped that need not be."""
    body = token[1:-1]
    value = body if token[0] == "`" else _ESCAPE.sub(_unescaped, body)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unescaped(match: re.Match[str]) -> str:
    told = match[1]
    if told[0] in "xuU" and len(told) > 1:
        code = int(told[1:], 16)
    elif told[0] in "01234567" and len(told) == 3:
        code = int(told, 8)
    else:
        return _ESCAPES.get(told, told)
    return chr(code) if code <= 0x10FFFF else match[0]


def _number(token: str) -> str:
    try:
        return repr(float(int(token, 16)) if token[:2] in ("0x", "0X") else float(token))
    except (ValueError, OverflowError):
        return token


def _matched(tokens: Tokens) -> Tokens:
    """With the matchers of each selector in order."""
    found: Tokens = []
    at = 0
    while at < len(tokens):
        end = _closing(tokens, at, "{", "}") if tokens[at] == "{" else at
        if end > at:
            matchers = sorted(filter(None, _split(tokens[at + 1 : end])))
            inside = [token for one in matchers for token in (*one, ",")][:-1]
            found += ["{", *inside, "}"] if inside else []
            at = end + 1
        else:
            found.append(tokens[at])
            at += 1
    return found


def _split(tokens: Tokens) -> list[Tokens]:
    """At the commas."""
    found: list[Tokens] = [[]]
    for token in tokens:
        if token == ",":
            found.append([])
        else:
            found[-1].append(token)
    return found


def _grouped(tokens: Tokens) -> Tokens:
    """With the labels of each aggregation before what it aggregates; none where there are none."""
    found = list(tokens)
    at = 0
    while at < len(found):
        if found[at] in _AGGREGATIONS:
            found = _one_grouped(found, at)
        at += 1
    return found


def _one_grouped(tokens: Tokens, at: int) -> Tokens:
    start = at + 1
    if tokens[start : start + 1] in _GROUPINGS:
        first, last = start, _closing(tokens, start + 1, "(", ")")
    else:
        end = _closing(tokens, start, "(", ")")
        if end == start or tokens[end + 1 : end + 2] not in _GROUPINGS:
            return tokens
        first, last = end + 1, _closing(tokens, end + 2, "(", ")")
    labels = tokens[first : last + 1]
    rest = [*tokens[:first], *tokens[last + 1 :]]
    return [*rest[:start], *([] if labels == ["by", "(", ")"] else labels), *rest[start:]]


def _closing(tokens: Sequence[str], at: int, opening: str, closing: str) -> int:
    """Where the bracket at that place is closed; the place itself where it is none, or never is."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place] == opening) - (tokens[place] == closing)
        if depth > _DEEPEST:
            break
        if depth == 0:
            return place if tokens[at : at + 1] == [opening] else at
    return at
