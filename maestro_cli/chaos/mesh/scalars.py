"""Text and numbers that Chaos Mesh checks beyond its resource definitions.

Invariant: what a check accepts Chaos Mesh 2.8 accepts; its answer is what is wrong, or "".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from maestro_cli.chaos.mesh.fields import NETEM_TIME
from maestro_cli.core.cron import parse_cron

_GO_PART = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h)"
_GO_DURATION = re.compile(rf"[-+]?(?:0|(?:{_GO_PART})+)")
_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)")
_RATE = re.compile(r"[0-9]+ ?(?:[kmgt]?bit|[kmgt]?bps)")
_SIZE = re.compile(r"[0-9]+(?:\.[0-9]+)? ?[kmgtp]?i?b?", re.IGNORECASE)
_NETEM = re.compile(NETEM_TIME)
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_EVERY = re.compile(rf"@every (?:{_GO_PART})+")
_NAMED = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_INT32, _INT64 = 2**31 - 1, 2**63 - 1


def go_seconds(text: str) -> float:
    """Seconds of a duration as Go writes it; raises ValueError."""
    if not _GO_DURATION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no duration")
    size = sum(float(number) * _GO_UNITS[unit] for number, unit in _PART.findall(text))
    return -size if text.startswith("-") else size


def _duration(text: str) -> str:
    return "" if _GO_DURATION.fullmatch(text) else "is no duration such as 30s, 5m or 1h30m (no days)"


def _decimal(text: str) -> str:
    return "" if _DECIMAL.fullmatch(text) else "is no number in quotes, such as '25'"


def _rate(text: str) -> str:
    return "" if _RATE.fullmatch(text.strip().lower()) else "is no rate such as 1mbps or 512kbit"


def _size(text: str) -> str:
    if text.endswith("%"):
        is_share = text[:-1].isdigit() and int(text[:-1]) <= 100
        return "" if is_share else "is no share from 0% to 100%"
    return "" if not text or _SIZE.fullmatch(text) else "is no size such as 256MB or 50%"


def _cron(text: str) -> str:
    if text in _NAMED or _EVERY.fullmatch(text):
        return ""
    fields = text.split()
    try:
        parse_cron(" ".join(fields[-5:]).replace("?", "*"))
    except ValueError as error:
        return str(error)
    return "" if len(fields) in (5, 6) else "has neither five nor six fields"


def _netem(text: str) -> str:
    return "" if _NETEM.fullmatch(text) else "is not one number and its unit, such as 100ms"


TEXT: Mapping[str, Callable[[str], str]] = {
    "duration": _duration,
    "decimal": _decimal,
    "rate": _rate,
    "size": _size,
    "cron": _cron,
    "netem": _netem,
}
# Name → the least and the greatest.
NUMBER: Mapping[str, tuple[int, int]] = {
    "int": (-_INT64 - 1, _INT64),
    "int64": (-_INT64 - 1, _INT64),
    "int32": (-_INT32 - 1, _INT32),
    "percent": (0, 100),
    "port": (1, 65_535),
}
