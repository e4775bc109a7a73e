"""What maestro knows of itself: the journal, the doctor's findings, the drills there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.journal import journal_feed
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.drill_actions import PLAY, why_not_played
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.history import Scored
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.core.facts.endpoints import EndpointCheck
    from maestro_cli.incidents.overview import Overview
    from maestro_cli.journal.model import Event
    from maestro_cli.output.renderers.contexts import Finding
    from maestro_cli.output.views import Report
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


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A drill that there is, and the score of the last time that it was played."""

    scenario: Scenario
    score: Scored | None = None

    @property
    def name(self) -> str:
        return self.scenario.name


def read_drills(services: Services, argument: str) -> tuple[Rehearsed, ...]:
    """Those that ship, then the experiments that are drills."""
    from maestro_cli.chaos.drills.history import last_scores
    from maestro_cli.chaos.drills.scenarios import SCENARIOS

    scores = last_scores(services.journal)
    there = (*SCENARIOS, *services.experiment_drills())
    return tuple(Rehearsed(one, scores.get(one.name)) for one in there)


def read_status(services: Services, argument: str) -> Overview:
    return services.overview()


JOURNAL = journal_feed("journal", read_journal)
DOCTOR: Feed[Examined] = Feed("doctor", "maestro itself", 15.0, read_doctor)
DRILLS = journal_feed("drills", read_drills)
STATUS: Feed[Overview] = Feed(
    "status", "all backends", 5.0, read_status, item=overview_type, is_kept_when_shown=True
)


def journal_listing(events: Sequence[Event], moment: Moment) -> Listing[Event]:
    from maestro_cli.output.renderers.journal import events_view

    return events_view(events)


def doctor_report(found: Examined, moment: Moment) -> Report:
    from maestro_cli.output.renderers.contexts import doctor_view

    return doctor_view(found.findings, found.checks)


def drills_listing(drills: Sequence[Rehearsed], moment: Moment) -> Listing[Rehearsed]:
    """The columns of `drill list`, with how each came out last."""
    from maestro_cli.output.renderers.drills import scenarios_view

    shown = scenarios_view([one.scenario for one in drills])
    name, *others = (column.of(lambda one: one.scenario) for column in shown.columns)
    last = Column("last score", score_words, tone=_score_tone, priority=2)
    columns: tuple[Column[Any], ...] = (name, last, *others)
    return Listing(shown.schema, columns, drills, lambda one: shown.document(one.scenario), shown.empty)


def score_words(drill: Rehearsed) -> str | None:
    return None if drill.score is None else str(drill.score)


def _score_tone(drill: Rehearsed) -> str:
    passed = None if drill.score is None else drill.score.passed
    return "" if passed is None else ("good" if passed else "bad")


def drill_target(drill: Rehearsed, place: Place) -> Target:
    return Target(place.context, "Drill", drill.name, drill.name, drill)


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
        help="The drills there are, and how each came out last; `maestro drill run NAME` plays one.",
        feed=DRILLS,
        rows=tuple,
        listing=drills_listing,
        key=lambda drill: drill.name,
        target=drill_target,
        says=lambda target: why_not_played(target) or f"Actions › {PLAY.title}",
        aliases=("drill",),
        actions=(PLAY,),
        has_namespace=False,
    ),
)
