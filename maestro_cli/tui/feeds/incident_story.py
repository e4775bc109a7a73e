"""One incident whole, as its screen shows it: how it is read.

Invariant: read from the journal and from files alone, so that it is whole while no backend answers; what of
it could not be read says why, and takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.feeds.journal import journal_feed

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.incidents.model import Incident
    from maestro_cli.incidents.timeline import Entry
    from maestro_cli.services.root import Services
    from maestro_cli.tui.feeds.story import IncidentStory

T = TypeVar("T")
OLDEST_SECONDS = 15.0  # a run whose process died is told within it
MOST_CHANGES = 20


def read_story(services: Services, ref: str) -> IncidentStory:
    """Raises NotFound where there is no such incident."""
    from maestro_cli.tui.feeds.story import BookStep, IncidentStory

    details = services.incident_details(ref.removeprefix("#"))
    incident, missing = details.incident, []

    def tried(what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except MaestroError as error:
            missing.append(f"{what}: {error.what}")
            return None

    number, timeline = str(incident.number), services.desk.timeline(incident.id)
    explanation = None
    if details.signals:
        recorded = _recorded_playbook(timeline)
        explanation = tried("playbook", lambda: services.explain_bound(number, recorded))
    playbook = explanation.match.playbook if explanation is not None else None
    bound = explanation.runs[0] if explanation is not None and explanation.runs else None
    book = tried("runbook", lambda: services.runbooks.get(bound.runbook)) if bound is not None else None
    steps = book.steps if book is not None else ()
    history = services.run_history
    return IncidentStory(
        details=details,
        timeline=timeline,
        runs=tuple(history.get(run.id) for run in history.list(incident=incident.id)),
        playbook=playbook.id if playbook is not None else "",
        bound=bound,
        steps=tuple(BookStep(one.path, one.kind, one.mutates, one.title) for one in steps),
        tasks=services.tasks(number, ended=True),
        updates=services.updates(number),
        changes=_changes_of(services, incident),
        hold=hold_of(services, incident),
        missing=tuple(missing),
    )


def _recorded_playbook(timeline: tuple[Entry, ...]) -> str:
    """The playbook that the record of the incident names last; "" where it names none."""
    named = (str(entry.data.get("playbook", "")) for entry in reversed(timeline))
    return next(filter(None, named), "")


def _changes_of(services: Services, incident: Incident) -> tuple[Change, ...]:
    """What was changed of its workload, or in its namespace, the newest first."""
    place = incident.workload or incident.namespace
    if place is None:
        return ()
    found = services.list_changes(500)
    if incident.workload is not None:
        return tuple(one for one in found if str(one.ref) == str(incident.workload))[:MOST_CHANGES]
    return tuple(one for one in found if one.ref.namespace == incident.namespace)[:MOST_CHANGES]


def hold_of(services: Services, incident: Incident) -> str:
    """Why the rules of the desk would not let it be resolved now."""
    from maestro_cli.incidents.words.incident import still_firing

    if not incident.state.is_open:
        return f"it is {incident.state.value}"
    if incident.firing:
        return still_firing(incident.firing, incident.signals)
    if not services.desk.has_settled(incident):
        return f"its signals must be clear for {services.settle_seconds:g} s"
    return ""


def story_type() -> Any:
    from maestro_cli.tui.feeds.story import IncidentStory

    return IncidentStory


def story_again(kept: IncidentStory) -> IncidentStory:
    """What was kept, with the references of its changes as they were."""
    from maestro_cli.core.refs import ref_of

    def typed(change: Change) -> Change:
        ref = ref_of(change.ref.kind, change.ref.namespace, change.ref.name)
        target = replace(change.plan.target, ref=ref)
        return replace(change, ref=ref, plan=replace(change.plan, target=target))

    return replace(kept, changes=tuple(map(typed, kept.changes)))


STORY = journal_feed(
    "incident", read_story, oldest_seconds=OLDEST_SECONDS, item=story_type, revive=story_again
)
