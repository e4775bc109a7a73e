"""An incident as data for other programs: the shape is pinned, the ids are stable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.config.settings import Responders
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.report.export import (
    cloudevent_lines,
    json_document,
    postmortem_document,
    timeline_lines,
)
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.report.surroundings import measure_surroundings
from maestro_cli.incidents.timeline import events_of
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.queries import INFERENCE
from maestro_cli.journal.model import Event
from tests.cli.program import check_golden
from tests.unit.incidents.test_incident_postmortem import CHANGE, RUN
from tests.unit.incidents.test_incident_surroundings import Recording
from tests.unit.incidents.world import T0, Room, alert

EVIDENCE = Evidence(
    "errors", "Errors", "sum(rate(x[1m]))", T0, "prometheus", "30.0 % of requests fail", {"worst": 0.3}
)
SUSPECTS = {
    "onset": {"at": T0, "earliest": T0, "basis": "errors"},
    "suspects": [
        {
            "kind": "release",
            "subject": "ml/deploy/fraud revision 2",
            "score": 0.75,
            "reasons_for": ["it began 4 s before the onset"],
            "reasons_against": ["one pod is well"],
            "fix": {"kind": "change", "name": "rollback", "parameters": {"to_revision": "1"}},
        }
    ],
    "culprit": "ml/deploy/fraud revision 2",
    "conclusion": "release: ml/deploy/fraud revision 2",
    "failed": ["logs"],
    "seconds": 0.1,
}
PLAN = {
    "summary": "roll back ml/deploy/fraud to revision 1",
    "digest": "d" * 64,
    "diff": {"lines": [{"path": "spec.args", "before": "--serve fraud=2", "after": "--serve fraud=1"}]},
}


def live_through(room: Room) -> None:
    """An incident in which every part of the document has something to say, whatever triage finds today."""
    desk, journal = IncidentDesk(room.journal, room.clock, "ana"), room.journal
    room.clock.advance(30)
    incident = desk.ack("latest")
    desk.start_triage("latest")
    desk.record_evidence("latest", [EVIDENCE])
    journal.append("incident.suspects", incident.subject, "ana", {"incident": incident.id, **SUSPECTS})
    desk.triaged("latest")
    journal.append("run.started", RUN, "ana", {"incident": incident.id, "runbook": "high-error-rate"})
    begun = {"step": "rollback", "title": "Roll back", "command": "kind: rollback\ntarget: deploy/fraud `|`"}
    journal.append("step.intended", RUN, "ana", begun)
    journal.append("change.planned", CHANGE, "ana", {"plan": PLAN, "cause": f"runbook ({incident.id})"})
    journal.append("change.approved", CHANGE, "bea", {"reason": "looked at it"})
    journal.append("change.applied", CHANGE, "ana", {"evidence": "patched"})
    journal.append("change.verified", CHANGE, "ana", {"observed": "3 of 3 ready"})
    output = "recovery time (RTO): 41 s from the loss to answers within the objective"
    ended = {"step": "rollback", "state": "ok", "reason": "", "value": 0.25, "change": CHANGE[7:]}
    journal.append("step.finished", RUN, "ana", {**ended, "output": output, "incident": incident.id})
    desk.mitigated("latest", run=RUN[4:])
    impact = {"requests": 2820.0, "errors": 846.0, "error_ratio": 0.3, "objective": "fraud-availability"}
    impact |= {"budget_spent": 0.00054, "burn": 30.0}
    desk.record_evidence("latest", [Evidence("impact", "Users", "q", T0, "prometheus", "846 failed", impact)])
    room.clock.advance(60)
    room.detector.reconcile([], source="alertmanager-api")
    desk.resolve("latest")
    room.clock.advance(60)
    found = measure_surroundings(Recording(), INFERENCE, desk.get("latest"), room.clock.now())
    desk.record_evidence("latest", [found])


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    live_through(made)
    yield made
    made.journal.close()


def events(room: Room) -> tuple[Event, ...]:
    return events_of(room.journal, IncidentDesk(room.journal, room.clock, "ana").get("1").id)


def masked(text: str) -> str:
    """Without what is drawn anew each time: ids, and the hashes that depend on them."""
    text = re.sub(r"inc-[0-9a-hjkmnp-z]{14}", "inc-00000000000000", text)
    return re.sub(r"\b[0-9a-f]{64}\b", "0" * 64, text)


def test_the_post_mortem_as_markdown_is_pinned(room: Room) -> None:
    """But for the timeline, whose words have tests of their own."""
    costs = Responders(hourly_rate=100, value_per_request=0.1)
    text = PostMortem(room.journal, room.clock, "ana", costs=costs).render("1")
    before, _, rest = text.partition("## Timeline\n")
    after = rest.partition("## Signals\n")[2]
    check_golden("incident-postmortem.md", masked(f"{before}## Timeline\n…\n\n## Signals\n{after}"))


def test_the_post_mortem_as_json_is_pinned(room: Room) -> None:
    story = PostMortem(room.journal, room.clock, "ana").story("1")
    document = json.loads(json_document(postmortem_document(story, {"summary": "Payments failed."})))
    for line in (*document["timeline"], *(one for each in document["runs"] for one in each["events"])):
        assert line.pop("text")
    for line in (one for each in document["changes"] for one in each["events"]):
        assert line.pop("text")
    for reading in (*document["metrics"]["readings"], *document["evidence"][-1]["facts"]["series"]):
        assert reading.pop("points") or reading["name"] == "latency"
    check_golden("incident-postmortem.json", masked(json_document(document)))
    assert document["schema"] == "maestro.dev/postmortem/v1"


def test_the_timeline_is_one_json_object_a_line(room: Room) -> None:
    IncidentDesk(room.journal, room.clock, "ana").note("1", "two\nlines \u2028 \x1b[2J \u202e")
    text = timeline_lines(events(room))
    lines = text.splitlines()
    assert len(lines) == len(events(room))
    assert text.isascii()
    assert all(character == "\n" or character.isprintable() for character in text)
    assert json.loads(lines[0])["kind"] == "incident.opened"
    assert json.loads(lines[-1])["data"]["text"] == "two\nlines \u2028 \x1b[2J \u202e"


def test_cloudevents_have_what_the_standard_wants_and_ids_that_stay(room: Room) -> None:
    before = [
        json.loads(line)
        for line in cloudevent_lines(events(room), incident_id="inc-1", context="prod").splitlines()
    ]
    IncidentDesk(room.journal, room.clock, "ana").note("1", "later")
    after = [
        json.loads(line)
        for line in cloudevent_lines(events(room), incident_id="inc-1", context="prod").splitlines()
    ]
    assert after[: len(before)] == before
    assert len({(one["source"], one["id"]) for one in after}) == len(after)
    for one, event in zip(after, events(room), strict=True):
        assert one["specversion"] == "1.0"
        assert one["type"] == f"dev.maestro.{event.kind}"
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in one)
        assert all(isinstance(one[name], str) and one[name] for name in ("id", "source", "subject", "time"))
        assert from_rfc3339(one["time"]) == from_rfc3339(event.time)
    assert after[0]["type"] == "dev.maestro.incident.opened"
    assert sorted(after, key=lambda one: one["sequence"]) == after
