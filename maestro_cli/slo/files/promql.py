"""What a file's PromQL counts: plain counters, a bucket of a histogram, or whatever else it says."""

from __future__ import annotations

import re

from maestro_cli.slo.objectives import Counters, Latency

# a metric name and label matchers, no function, range or offset: rate() is put around it
SELECTOR = re.compile(
    r"""[a-zA-Z_:][a-zA-Z0-9_:]*\s*(\{([^{}"'`]|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'|`[^`]*`)*\})?\s*"""
)
_MATCHER = re.compile(
    r"""\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<sign>=~|!~|!=|=)\s*"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*(?:,|$)"""
)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def indicator_of(*, total: str, bad: str | None, good: str | None) -> Counters | Latency:
    """Of counter selectors: a latency where the good events are a bucket of all, else counters."""
    latency = None if good is None else _latency(good, total)
    return Counters(total, bad, good) if latency is None else latency


def _latency(good: str, total: str) -> Latency | None:
    """A bucket with a bound in seconds, and the count of the same histogram by the same matchers."""
    name, matchers = _parts(good)
    base = name.removesuffix("_bucket")
    bounds = [value for label, sign, value in matchers if (label, sign) == ("le", "=")]
    if base == name or len(bounds) != 1 or not _NUMBER.fullmatch(bounds[0][1:-1]):
        return None
    others = [one for one in matchers if one[0] != "le"]
    counted, of_total = _parts(total)
    if counted != f"{base}_count" or sorted(of_total) != sorted(others):
        return None
    inside = ", ".join(f"{label}{sign}{value}" for label, sign, value in others)
    return Latency(f"{base}{{{inside}}}" if inside else base, float(bounds[0][1:-1]))


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
