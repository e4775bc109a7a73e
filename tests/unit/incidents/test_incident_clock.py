"""The clock reads stored instants only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from maestro_cli.incidents.clock import Phase, Standing, breached, read_clock, record_breaches
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents
from maestro_cli.journal.verification import verify
from tests.unit.incidents.world import T0, Room, alert


def test_the_phases_of_a_whole_life(tmp_path: Path) -> None:
    room = Room(tmp_path)
    desk = IncidentDesk(room.journal, room.clock, "ana")
    room.clock.advance(60)
    room.detector.reconcile([alert()], source="alertmanager-api")
    running = {item.phase: item for item in read_clock(desk.get("latest"), T0 + timedelta(seconds=100))}
    assert running[Phase.TRIAGE].standing is Standing.RUNNING
    assert running[Phase.TRIAGE].seconds == 40
    assert running[Phase.RESOLVE].left_seconds == 1700
    assert running[Phase.POSTMORTEM].standing is Standing.NOT_REACHED
    steps: tuple[tuple[int, Callable[[], Incident]], ...] = (
        (30, lambda: desk.ack("latest")),
        (10, lambda: desk.start_triage("latest")),
        (660, lambda: desk.triaged("latest")),
        (40, lambda: desk.mitigated("latest", note="rolled back")),
    )
    for seconds, command in steps:
        room.clock.advance(seconds)
        command()
    room.clock.advance(100)
    room.detector.reconcile([], source="alertmanager-api")
    desk.resolve("latest")
    room.clock.advance(3600)
    desk.publish_postmortem("latest", path="x", sha256="")
    read = read_clock(desk.get("latest"), room.clock.now() + timedelta(days=9))
    assert [(item.phase.value, item.standing.value, item.seconds) for item in read] == [
        ("detect", "met", 60),
        ("ack", "done", 30),
        ("triage", "breached", 700),
        ("mitigate", "done", 800),
        ("resolve", "met", 900),
        ("postmortem", "met", 3600),
    ]
    assert read[4].since_open_seconds == 840
    room.journal.close()


def test_a_skipped_phase_is_neither_met_nor_breached(tmp_path: Path) -> None:
    room = Room(tmp_path)
    desk = IncidentDesk(room.journal, room.clock, "ana")
    room.detector.reconcile([alert()], source="alertmanager-api")
    room.clock.advance(5000)
    desk.dismiss("latest", "false alarm")
    (incident,) = list_incidents(room.journal)
    assert breached(incident, room.clock.now()) == ()
    standings = {item.phase: item.standing for item in read_clock(incident, room.clock.now())}
    assert standings[Phase.TRIAGE] is Standing.MISSED
    room.journal.close()


def test_a_budget_runs_out_at_its_instant_whenever_that_is_noticed(tmp_path: Path) -> None:
    at = {}
    for name, later in (("soon", 1801), ("late", 86_400)):
        (tmp_path / name).mkdir()
        room = Room(tmp_path / name)
        room.detector.reconcile([alert()], source="alertmanager-api")
        room.clock.advance(later)
        record_breaches(room.journal, room.clock, "watch")
        events = room.journal.events(kinds=("incident.breached",))
        at[name] = {event.data["phase"]: event.data["at"] for event in events}
        assert verify(room.journal.path, [IncidentProjection()]).intact
        room.journal.close()
    assert at["soon"] == at["late"]
    assert at["late"]["resolve"] == "2026-11-23T09:30:00.000000Z"


def test_what_was_overrun_is_on_record_also_where_nobody_watches(tmp_path: Path) -> None:
    room = Room(tmp_path)
    desk = IncidentDesk(room.journal, room.clock, "ana")
    desk.open("slow")
    room.clock.advance(1801)
    desk.resolve("latest")
    room.clock.advance(48 * 3600 + 1)
    desk.publish_postmortem("latest", path="x", sha256="")
    events = room.journal.events(kinds=("incident.breached",))
    assert [event.data["phase"] for event in events] == ["resolve", "postmortem"]
    assert record_breaches(room.journal, room.clock, "watch") == ()
    room.journal.close()
