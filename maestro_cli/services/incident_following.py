"""The gate of open incidents, and following them, one look a second.

Invariant: reads the journal alone; where there is none, nothing is known, and none is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from maestro_cli.config.explanation import suggestion
from maestro_cli.core.errors import Busy, NoData, TimedOut, UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.incidents.gate import GateReading, GateScope, read_gate
from maestro_cli.incidents.model import OPEN_STATES, Incident, State
from maestro_cli.services.intake import sight_of

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

LOOK_SECONDS = 1.0
BUSY_SECONDS = 60.0  # without any look
MAX_INCIDENTS = 100_000
Look = tuple[tuple[Incident, ...], tuple[Incident, ...]]  # all that are followed, those that changed

_BEFORE_MITIGATED = (State.DETECTED, State.TRIAGING, State.MITIGATING)
# what ends a watch, judged of all that are followed
UNTIL: Mapping[str, Callable[[Sequence[Incident]], bool]] = {
    "opened": lambda found: any(one.state.is_open for one in found),
    "acked": lambda found: all(one.times.acked_at or not one.state.is_open for one in found),
    "mitigated": lambda found: all(one.state not in _BEFORE_MITIGATED for one in found),
    "resolved": lambda found: not any(one.state.is_open for one in found),
}


def incident_gate(services: Services, scope: GateScope) -> GateReading:
    """Raises NoData where there is no journal, and whatever makes one unreadable."""
    if not services.journal_path.exists():
        raise NoData(
            f"nothing is known of incidents in the context {services.context_name}",
            why=f"there is no journal: {services.journal_path}",
            fix="maestro watch",
        )
    found = services.desk.list(states=OPEN_STATES, limit=MAX_INCIDENTS)
    return read_gate(found, scope, sight_of(services))


def follow_incidents(
    services: Services, ref: str, until: str, timeout: str, *, drills: bool
) -> Iterator[Look]:
    """Each look, with what changed since the one before; the last one is what ended it.

    Raises UsageError, NotFound, TimedOut, Interrupted, and Busy when the journal stays busy for a minute.
    """
    if until and until not in UNTIL:
        raise UsageError(
            f"--until {until[:60]!r} is no condition",
            why=suggestion(until, UNTIL),
            fix=f"--until {'|'.join(UNTIL)}",
        )
    limit = _seconds(timeout)
    clock = services.clock
    followed = services.desk.get(ref).id if ref else ""
    started = looked = clock.monotonic()
    before: dict[str, Incident] = {}
    while True:
        try:
            found = _look(services, followed, before, drills=drills)
        except Busy:
            if clock.monotonic() - looked > BUSY_SECONDS:
                raise
        else:
            looked = clock.monotonic()
            changed = tuple(one for one in found if before.get(one.id) != one)
            before = {one.id: one for one in found}
            shown = found if followed else tuple(one for one in found if one.state.is_open)
            yield shown, changed
            if until and UNTIL[until](found):
                return
            before = {one.id: one for one in shown}
        if limit is not None and clock.monotonic() - started >= limit:
            raise TimedOut(
                f"no end of the watch within {format_duration(limit)}",
                why=f"what is followed was not {until} yet" if until else "",
            )
        services.cancellation.pause(LOOK_SECONDS)


def _look(
    services: Services, followed: str, before: Mapping[str, Incident], *, drills: bool
) -> tuple[Incident, ...]:
    """The one that is followed, where it was merged into, or all that are open and those that were before."""
    desk = services.desk
    if followed:
        one = desk.get(followed)
        while one.merged_into:
            one = desk.get(one.merged_into)
        return (one,)
    found = desk.list(states=OPEN_STATES, drills=drills)
    ids = {one.id for one in found}
    return (*found, *(desk.get(gone) for gone in before if gone not in ids))


def _seconds(timeout: str) -> float | None:
    if not timeout:
        return None
    try:
        return parse_duration_seconds(timeout)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
