"""When something is due, as people write it: `3d`, `2026-12-01`, `2026-12-01 17:00`, or RFC 3339."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.quantities import parse_duration_seconds

LONGEST_SECONDS = 10 * 366 * 86400.0


def parse_due(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The instant; a day alone is meant to its end, and what has no offset in `zone`, else local time.

    Raises ValueError, also for what is more than ten years from now.
    """
    due = _read(text.strip(), now, zone)
    if abs((due - now).total_seconds()) > LONGEST_SECONDS:
        raise ValueError(f"{text[:60]!r} is more than ten years from now")
    return due


def _read(word: str, now: datetime, zone: tzinfo | None) -> datetime:
    try:
        seconds = parse_duration_seconds(word)
    except ValueError:
        pass
    else:
        if seconds > LONGEST_SECONDS:
            raise ValueError(f"{word[:60]!r} is more than ten years from now")
        return now + timedelta(seconds=seconds)
    try:
        wall = datetime.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{word[:60]!r} is no time such as 3d, 2026-12-01 or 2026-12-01T17:00Z") from None
    if wall.tzinfo is not None:
        return from_rfc3339(wall.isoformat())
    if len(word) <= 10:
        wall = datetime.combine(wall.date(), time(23, 59, 59))
    try:
        local = wall.replace(tzinfo=zone) if zone is not None else wall.astimezone()
    except OverflowError:
        raise ValueError(f"{word[:60]!r} is more than ten years from now") from None
    return from_rfc3339(local.isoformat())
