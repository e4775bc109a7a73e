"""Who is on call as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.incidents.people.roster import OnCallNow
    from maestro_cli.incidents.people.schedule import Shift


def on_call_view(found: Sequence[OnCallNow]) -> Listing[OnCallNow]:
    """One line a schedule; JSON has null for a person who is not known, and an empty text for nobody."""
    columns: tuple[Column[OnCallNow], ...] = (
        Column("schedule", lambda one: one.schedule),
        Column(
            "on call",
            lambda one: "not known" if one.person is None else one.person or "nobody",
            tone=lambda one: "good" if one.person else "bad",
            priority=1,
        ),
        Column("until", lambda one: one.until),
        Column("then", lambda one: one.after if one.after != "" else "nobody"),
        Column("why", lambda one: one.why, priority=3),
        Column("zone", lambda one: one.zone, wide=True),
    )
    return Listing("oncall-list/v1", columns, found, empty="the on-call file has no schedule")


def shifts_view(found: Sequence[Shift]) -> Listing[Shift]:
    columns: tuple[Column[Shift], ...] = (
        Column("from", lambda one: one.begin),
        Column("until", lambda one: one.end, priority=1),
        Column(
            "for", lambda one: format_duration(seconds_between(one.begin, one.end)), right=True, priority=3
        ),
        Column(
            "on call",
            lambda one: one.person or "nobody",
            tone=lambda one: "" if one.person else "bad",
            priority=0,
        ),
        Column("why", lambda one: one.why, priority=3),
        Column("schedule", lambda one: one.schedule, wide=True),
    )
    return Listing("oncall-shifts/v1", columns, found)
