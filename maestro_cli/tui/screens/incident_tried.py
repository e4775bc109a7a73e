"""What was tried against an incident, and what that leaves to be done.

Invariant: pure; nothing is advised that the gate has refused, or that has failed, since the incident began.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from maestro_cli.core.clock import seconds_between
from maestro_cli.output.renderers.incident_findings import age_of

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.tui.feeds.story import IncidentStory

CLEARING_SECONDS = 600.0  # what fires looks back over minutes: so long it may go on after it was mended
LONGEST_REASON = 120
ROLLBACKS = ("rollback", "helm-rollback")

Steps = list[tuple[str, str]]


def rollback_since(story: IncidentStory) -> Change | None:
    """The newest one that reached the world since the incident began, and stands."""
    began = story.incident.times.started_at
    return next(
        (
            one
            for one in story.changes
            if one.kind in ROLLBACKS
            and one.applied_at is not None
            and one.applied_at > began
            and one.undone_by is None
            and one.state.value in ("applied", "verified")
        ),
        None,
    )


def refused_rollback(story: IncidentStory) -> str:
    """Why the newest rollback since the incident began was refused by the gate; "" where none was, a newer
    one was not, or it was since another change was at work that has ended."""
    began = story.incident.times.started_at - timedelta(seconds=1)
    newest = next((one for one in story.changes if one.kind in ROLLBACKS and one.created_at > began), None)
    if newest is None or newest.applied_at is not None:
        return ""
    decision = newest.decision
    if newest.state.value == "refused" and decision is not None and decision.reasons:
        return _still(decision.reasons[0].what, story)
    why = newest.error.why if newest.error is not None else ""
    refused = why.removeprefix("the gate refused it: ")
    return _still(refused, story) if why.startswith("the gate refused it: ") else ""


def _still(refused: str, story: IncidentStory) -> str:
    """The same, unless it was that another change was at work on it, which is over."""
    from maestro_cli.changes.ledger import TAKEN

    is_at_work = any(one.id in refused and not one.finished for one in story.changes)
    return refused if TAKEN not in refused or is_at_work else ""


def failed_run(story: IncidentStory) -> RunRecord | None:
    """The newest run for it, where that has ended without success."""
    newest = story.runs[0] if story.runs else None
    is_lost = newest is not None and newest.status.final and newest.status.value != "succeeded"
    return newest if is_lost else None


def runbook_steps(story: IncidentStory) -> Steps:
    """The runbook that is bound; another one once that has failed, or a rollback already stands."""
    failed, mended = failed_run(story), rollback_since(story)
    if failed is not None:
        why = f": {_short(failed.reason)}" if failed.reason else ""
        ended = failed.status.value.replace("_", " ")
        return [("incident.rehearse", f"choose another runbook; {failed.runbook} {ended}{why}")]
    if story.bound is not None and mended is None:
        return [("incident.rehearse", f"run runbook {story.bound.runbook} (dry run first)")]
    which = "another runbook" if mended is not None and story.bound is not None else "a runbook"
    return [("incident.rehearse", f"choose {which} (dry run first)")]


def rollback_steps(story: IncidentStory) -> Steps:
    """A rollback where it is the fix of the first suspect; once one was refused, to one that is named."""
    suspect = story.top_suspect
    if suspect is None or (suspect.get("fix") or {}).get("name") != "rollback":
        return []
    if rollback_since(story) is not None:
        return [("view.menu", "roll back to a revision that you name (preview first)")]
    if refused := refused_rollback(story):
        words = f"roll back to a revision that you name; the last try was refused: {_short(refused)}"
        return [("view.menu", words)]
    return [("view.menu", "roll back to the last known good (preview first)")]


def is_clearing(story: IncidentStory) -> bool:
    """Whether it was rolled back so lately that what fires may only not have cleared yet."""
    at = _mended_at(story)
    return at is not None and seconds_between(at, story.details.now) < CLEARING_SECONDS


def mended_steps(story: IncidentStory) -> Steps:
    """What a rollback that stands leaves to be done first; nothing where there is none."""
    at = _mended_at(story)
    if at is None:
        return []
    age = age_of(at, story.details.now)
    if not is_clearing(story):
        return [("", f"it still fires, and was rolled back {age}")]
    return [
        ("", f"wait: it was rolled back {age}; what fires clears once that holds"),
        ("incident.mitigate", "say what mitigated it"),
    ]


def _mended_at(story: IncidentStory) -> datetime | None:
    mended = rollback_since(story)
    return None if mended is None else mended.finished_at or mended.applied_at


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"
