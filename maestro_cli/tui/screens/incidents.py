"""Incidents of the scope: the open ones first, the gravest of those before the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.output.views import Listing
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.journal import journal_feed
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.incident_actions import ACTIONS
from maestro_cli.tui.screens.model import Moment, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.incidents.model import Incident
    from maestro_cli.incidents.people.model import Standing
    from maestro_cli.incidents.unanswered import Unanswered
    from maestro_cli.services.root import Services

NEWEST = 500  # incidents that are over and still listed


@dataclass(frozen=True, slots=True)
class Row:
    """An incident and its people."""

    incident: Incident
    people: Standing


def read_incidents(services: Services, namespace: str) -> tuple[Row, ...]:
    """Those of a namespace or of none, drills as well; all of them for "".

    Open before over, then by severity, then the newest first.
    """
    found = [
        one
        for one in services.incidents(open_only=False, drills=True)
        if namespace in ("", one.namespace) or one.namespace is None
    ]
    open_ones = sorted((one for one in found if one.state.is_open), key=lambda one: one.severity.value)
    shown = (*open_ones, *[one for one in found if not one.state.is_open][:NEWEST])
    people = services.standings(shown)
    return tuple(Row(one, people[one.id]) for one in shown)


INCIDENTS = journal_feed("incidents", read_incidents)


def incidents_listing(rows: Sequence[Row], moment: Moment) -> Listing[Row]:
    """The columns of `incident list`."""
    from maestro_cli.output.renderers.incidents import incidents_view

    people = {row.incident.id: row.people for row in rows}
    view = incidents_view([row.incident for row in rows], moment.now, people)
    columns = tuple(column.of(lambda row: row.incident) for column in view.columns)
    return Listing(view.schema, columns, rows, lambda row: view.document(row.incident), view.empty)


def read_unanswered(services: Services, argument: str) -> Unanswered:
    return services.unanswered()


UNANSWERED: Feed[Unanswered] = Feed("unanswered", "the source of alerts", 10.0, read_unanswered)


def lines_above(found: Unanswered, now: datetime) -> Sequence[str]:
    from maestro_cli.output.renderers.unanswered import unanswered_lines

    return unanswered_lines(found, now)


def incident_target(incident: Incident, context: str) -> Target:
    """By its id; people call it by its number."""
    return Target(context, "Incident", incident.id, f"#{incident.number}", incident)


def opened(target: Target) -> Place:
    return Place("incident", target.name, target.context)


SCREENS = (
    TableScreen(
        id="incidents",
        title="Incidents",
        help="What people respond to: the open ones first, with state, owner, next update and tasks.",
        feed=INCIDENTS,
        rows=tuple,
        listing=incidents_listing,
        key=lambda row: row.incident.id,
        target=lambda row, place: incident_target(row.incident, place.context),
        opens=opened,
        above=UNANSWERED,
        lines_above=lines_above,
        aliases=("inc", "incident-list"),
        actions=ACTIONS,
        digit="7",
        has_namespace=False,  # nobody is told that all is quiet because of what was looked at last
    ),
)
