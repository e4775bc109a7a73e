"""The panes of an incident: which are on the screen, and what stands in each.

Invariant: pure; a pane is a view that a command prints too, or a listing of the same columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.output.renderers.changes import changes_view
from maestro_cli.output.renderers.incident_findings import evidence_view, suspects_view, triage_age
from maestro_cli.output.renderers.incidents import clock_view, links_view, signals_view
from maestro_cli.output.renderers.people import standing_rows, tasks_view, updates_view
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.tui.feeds.story import IncidentStory
from maestro_cli.tui.screens.incident_runs import LiveRun, live_blocks, run_blocks, values_text
from maestro_cli.tui.screens.incident_words import Keys

if TYPE_CHECKING:
    from maestro_cli.changes.candidates.model import Candidate
    from maestro_cli.incidents.timeline import Entry

WIDE, WIDE_ROWS = 160, 40  # from here on all panes stand beside one another
MIDDLE, MIDDLE_ROWS = 110, 30  # from here on four do
Blocks = list[Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the panes render: the story, what the cluster says of revisions, the run of this console, and the
    keys as they are now."""

    story: IncidentStory
    candidates: tuple[Candidate, ...] | None
    live: LiveRun | None
    now: datetime
    keys: Keys


@dataclass(frozen=True, slots=True)
class Pane:
    """`title` is its tab and its frame."""

    id: str
    title: str
    blocks: Callable[[Facts], Blocks]


def timeline_blocks(facts: Facts) -> Blocks:
    """The newest first: that is what somebody who comes back looks for."""
    columns: tuple[Column[Entry], ...] = (
        Column("time", lambda entry: entry.at.astimezone().strftime("%H:%M:%S")),
        Column("by", lambda entry: entry.actor),
        Column("what", lambda entry: entry.text, priority=1),
    )
    entries = tuple(reversed(facts.story.timeline))
    return [Listing("incident-timeline/v1", columns, entries, empty="nothing has happened yet")]


def suspect_blocks(facts: Facts) -> Blocks:
    """Each suspect with what speaks for and against it, then the evidence with its age."""
    details = facts.story.details
    if details.triage is None:
        blocks: Blocks = [Lines(_nobody_triaged(facts.keys("incident.triage")))]
    else:
        blocks = [Heading(f"Suspects, as of {triage_age(details)}"), *_suspects(facts)]
    if details.evidence:
        blocks += [Heading("Evidence"), evidence_view(details.evidence, facts.now)]
    return [*blocks, Heading("Signals"), signals_view(details.signals)]


def _nobody_triaged(key: str) -> str:
    return f"nobody has triaged it: {key} does, and changes nothing but the record"


def _suspects(facts: Facts) -> Blocks:
    triage = facts.story.details.triage or {}
    if not triage["suspects"]:
        return [suspects_view(triage)]
    rows: list[tuple[str, object]] = []
    for suspect in triage["suspects"]:
        rows.append((f"{suspect['score']:.2f} {suspect['kind']}", suspect["subject"]))
        rows += [("  for", one) for one in suspect["reasons_for"]]
        rows += [("  against", one) for one in suspect["reasons_against"]]
    return [Fields(rows)]


def runbook_blocks(facts: Facts) -> Blocks:
    """The run that goes on, else what is bound with its values and steps, then the runs there were."""
    story, blocks = facts.story, []
    if facts.live is not None:
        blocks += live_blocks(facts.live)
    if story.bound is None:
        blocks += [Lines(f"no playbook binds a runbook to it: {facts.keys('incident.rehearse')} asks which")]
    else:
        blocks += [
            Fields(
                [
                    ("runbook", story.bound.runbook),
                    ("bound by", f"playbook {story.playbook}" if story.playbook else None),
                    ("values", story.bound.fault or values_text(story.bound.values)),
                ]
            )
        ]
    for run in story.runs:
        blocks += run_blocks(run)
    if story.bound is not None and not story.runs:
        blocks += [Heading("Steps"), _steps(story)]
    return blocks


def _steps(story: IncidentStory) -> Listing[Any]:
    columns: tuple[Column[Any], ...] = (
        Column("step", lambda step: step.path),
        Column("kind", lambda step: step.kind),
        Column("changes", lambda step: step.mutates, tone=lambda step: "warn" if step.mutates else ""),
        Column("what", lambda step: step.title, priority=1),
    )
    return Listing("runbook-steps/v1", columns, story.steps, empty="none: it is read, not run")


def change_blocks(facts: Facts) -> Blocks:
    """What was changed of its workload, and each revision with its record."""
    story = facts.story
    blocks: Blocks = [
        Heading(f"Changes of {story.incident.workload or story.incident.namespace or 'nothing'}")
    ]
    blocks += [changes_view(story.changes)]
    if facts.candidates:
        from maestro_cli.output.renderers.candidates import candidates_view

        blocks += [Heading("Revisions, as a rollback sees them"), candidates_view(facts.candidates)]
    return blocks


def log_blocks(facts: Facts) -> Blocks:
    """Where it names nothing that prints; else its lines are followed."""
    return [Lines("" if facts.story.printing else "it names nothing that prints: :logs NAMESPACE/pod/NAME")]


def people_blocks(facts: Facts) -> Blocks:
    """Roles, updates, tasks and links, with the clock whole."""
    details, now = facts.story.details, facts.now
    rows = standing_rows(details.people, now) if details.people is not None else []
    blocks: Blocks = [Fields([("owner", facts.story.incident.owner or "nobody"), *rows])]
    blocks += [Heading("Tasks"), tasks_view(facts.story.tasks, now)]
    blocks += [Heading("Told"), updates_view(facts.story.updates)]
    blocks += [Heading("Clock"), clock_view(details.clock)]
    if details.links:
        blocks += [Heading("Links"), links_view(details)]
    return blocks


PANES: tuple[Pane, ...] = (
    Pane("timeline", "Timeline", timeline_blocks),
    Pane("suspects", "Suspects and evidence", suspect_blocks),
    Pane("runbook", "Runbook and runs", runbook_blocks),
    Pane("changes", "Changes", change_blocks),
    Pane("logs", "Logs", log_blocks),
    Pane("people", "People and tasks", people_blocks),
)
IDS = tuple(pane.id for pane in PANES)
LOGS = "logs"  # the pane that is followed while it is shown; all others are reports
RUNBOOK = "runbook"


def report_of(pane: Pane, facts: Facts) -> Report:
    return Report(f"incident-{pane.id}/v1", {}, tuple(pane.blocks(facts)))


def panes_shown(width: int, height: int, current: str, *, is_zoomed: bool) -> tuple[tuple[str, ...], int]:
    """The panes that are shown and in how many columns: all, four with the current one, or it alone."""
    if is_zoomed or width < MIDDLE or height < MIDDLE_ROWS:
        return (current,), 1
    if width >= WIDE and height >= WIDE_ROWS:
        return IDS, 3
    first = IDS[:4]
    return (first if current in first else (*IDS[:3], current)), 2
