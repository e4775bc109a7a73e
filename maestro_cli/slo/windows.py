"""Multi-window, multi-burn-rate alerting windows.

Invariant: an alert needs the long window (it matters) and the short one (it still happens). Factors
and windows of `production` are those of the Google SRE workbook, chapter 5, for a 30-day objective;
`drill` keeps the factors of pages, has one of tickets between the two, and shortens the windows so that a
rehearsal takes seconds, as it does the times of other alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class BurnWindow:
    severity: str
    factor: float
    long_seconds: float
    short_seconds: float
    hold_seconds: float = 0.0  # how long both must be over before anybody is told


@dataclass(frozen=True, slots=True)
class Profile:
    """How often Prometheus looks, and over which windows it judges.

    `minute_seconds` is how long a minute lasts that an alert of production waits or looks back.
    """

    name: str
    interval_seconds: float
    windows: tuple[BurnWindow, ...]
    minute_seconds: float = 60.0

    @property
    def spans_seconds(self) -> tuple[float, ...]:
        spans = {w.long_seconds for w in self.windows} | {w.short_seconds for w in self.windows}
        return tuple(sorted(spans))

    @property
    def is_shortened(self) -> bool:
        """Whether times written for production are others here."""
        return self.minute_seconds != _MINUTE

    def shortened(self, seconds: float, at_least: float) -> float:
        """A time of production here: in proportion, but so long at least, and at most the longest window."""
        if not self.is_shortened:
            return seconds
        return min(max(seconds * self.minute_seconds / _MINUTE, at_least), self.spans_seconds[-1])


PROFILES: dict[str, Profile] = {
    "production": Profile(
        "production",
        15.0,
        (
            BurnWindow("page", 14.4, 1 * _HOUR, 5 * _MINUTE),
            BurnWindow("page", 6.0, 6 * _HOUR, 30 * _MINUTE),
            BurnWindow("ticket", 3.0, 1 * _DAY, 2 * _HOUR),
            BurnWindow("ticket", 1.0, 3 * _DAY, 6 * _HOUR),
        ),
    ),
    "drill": Profile(
        "drill",
        1.0,
        (
            BurnWindow("page", 14.4, 20.0, 5.0),
            BurnWindow("page", 6.0, 60.0, 10.0),
            BurnWindow("ticket", 2.0, 30.0, 10.0, hold_seconds=45.0),  # whatever pages has paged by then
        ),
        minute_seconds=1.0,
    ),
}
