"""The document says what the journal says, and where people must write."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from maestro_cli.config.settings import Responders
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.register import signals_of
from maestro_cli.incidents.report.human import sections_to_fill
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.triage.investigate import Triage
from tests.unit.incidents.triage_cases import SETTINGS, bad_release
from tests.unit.incidents.world import Room, alert

RUN, CHANGE = "run/run-0123456789abcd", "change/chg-0123456789abcd"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert(pod=f"p{n}") for n in range(30)], source="alertmanager-api")
    yield made
    made.journal.close()


def live_through(room: Room) -> None:
    """A bad release, triaged, rolled back by a runbook, resolved."""
    desk, journal, sources = IncidentDesk(room.journal, room.clock, "ana"), room.journal, bad_release()
    room.clock.advance(30)
    incident = desk.ack("latest")
    desk.start_triage("latest")
    triage = Triage(sources, sources, room.clock, settings=SETTINGS)
    report = triage.investigate(incident, signals_of(journal, incident.id))
    desk.record_triage("latest", report)
    desk.triaged("latest")
    journal.append("run.started", RUN, "ana", {"incident": incident.id, "runbook": "high-error-rate"})
    journal.append("step.intended", RUN, "ana", {"step": "rollback", "title": "Roll back"})
    line = {"path": "spec.containers[server].args", "before": "--serve fraud=2", "after": "--serve fraud=1"}
    plan = {
        "summary": "roll back ml/deploy/fraud to revision 1",
        "digest": "d" * 64,
        "diff": {"lines": [line]},
    }
    journal.append("change.planned", CHANGE, "ana", {"plan": plan, "cause": f"runbook ({incident.id})"})
    journal.append("change.verified", CHANGE, "ana", {"observed": "3 of 3 ready"})
    ended = {"step": "rollback", "state": "ok", "reason": "", "value": 0.25, "change": CHANGE[7:]}
    journal.append("step.finished", RUN, "ana", {**ended, "incident": incident.id})
    desk.mitigated("latest", run=RUN[4:])
    impact = triage.measure_impact(desk.get("latest"), desk.signals("latest"), onset=report.onset.at)
    desk.record_evidence("latest", [impact])
    room.clock.advance(60)
    room.detector.reconcile([], source="alertmanager-api")
    desk.resolve("latest")


def test_it_tells_the_whole_story(room: Room) -> None:
    live_through(room)
    costs = Responders(hourly_rate=100, value_per_request=0.1)
    text = PostMortem(room.journal, room.clock, "ana", costs=costs).render("latest")
    for part in (
        "# Post-mortem of incident 1: ErrorBudgetBurn on ml/fraud",
        "30 signals (ErrorBudgetBurn) opened it at 2026-11-23 09:00:00 UTC. It was resolved after 1m30s.",
        "Triage concluded: release: ml/deploy/fraud revision 2.",
        "requests failed, 30.00 %",
        "fraud-availability",
        "| responders' time |",
        "At least ",
        "Missing: replica\\_hourly\\_rate.",
        "| triaged (T3 − T1) | 30s | 10m00s | met | 30s |",
        "1. **release ml/deploy/fraud revision 2**",
        "   - suggested: change rollback",
        "| until 09:00:00 |  | and 25 more like these |",
        "- spec.containers[server].args: --serve fraud=2",
        "+ spec.containers[server].args: --serve fraud=1",
        "3 of 3 ready",
        "| rollback | Roll back | ok | 0.25 |",
        "inference failed: shape",
        f"{room.journal.head().seq} {room.journal.head().hash}",
    ):
        assert part in text, part
    assert "0.00 EUR" not in text


def test_it_renders_as_tables_and_sections(room: Room) -> None:
    live_through(room)
    html = (
        MarkdownIt("commonmark")
        .enable("table")
        .render(PostMortem(room.journal, room.clock, "ana").render("1"))
    )
    titles = [part.split("</h2>")[0] for part in html.split("<h2>")[1:]]
    assert titles == [
        "Summary", "Impact", "Clock", "Cause", "Timeline", "Signals", "Metrics", "Evidence", "Changes",
        "Runbook steps", "Five whys", "What went well, what did not, where we were lucky", "Action items",
        "Proof",
    ]  # fmt: skip
    assert html.count("<table>") == 7


def test_what_was_not_measured_is_said(room: Room) -> None:
    text = PostMortem(room.journal, room.clock, "ana").render("latest")
    for part in (
        "Users: not measured",
        "The total is not known. Missing: hourly\\_rate, responders, value\\_per\\_request, errors\\_served, "
        "replica\\_hourly\\_rate, replicas.",
        "No triage is recorded.",
        "None was made through maestro.",
        "No runbook step is recorded.",
    ):
        assert part in text, part


def test_the_places_to_fill_are_counted(room: Room, tmp_path: Path) -> None:
    written = PostMortem(room.journal, room.clock, "ana").write("latest", tmp_path / "deep" / "pm.md")
    data = written.path.read_bytes()
    assert written.sha256 == hashlib.sha256(data).hexdigest()
    assert f"| To fill | {written.to_fill} sections to fill |" in data.decode()
    filled = data.decode().replace("TODO(owner)", "done")
    assert sections_to_fill(filled) == 0
    assert list(written.path.parent.iterdir()) == [written.path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(room: Room, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ActionFailed, match="could not be written"):
        PostMortem(room.journal, room.clock, "ana").write("latest", tmp_path / "file" / "pm.md")
    assert (tmp_path / "file").read_text() == "kept"
    (tmp_path / "folder").mkdir()
    with pytest.raises(ActionFailed):
        PostMortem(room.journal, room.clock, "ana").write("latest", tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_what_maestro_wrote_is_written_anew(room: Room, tmp_path: Path) -> None:
    postmortem, target = PostMortem(room.journal, room.clock, "ana"), tmp_path / "pm.md"
    first = postmortem.write("latest", postmortem.place("latest", target))
    room.clock.advance(60)
    second = postmortem.write("latest", postmortem.place("latest", target))
    assert first.sha256 != second.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()


def test_what_somebody_edited_is_never_lost(room: Room, tmp_path: Path) -> None:
    postmortem, target = PostMortem(room.journal, room.clock, "ana"), tmp_path / "pm.md"
    edited = postmortem.write("latest", target).path.read_text() + "Root cause: a typo.\n"
    target.write_text(edited)
    with pytest.raises(GateNotMet, match="left alone") as refused:
        postmortem.place("latest", target)
    assert "--force" in refused.value.fix
    beside = postmortem.place("latest", target, beside=True)
    assert (beside, target.read_text()) == (tmp_path / "pm-2.md", edited)
    beside.write_text("edited as well")
    assert postmortem.place("latest", target, beside=True) == tmp_path / "pm-3.md"
    assert postmortem.place("latest", target, force=True) == target


def test_another_document_is_not_replaced_and_a_folder_is_no_file(room: Room, tmp_path: Path) -> None:
    postmortem, target = PostMortem(room.journal, room.clock, "ana"), tmp_path / "README.md"
    target.write_text("not about this incident")
    with pytest.raises(GateNotMet):
        postmortem.place("latest", target)
    with pytest.raises(ActionFailed, match="could not be written"):
        postmortem.place("latest", tmp_path)


def test_a_pipe_and_a_giant_file_are_not_waited_for(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postmortem = PostMortem(room.journal, room.clock, "ana")
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(ActionFailed):
        postmortem.place("latest", tmp_path / "pipe.md")
    (tmp_path / "giant.md").write_bytes(b"x" * 11)
    monkeypatch.setattr("maestro_cli.incidents.report.postmortem._MAX_FILE_BYTES", 10)
    with pytest.raises(ActionFailed):
        postmortem.place("latest", tmp_path / "giant.md")


def test_the_digest_is_recorded_before_the_file_is_there(room: Room, tmp_path: Path) -> None:
    postmortem = PostMortem(room.journal, room.clock, "ana")
    room.journal.query("PRAGMA query_only = ON")
    with pytest.raises(ActionFailed):
        postmortem.write("latest", tmp_path / "pm.md")
    assert not (tmp_path / "pm.md").exists()


def test_an_unknown_incident(room: Room) -> None:
    with pytest.raises(NotFound):
        PostMortem(room.journal, room.clock, "ana").render("99")
