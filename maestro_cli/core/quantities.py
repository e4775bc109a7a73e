"""Durations and numbers as people write them. Invariant: seconds are floats, units are in names."""

from __future__ import annotations

import math
import re

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)(ms|[smhdw])")
_SUFFIXES = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "E": 1e18, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
    "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|[+-]?\.[0-9]+)([a-zA-Z]*)")


def parse_duration_seconds(text: str) -> float:
    """Seconds in a Prometheus-style duration such as `90s`, `5m`, `1h30m`, `250ms`.

    Raises ValueError; also when a unit comes twice or after a smaller one, as in `5m5m` or `5m1h`.
    """
    body = text.strip()
    if body == "0":
        return 0.0
    parts = list(_PART.finditer(body))
    sizes = [_UNIT_SECONDS[part.group(2)] for part in parts]
    is_whole = bool(body) and "".join(part.group(0) for part in parts) == body
    if not is_whole or sizes != sorted(set(sizes), reverse=True):
        raise ValueError(f"{text[:60]!r} is not a duration such as 30s, 5m or 1h30m")
    return sum(float(part.group(1)) * size for part, size in zip(parts, sizes, strict=True))


DURATION_CHARACTERS = "0123456789dhms.-"  # what `format_duration` writes the finite ones with


def format_duration(seconds: float) -> str:
    """A duration for people, two units at most: `0.4s`, `42s`, `3m05s`, `2h10m`, `4d03h`."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds <= -0.05:
        return "-" + format_duration(-seconds)
    if seconds < 9.95:
        return f"{abs(seconds):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def format_share(share: float) -> str:
    """A share as a percentage: `24.6%`, and with as many digits as tell it from none: `-0.04%`, `0.003%`.

    What is overspent more than tenfold is `under -1000%`.
    """
    if share < -10:
        return "under -1000%"
    texts = (f"{share:.{digits}%}" for digits in range(1, 7))
    return next((text for text in texts if float(text[:-1])), "0.0%")


def counted(number: int, noun: str) -> str:
    """`1 pod`, `2 pods`, `0 pods`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def prometheus_duration(seconds: float) -> str:
    """The shortest PromQL duration for a whole number of milliseconds: 300 → `5m`, 90 → `90s`."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def parse_quantity(text: str | int | float) -> float:
    """The number behind a Kubernetes quantity such as `250m`, `1.5`, `64Mi`. Raises ValueError."""
    if isinstance(text, (int, float)):
        return float(text)
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match.group(2) not in _SUFFIXES:
        raise ValueError(f"{text[:60]!r} is not a quantity such as 250m or 64Mi")
    value = float(match.group(1)) * _SUFFIXES[match.group(2)]
    if not math.isfinite(value):
        raise ValueError(f"{text[:60]!r} is too large a quantity")
    return value
