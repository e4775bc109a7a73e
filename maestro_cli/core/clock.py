"""Time as an argument. Invariant: UTC and aware inside; local time exists on screen only."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where use cases get the time and wait; tests inject their own."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump, for time-outs."""

    def sleep(self, seconds: float) -> None:
        """Wait that long."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def to_rfc3339(instant: datetime) -> str:
    """UTC with microseconds and `Z`: sorts as text, and parses back to the same instant.

    Raises ValueError for an instant without a zone: it would be read as local time.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    # not strftime: it writes the year 1, Go's zero time, as `1`
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_rfc3339(text: str) -> datetime:
    """Parse RFC 3339 (Go prints up to nine fractional digits; six are kept). Raises ValueError."""
    body = text.strip()
    if body.endswith(("Z", "z")):
        body = body[:-1] + "+00:00"
    head, dot, tail = body.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        body = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    instant = datetime.fromisoformat(body)
    if instant.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 1 to 9999") from error


def youth(instant: datetime | None) -> float | None:
    """What sorts the youngest first, at any time: seconds before the epoch."""
    return None if instant is None else -instant.timestamp()


def seconds_between(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(seconds=1)
