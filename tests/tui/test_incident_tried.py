"""What is advised next heeds what was tried since the incident began, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.changes.ledger import TAKEN
from maestro_cli.changes.model import Change, ChangeError, Gate, GateDecision, GateReason, State
from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.model import RunRecord, RunStatus
from maestro_cli.tui.feeds.incident_story import read_story
from maestro_cli.tui.feeds.story import IncidentStory
from maestro_cli.tui.screens.incident_words import next_steps
from tests.tui.facts_of_changes import change
from tests.tui.journal_room import JournalRoom, room
from tests.tui.made import made

__all__ = ["room"]

LATELY, LONG_AGO = timedelta(seconds=30), timedelta(minutes=20)
REPEATED = GateReason("repeated", ExitCode.GATE_NOT_MET, "it was rolled back within the hour already")
SUSPECT = {
    "kind": "revision", "subject": "ml/deploy/fraud revision 3", "score": 0.9, "reasons_for": [],
    "fix": {"name": "rollback"},
}  # fmt: skip


@pytest.fixture
def found(room: JournalRoom) -> IncidentStory:
    """An incident, half an hour old, that fires, was taken on and triaged, and whose fix is a rollback."""
    room.fires(objective="fraud-availability")
    room.services.desk.ack("1")
    story = read_story(room.services, "1")
    assert story.bound is not None
    now = story.details.now
    times = replace(story.incident.times, started_at=now - timedelta(minutes=30))
    details = replace(
        story.details, incident=replace(story.incident, times=times), triage={"suspects": [SUSPECT]}
    )
    return replace(story, details=details, changes=(), runs=())


def said(story: IncidentStory, changes: Sequence[Change] = (), runs: Sequence[RunRecord] = ()) -> list[str]:
    return [words for _, words in next_steps(replace(story, changes=tuple(changes), runs=tuple(runs)))]


def rolled_back(story: IncidentStory, ago: timedelta, **more: Any) -> Change:
    at = story.details.now - ago
    return replace(change(1, State.VERIFIED), created_at=at, applied_at=at, finished_at=at, **more)


def ended(story: IncidentStory, status: RunStatus, reason: str) -> RunRecord:
    return made(RunRecord, id="run-1", runbook="fraud-rollback", status=status, reason=reason)


def test_before_anything_was_tried_the_runbook_and_the_rollback_are_advised(found: IncidentStory) -> None:
    assert found.bound is not None
    assert said(found) == [
        f"run runbook {found.bound.runbook} (dry run first)",
        "roll back to the last known good (preview first)",
    ]
    before = rolled_back(found, timedelta(hours=1))
    assert said(found, [before]) == said(found), "one from before the incident is no answer to it"


def test_after_a_rollback_what_fires_is_waited_for_and_no_second_one_is_advised(found: IncidentStory) -> None:
    assert said(found, [rolled_back(found, LATELY)]) == [
        "wait: it was rolled back 30s ago; what fires clears once that holds",
        "say what mitigated it",
    ]
    taken_back = rolled_back(found, LATELY, undone_by="chg-2")
    assert said(found, [taken_back]) == said(found)


def test_what_still_fires_long_after_a_rollback_wants_something_else(found: IncidentStory) -> None:
    first, *others = said(found, [rolled_back(found, LONG_AGO)])
    assert first.startswith("it still fires, and was rolled back 20m")
    assert others == [
        "choose another runbook (dry run first)",
        "roll back to a revision that you name (preview first)",
    ]


def test_a_run_that_failed_is_not_advised_again(found: IncidentStory) -> None:
    failed = ended(found, RunStatus.FAILED, "back: it was refused")
    first, *_ = said(found, runs=[failed])
    assert first == "choose another runbook; fraud-rollback failed: back: it was refused"
    assert not any("run runbook" in words for words in said(found, runs=[failed]))


@pytest.mark.parametrize(
    "how",
    [
        {"state": State.REFUSED, "decision": GateDecision(Gate.REFUSED, (REPEATED,))},
        {
            "state": State.CANCELLED,
            "error": ChangeError("GateNotMet", "cancelled", f"the gate refused it: {REPEATED.what}"),
        },
    ],
    ids=["when it was done", "when it was shown"],
)
def test_a_rollback_that_the_gate_refused_is_not_advised_again(
    found: IncidentStory, how: dict[str, Any]
) -> None:
    refused = replace(change(1, State.REFUSED), created_at=found.details.now, applied_at=None, **how)
    assert said(found, [refused])[-1] == (
        f"roll back to a revision that you name; the last try was refused: {REPEATED.what}"
    )
    no = replace(refused, state=State.CANCELLED, error=None, decision=None)
    assert said(found, [no]) == said(found), "a no of a person is no refusal"


def test_a_rollback_that_another_change_kept_out_is_advised_again_once_that_has_ended(
    found: IncidentStory,
) -> None:
    held = f"ml/deploy/fraud {TAKEN} change chg-2 (restart by ann, applied since 03:00:00Z)"
    reason = GateReason("busy", ExitCode.BUSY, held)
    at = found.details.now
    refused = replace(change(1, State.REFUSED), created_at=at, decision=GateDecision(Gate.REFUSED, (reason,)))
    error = ChangeError("GateNotMet", "cancelled", f"the gate refused it: {held} (its lease runs)")
    shown = replace(refused, state=State.CANCELLED, decision=None, error=error)
    other = replace(change(2, State.APPLIED), kind="restart", created_at=at)
    for one in (refused, shown):
        assert f"the last try was refused: ml/deploy/fraud {TAKEN}" in said(found, [one, other])[-1]
        assert said(found, [one, replace(other, state=State.VERIFIED)])[-1] == said(found)[-1]
