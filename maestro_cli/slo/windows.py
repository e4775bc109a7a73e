"""Multi-window, multi-burn-rate alerting windows.

Invariant: an alert needs the long window (it matters) and the short one (it still happens). Shares of the
budget and windows of `production` are those of the Google SRE workbook, chapter 5: they are given for 30 days
and follow the period of each objective. `drill` keeps the factors of pages, has one of tickets between the
two, and shortens the windows so that a rehearsal takes seconds, as it does the times of other alerts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PAGE, TICKET = "page", "ticket"
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_PERIOD = 30 * _DAY  # that the workbook's windows are given for
_MONTHS = (28 * _DAY, 31 * _DAY)  # periods that take those windows as they are
_SHORTEST_LONG, _SHORTEST_SHORT = 15 * _MINUTE, 5 * _MINUTE  # a scrape a minute fills them
_SHARES = (  # severity, share of the budget that is gone, in how long
    (PAGE, 0.02, 1 * _HOUR),
    (PAGE, 0.05, 6 * _HOUR),
    (TICKET, 0.1, 1 * _DAY),
    (TICKET, 0.1, 3 * _DAY),
)


@dataclass(frozen=True, slots=True)
class BurnWindow:
    severity: str
    factor: float
    long_seconds: float
    short_seconds: float
    hold_seconds: float = 0.0  # how long both must be over before anybody is told

    @property
    def spans(self) -> tuple[float, float]:
        """The long window and the short one."""
        return self.long_seconds, self.short_seconds


def burn_windows(period_seconds: float) -> tuple[BurnWindow, ...]:
    """The windows for any period: a page at 2 and 5 % of its budget, a ticket at 10 %.

    A month of any length has those of the workbook; another period has them in proportion, so that factors
    stay what they are and none is a pace that would last the period. The factor is always share · period /
    long, also where a window would be too short to be measured and is longer.
    """
    least, most = _MONTHS
    scale = 1.0 if least <= period_seconds <= most else period_seconds / _PERIOD
    found = []
    for severity, share, base_seconds in _SHARES:
        long = max(_whole_minutes(base_seconds * scale), _SHORTEST_LONG)
        short = max(_whole_minutes(long / 12), _SHORTEST_SHORT)
        found.append(BurnWindow(severity, round(share * period_seconds / long, 12), long, short))
    return tuple(found)


def spans_of(windows: Iterable[BurnWindow]) -> tuple[float, ...]:
    """Every length of the windows in seconds, the shortest first."""
    return tuple(sorted({seconds for w in windows for seconds in w.spans}))


def _whole_minutes(seconds: float) -> float:
    return round(seconds / _MINUTE) * _MINUTE


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
        return spans_of(self.windows)

    def windows_for(self, period_seconds: float) -> tuple[BurnWindow, ...]:
        """The windows for an objective over that period; a rehearsal has the same for all."""
        return self.windows if self.is_shortened else burn_windows(period_seconds)

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
        burn_windows(_PERIOD),
    ),
    "drill": Profile(
        "drill",
        1.0,
        (
            BurnWindow(PAGE, 14.4, 20.0, 5.0),
            BurnWindow(PAGE, 6.0, 60.0, 10.0),
            BurnWindow(TICKET, 2.0, 30.0, 10.0, hold_seconds=45.0),  # whatever pages has paged by then
        ),
        minute_seconds=1.0,
    ),
}
