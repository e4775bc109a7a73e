"""Label selectors as Kubernetes writes them in one line: `app=fraud,tier in (a,b),!canary`.

Invariant: an empty selector matches everything, as it does in `policy/v1`; a selector that cannot be
read raises, it never matches nothing in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TERM = re.compile(r"[^,(]+(?:\([^)]*\))?")
_SET = re.compile(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)")
_EQUALITY = re.compile(r"([^=!\s]+)\s*(==|=|!=)\s*(\S*)")
_EXISTS = re.compile(r"(!?)\s*([A-Za-z0-9][-A-Za-z0-9_./]*)")


def selector_matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy every requirement of a selector. Raises ValueError for one it cannot read.

    Grammar: `k8s.io/apimachinery/pkg/labels` (=, ==, !=, in, notin, exists, !exists).
    """
    return all(_holds(term.strip(), labels) for term in _TERM.findall(selector) if term.strip())


def _holds(term: str, labels: Mapping[str, str]) -> bool:
    if match := _SET.fullmatch(term):
        key, word, values = match.groups()
        known = {value.strip() for value in values.split(",")}
        inside = key in labels and labels[key] in known
        return inside if word == "in" else not inside
    if match := _EQUALITY.fullmatch(term):
        key, sign, value = match.groups()
        equal = labels.get(key) == value
        return not equal if sign == "!=" else equal
    if match := _EXISTS.fullmatch(term):
        return (match.group(2) in labels) is not bool(match.group(1))
    raise ValueError(f"{term!r} is not a label requirement")
