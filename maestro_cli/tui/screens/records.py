"""What maestro knows of itself: the journal, the doctor's findings, the drills there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.journal import journal_feed
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.core.facts.endpoints import EndpointCheck
    from maestro_cli.incidents.overview import Overview
    from maestro_cli.journal.model import Event
    from maestro_cli.output.renderers.contexts import Finding
    from maestro_cli.output.views import Listing, Report
    from maestro_cli.services.root import Services

NEWEST = 2000  # events that the journal's screen reads


@dataclass(frozen=True, slots=True)
class Examined:
    findings: tuple[Finding, ...]
    checks: tuple[EndpointCheck, ...]


def overview_type() -> Any:
    from maestro_cli.incidents.overview import Overview

    return Overview


def read_journal(services: Services, argument: str) -> tuple[Event, ...]:
    """The newest events, the newest first."""
    journal = services.journal
    after = max(journal.head().seq - NEWEST, 0)
    return tuple(reversed(journal.events(after=after)))


def read_doctor(services: Services, argument: str) -> Examined:
    findings, checks = services.examine()
    return Examined(tuple(findings), tuple(checks))


def read_drills(services: Services, argument: str) -> tuple[Scenario, ...]:
    from maestro_cli.chaos.drills.scenarios import SCENARIOS

    return tuple(SCENARIOS)


def read_status(services: Services, argument: str) -> Overview:
    return services.overview()


JOURNAL = journal_feed("journal", read_journal)
DOCTOR: Feed[Examined] = Feed("doctor", "maestro itself", 15.0, read_doctor)
DRILLS: Feed[tuple[Scenario, ...]] = Feed("drills", "maestro itself", 3600.0, read_drills)
STATUS: Feed[Overview] = Feed(
    "status", "all backends", 5.0, read_status, item=overview_type, is_kept_when_shown=True
)


def journal_listing(events: Sequence[Event], moment: Moment) -> Listing[Event]:
    from maestro_cli.output.renderers.journal import events_view

    return events_view(events)


def doctor_report(found: Examined, moment: Moment) -> Report:
    from maestro_cli.output.renderers.contexts import doctor_view

    return doctor_view(found.findings, found.checks)


def drills_listing(drills: Sequence[Scenario], moment: Moment) -> Listing[Scenario]:
    from maestro_cli.output.renderers.drills import scenarios_view

    return scenarios_view(drills)


def status_report(overview: Overview, moment: Moment) -> Report:
    from maestro_cli.output.renderers.overview import overview_view

    return overview_view(overview, moment.now)


def named(kind: str, text: str) -> Any:
    """What makes a target of an item whose `text` attribute names it."""

    def target(item: Any, place: Place) -> Target:
        name = str(getattr(item, text))
        return Target(place.context, kind, name, name, item)

    return target


SCREENS = (
    ReportScreen(
        id="status",
        title="Status",
        help="What is wrong at a glance: incidents, workloads, objectives, alerts, what is unusual.",
        feed=STATUS,
        report=status_report,
        aliases=("overview", "alerts"),
        digit="1",
    ),
    TableScreen(
        id="journal",
        title="Journal",
        help="The record of everything that happened, newest first.",
        feed=JOURNAL,
        rows=tuple,
        listing=journal_listing,
        key=lambda event: str(event.seq),
        target=named("Event", "seq"),
        aliases=("events", "audit"),
        has_namespace=False,
    ),
    ReportScreen(
        id="doctor",
        title="Doctor",
        help="Paths, versions, endpoints, and what works.",
        feed=DOCTOR,
        report=doctor_report,
        aliases=("info",),
    ),
    TableScreen(
        id="drills",
        title="Drills",
        help="The drills there are; `maestro drill run NAME` plays one.",
        feed=DRILLS,
        rows=tuple,
        listing=drills_listing,
        key=lambda drill: drill.name,
        target=named("Drill", "name"),
        says=lambda target: f"maestro drill run {target.name} plays it, in another terminal",
        aliases=("drill",),
        has_namespace=False,
    ),
)
