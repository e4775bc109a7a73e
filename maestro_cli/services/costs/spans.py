"""What the machines cost while an incident lasted, or a drill, which has an incident like any."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.chaos.drills.history import incident_of
from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.model import RowKind
from maestro_cli.cost.allocation.report import AllocationFound, IncidentSpan
from maestro_cli.cost.metering.model import HOUR, Hours, hour_of
from maestro_cli.cost.spans.span import LEAST_COMPARED, LOOK, span_cost
from maestro_cli.incidents.register import find_incident, survivor_of
from maestro_cli.services.costs.allocations import read_wanted
from maestro_cli.services.costs.windows import meter_hours

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices
    from maestro_cli.services.costs.wanted import AllocationWanted


def find_drill_cost(services: CostServices, wanted: AllocationWanted, drill: str) -> AllocationFound:
    """The same of a drill by its name or id; of those of one name the newest. Raises what that raises."""
    incident = incident_of(services.journal, drill)
    if not incident:
        raise NoData(
            f"no incident came of the drill {visible(drill, 60)}",
            why="it was not detected, so that nobody says when it began and was over",
            fix="maestro cost show --window 1h",
        )
    return find_incident_cost(services, wanted, incident)


def find_incident_cost(services: CostServices, wanted: AllocationWanted, reference: str) -> AllocationFound:
    """The hours of an incident, and what its part of them cost; as long before it is metered beside.

    Raises NotFound, UsageError, NoData, InvalidFile, Unreachable.
    """
    window = wanted.window
    if window.window or window.until or window.record:
        raise UsageError(
            "an incident says what its window is",
            why="it costs from its first signal until it was resolved",
            fix="leave out --window, --until and --from",
        )
    asked = read_wanted(wanted)
    incident = survivor_of(services.journal, find_incident(services.journal, reference))
    now = services.clock.now()
    until = hour_of(now) + (now - hour_of(now)) // LOOK * LOOK
    start, over = incident.times.started_at, incident.times.resolved_at
    end = min(over or until, until)
    if end <= start:
        raise NoData(
            f"incident #{incident.number} began less than a minute ago",
            why="use is looked at once a minute",
            fix="try again in a minute",
        )
    book = services.prices(window.prices).machines()
    metered = meter_hours(services, hours_around(start, end), now)
    hourly = allocate(metered, book, asked.grouping, asked.sharing, asked.where)
    cost = span_cost(hourly, start, end, until, lambda row: row.kind is not RowKind.OTHER)
    lasts = over is None or over > end
    span = IncidentSpan(incident.number, incident.title, incident.drill, lasts, cost)
    return AllocationFound(hourly, book.source, span=span)


def hours_around(start: datetime, end: datetime) -> Hours:
    """The hours that a span touches, and as long before it where the two can be compared."""
    length = end - start
    first = hour_of(start - length if length >= LEAST_COMPARED else start)
    last = hour_of(end)
    return Hours(first, (last - first) // HOUR + (end > last))
