"""A few characters that are read as a picture: how something went, and which days were bad.

Invariant: what is not known is a blank in a line, and `?` (or `·`, where nothing was) in a strip, never the
lowest value; no colour is needed to read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BARS = "▁▂▃▄▅▆▇█"
NOT_SEEN = -1  # a level
_NOTHING, _UNSEEN = "·", "?"


def sparkline(values: Sequence[float | None], width: int, low: float, high: float) -> str:
    """Values as bars between two bounds, at most `width` of them; of those that share one the last counts."""
    count = min(width, len(values))
    groups = (values[len(values) * i // count : len(values) * (i + 1) // count] for i in range(count))
    return "".join(_bar(group[-1], low, high) for group in groups)


def strip(levels: Iterable[int | None]) -> str:
    """A character for each: 0 (nothing) to 4 (the worst), None without anything, or NOT_SEEN."""
    return "".join(_mark(level) for level in levels)


def bar(share: float, width: int) -> str:
    """A share of 0 to 1 as a bar of at most `width` characters; what is more than nothing is seen."""
    eighths = min(max(round(share * width * 8), 1 if share > 0 else 0), 8 * width)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _mark(level: int | None) -> str:
    if level is None:
        return _NOTHING
    return _UNSEEN if level == NOT_SEEN else " ░▒▓█"[min(max(level, 0), 4)]


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None or not high > low:
        return " "
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return BARS[round(share * (len(BARS) - 1))]
