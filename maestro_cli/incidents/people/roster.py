"""Who is on call, whether the file says so or a pager.

Invariant: a schedule that is kept by a pager is asked of it each time; what it does not say is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from maestro_cli.core.errors import MaestroError, NotFound, UsageError
from maestro_cli.core.facts.oncall import PagedTurn
from maestro_cli.incidents.people.oncall import OnCall, Person
from maestro_cli.incidents.people.schedule import Schedule, Shift, shifts, who_is_on_call

AHEAD = timedelta(days=31)
_INSTANT = timedelta(minutes=1)


class PagerPort(Protocol):
    def turns(self, schedule_id: str, begin: datetime, end: datetime) -> tuple[PagedTurn, ...]:
        """Who is on call by a schedule at any time of that span, in order. Raises MaestroError."""


@dataclass(frozen=True, slots=True)
class OnCallNow:
    """Whose turn it is by a schedule: empty where it is nobody's, None where it is not known, and why.

    `until` and `after` (who comes then) are None where nothing changes within a month. `exit_code` is 0,
    or what kept it from being known.
    """

    schedule: str
    zone: str
    person: str | None
    why: str
    until: datetime | None
    after: str | None
    exit_code: int = 0


class Roster:
    """The people and schedules of one file; `pager` is called for once a schedule is kept by one."""

    def __init__(self, oncall: OnCall, pager: Callable[[], PagerPort]) -> None:
        self._oncall, self._pager = oncall, pager

    @property
    def oncall(self) -> OnCall:
        return self._oncall

    def named(self, name: str) -> str:
        """The schedule of that name, or the only one for an empty name; raises NotFound, UsageError."""
        known = list(self._oncall.schedules)
        if not name and len(known) > 1:
            raise UsageError("which schedule is meant is not said", fix=f"name one of: {', '.join(known)}")
        return self.schedule(name or next(iter(known), "")).name

    def everyone(self, at: datetime) -> tuple[OnCallNow, ...]:
        """Each schedule, in the order of the file; one that its pager does not tell says why."""
        return tuple(self._now(name, at) for name in self._oncall.schedules)

    def _now(self, name: str, at: datetime) -> OnCallNow:
        zone = self.schedule(name).zone.key
        try:
            found = self.shifts(name, at, at + AHEAD)
        except MaestroError as error:
            text = f"{error.what}: {error.why}" if error.why else error.what
            return OnCallNow(name, zone, None, text, None, None, error.exit_code)
        first, following = found[0], found[1] if len(found) > 1 else None
        until = first.end if following is not None else None
        after = following.person if following is not None else None
        return OnCallNow(name, zone, first.person, first.why, until, after)

    def schedule(self, name: str) -> Schedule:
        """Raises NotFound."""
        if name not in self._oncall.schedules:
            known = ", ".join(self._oncall.schedules) or "none"
            raise NotFound(f"there is no schedule {name!r}", why=f"{self._oncall.file} has: {known}")
        return self._oncall.schedules[name]

    def at(self, name: str, at: datetime) -> tuple[Person | None, str]:
        """Who it is, and why; None where it is nobody. Raises NotFound, and what the pager raises."""
        schedule = self.schedule(name)
        if not schedule.pagerduty:
            person, why = who_is_on_call(schedule, at)
            return self._oncall.people.get(person), why
        for turn in self._pager().turns(schedule.pagerduty, at, at + _INSTANT):
            if (turn.begin is None or turn.begin <= at) and (turn.end is None or at < turn.end):
                return self._paged(turn), "PagerDuty"
        return None, "nobody, says PagerDuty"

    def shifts(self, name: str, begin: datetime, end: datetime) -> tuple[Shift, ...]:
        """Without gap or overlap from `begin` to `end`. Raises NotFound, and what the pager raises."""
        schedule = self.schedule(name)
        if not schedule.pagerduty:
            return shifts(schedule, begin, end)
        found: list[Shift] = []
        at = begin
        for turn in self._pager().turns(schedule.pagerduty, begin, end):
            since, until = max(turn.begin or begin, at), min(turn.end or end, end)
            if until <= since:
                continue
            if since > at:
                found.append(Shift(name, "", at, since, "nobody, says PagerDuty"))
            found.append(Shift(name, self._paged(turn).id, since, until, "PagerDuty"))
            at = until
        return (*found, Shift(name, "", at, end, "nobody, says PagerDuty")) if at < end else tuple(found)

    def _paged(self, turn: PagedTurn) -> Person:
        """The person of the file with that address, else one of whom only the name is known."""
        address = turn.email.casefold()
        known = (one for one in self._oncall.people.values() if address and one.email.casefold() == address)
        return next(known, Person(turn.person, turn.person, turn.email))
