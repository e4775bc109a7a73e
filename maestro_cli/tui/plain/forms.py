"""The screens that draw themselves, as reports.

Invariant: pure; what the screen says in words is in its report, and what it draws is said in figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.quantities import counted
from maestro_cli.output.views import Fields, Heading, Lines, Report
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.incident_story import STORY
from maestro_cli.tui.screens.incident import REVISIONS, incident_target
from maestro_cli.tui.screens.incident_runs import live_key
from maestro_cli.tui.screens.incident_words import head_lines
from maestro_cli.tui.screens.inspection import YAML
from maestro_cli.tui.screens.logs import LOGS, LogsAsked, has_answered
from maestro_cli.tui.screens.model import Place, Screen
from maestro_cli.tui.screens.services import SERVICES, burning_listing, number
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.views.incident_panes import PANES, Facts

MOST_LINES = 100  # of a log that are said at once, the newest


def no_target(place: Place, snapshot: Snapshot) -> Target | None:
    return None


@dataclass(frozen=True, slots=True)
class Form:
    """`report` is None while nothing is known; `is_answered` says no while more is to be waited for."""

    keys: Callable[[Place, Scope], frozenset[FactKey]]
    report: Callable[[Place, Snapshot, datetime], Report | None]
    target: Callable[[Place, Snapshot], Target | None] = no_target
    is_answered: Callable[[Place, Snapshot], bool] = lambda place, snapshot: True


def form_of(screen: Screen) -> Form:
    """Raises UsageError for a screen that has no form in lines."""
    if screen.id not in FORMS:
        raise UsageError(f"{screen.title} has no form in lines", fix="maestro tui without --plain shows it")
    return FORMS[screen.id]


def _site(place: Place, scope: Scope) -> str:
    return place.context or scope.context


def _incident_keys(place: Place, scope: Scope) -> frozenset[FactKey]:
    site = _site(place, scope)
    return frozenset({STORY.of(site, place.argument), REVISIONS.of(site, place.argument)})


def _incident_report(place: Place, snapshot: Snapshot, now: datetime) -> Report | None:
    """The first lines of the screen, then every pane; keys of the screen are named by their actions."""
    site = _site(place, snapshot.scope)
    story = snapshot.fact(STORY.of(site, place.argument)).data
    if story is None:
        return None
    revisions = snapshot.fact(REVISIONS.of(site, place.argument)).data
    live = snapshot.fact(live_key(site, story.incident.id)).data
    first = ["".join(text for text, _ in line) for line in head_lines(story, now, word_of)]
    blocks: list[Any] = [Lines("\n".join(first))]
    facts = Facts(story, revisions, live, now, word_of)
    for pane in PANES:
        blocks += [Heading(pane.title), *pane.blocks(facts)]
    return Report("incident/v1", {}, tuple(blocks))


def word_of(name: str) -> str:
    """What is typed for what has a key on the full screen: `do triage`."""
    return "actions" if name == "view.menu" else f"do {name.rpartition('.')[2]}"


def _incident_target(place: Place, snapshot: Snapshot) -> Target | None:
    site = _site(place, snapshot.scope)
    story = snapshot.fact(STORY.of(site, place.argument)).data
    return None if story is None else incident_target(story, site)


def _service_keys(place: Place, scope: Scope) -> frozenset[FactKey]:
    return frozenset({SERVICES.of(_site(place, scope))})


def _service_report(place: Place, snapshot: Snapshot, now: datetime) -> Report | None:
    found = snapshot.fact(SERVICES.of(_site(place, snapshot.scope))).data or ()
    service = next((one for one in found if one.name == place.argument), None)
    if service is None:
        return None
    rows: list[tuple[str, object]] = []
    for label, points, unit, scale in (
        ("requests", service.rate, " a second", 1.0),
        ("failed", service.errors, " %", 100.0),
        ("95th percentile", service.p95, " ms", 1000.0),
    ):
        known = [value * scale for _, value in points if value is not None]
        span = f", {min(known):.3g} to {max(known):.3g} over 30 minutes" if known else ""
        rows.append((label, number(points, ".3g", unit, scale) + span))
    blocks = (Fields(rows), Heading("Objectives"), burning_listing(service.burning))
    return Report("service/v1", {}, blocks)


def _logs_key(place: Place, scope: Scope) -> FactKey:
    return LOGS.of(_site(place, scope), str(LogsAsked(place.argument, place.filter)))


def _logs_report(place: Place, snapshot: Snapshot, now: datetime) -> Report | None:
    tail = snapshot.fact(_logs_key(place, snapshot.scope)).data
    if tail is None:
        return None
    lines = [line for entry in tail.entries for line in _log_lines(entry)]
    left = len(lines) - MOST_LINES
    first = [f"{left} older lines are not said"] if left > 0 else []
    said = "\n".join([*first, *lines[-MOST_LINES:]]) or _no_line(place, is_over=tail.is_over)
    return Report("logs/v1", {}, (Lines(said),))


def _no_line(place: Place, *, is_over: bool) -> str:
    """Nothing was printed where all of it was read; a log that goes on may only not have answered."""
    if is_over:
        return "nothing printed matches" if place.filter else "nothing printed"
    which = " that matches" if place.filter else ""
    return f"no line{which} was read yet; refresh looks again"


def _logs_answered(place: Place, snapshot: Snapshot) -> bool:
    return has_answered(snapshot.fact(_logs_key(place, snapshot.scope)).data)


def _log_lines(entry: Any) -> Iterator[str]:
    """What one entry of a log is when it is read aloud."""
    from maestro_cli.core.facts.live import Lost
    from maestro_cli.core.facts.logs import Dropped, Left, LogLine

    match entry:
        case LogLine(pod, _, _, text, is_cut):
            yield f"{pod}: {text}{' (cut)' if is_cut else ''}"
        case Dropped(count, _):
            yield f"{counted(count, 'line')} missing here"
        case Left(pod, container, why):
            yield f"{pod} {container} is not read any more: {why}"
        case Lost(error, _):
            yield f"not heard: {error.what}"


def _yaml_keys(place: Place, scope: Scope) -> frozenset[FactKey]:
    return frozenset({YAML.of(_site(place, scope), place.argument)})


def _yaml_report(place: Place, snapshot: Snapshot, now: datetime) -> Report | None:
    found = snapshot.fact(YAML.of(_site(place, snapshot.scope), place.argument)).data
    if found is None:
        return None
    hidden = f"# not shown: {', '.join(found.hidden)}\n" if found.hidden else ""
    return Report("yaml/v1", {}, (Lines(hidden + found.text),))


FORMS: Mapping[str, Form] = {
    "incident": Form(_incident_keys, _incident_report, _incident_target),
    "service": Form(_service_keys, _service_report),
    "logs": Form(
        lambda place, scope: frozenset({_logs_key(place, scope)}),
        _logs_report,
        is_answered=_logs_answered,
    ),
    "yaml": Form(_yaml_keys, _yaml_report),
}  # by the id of the screen; every one with a view of its own has a form here
