"""When experiments recur. Invariant: pure but for reading the file; what was missed is told, not made up for.

A tick may begin its experiment for `within` from its time on, once. Of several that passed, the newest alone
can be due.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from maestro_cli.config.experiments import Blackout, holds
from maestro_cli.config.strict import read_yaml
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.cron import Cron, began_at, next_start, parse_cron, starts_until
from maestro_cli.core.quantities import parse_duration_seconds

MAX_MISSED = 100  # times that are counted; more is said as `at least`
_YEAR = timedelta(days=367)


class SchedulePart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`experiment` (a name or a file) at each time of `cron` in `zone`, at most `within` late."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    experiment: Annotated[str, Meta(min_length=1)]
    cron: str
    zone: str = "UTC"
    within: str = "15m"
    seed: Annotated[int, Meta(ge=0)] | None = None


class SchedulesFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Experiments that recur."""

    maestro: Literal["chaos-schedules/v1"]
    schedules: Annotated[list[SchedulePart], Meta(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    experiment: str
    cron: Cron
    zone: ZoneInfo
    within: timedelta
    seed: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A schedule now: the tick that may begin (None: none), the next one, the last that was taken.

    `missed` are times since then that passed unused, the newest first, MAX_MISSED at most. `blackout` is the
    one that holds at the next time, "" for none.
    """

    schedule: Schedule
    due: datetime | None
    next: datetime | None
    last: str
    missed: tuple[datetime, ...]
    blackout: str


def read_schedules(path: Path) -> tuple[Schedule, ...]:
    """Raises InvalidFile, which names file, line and key."""
    document = read_yaml(path)
    shape = document.decode(SchedulesFile)
    found: list[Schedule] = []
    for index, one in enumerate(shape.schedules):
        at = ("schedules", index)
        if one.name in {other.name for other in found}:
            raise document.fail(f"{one.name} is there twice", (*at, "name"))
        try:
            within = timedelta(seconds=parse_duration_seconds(one.within))
            cron, zone = parse_cron(one.cron), ZoneInfo(one.zone)
        except (ValueError, OSError, KeyError) as error:
            raise document.fail(str(error)[:200], at, fix='cron: "0 10 * * tue"') from error
        found.append(Schedule(one.name, _reference(one.experiment, path), cron, zone, within, one.seed))
    return tuple(found)


def standing(
    schedule: Schedule, now: datetime, taken: Collection[str], blackouts: Sequence[Blackout]
) -> Standing:
    """`taken` are the ticks (RFC 3339) that began something."""
    last = max(taken, default="")
    due = began_at(schedule.cron, schedule.zone, schedule.within, now)
    if due is not None and to_rfc3339(due) in taken:
        due = None
    missed: list[datetime] = []
    for tick in starts_until(schedule.cron, schedule.zone, now, _YEAR) if last else ():
        if to_rfc3339(tick) <= last or len(missed) == MAX_MISSED:
            break
        if tick != due:
            missed.append(tick)
    coming = next_tick(schedule, now)
    dark = [one.name for one in blackouts if coming is not None and holds(one, coming)]
    return Standing(schedule, due, coming, last, tuple(missed), ", ".join(dark))


def next_tick(schedule: Schedule, now: datetime) -> datetime | None:
    """The first after `now`, within a year."""
    return next_start(schedule.cron, schedule.zone, now, _YEAR)


def _reference(text: str, file: Path) -> str:
    """A file is looked for beside the schedules; a name is one of the experiments there are."""
    return str(file.parent / text) if "/" in text or text.endswith((".yaml", ".yml", ".json")) else text
