"""Merges and links: what moves, what is refused, and where later signals go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import LinkKind, Severity, State
from maestro_cli.incidents.people.desk import PeopleDesk
from maestro_cli.incidents.people.model import Role, TaskState
from maestro_cli.incidents.people.projection import PeopleProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.verification import verify
from tests.unit.incidents.world import T0, Room, alert


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """#1 is of ml/fraud, #2 of ml/risk and began a minute before."""
    made = Room(tmp_path, PeopleProjection())
    made.clock.advance(120)
    made.detector.ingest([alert(starts_at=made.clock.now())], source="alertmanager-api")
    made.detector.ingest([alert(deployment="risk", severity="critical")], source="alertmanager-api")
    yield made
    assert verify(made.journal.path, [IncidentProjection(), PeopleProjection()]).intact
    made.journal.close()


@pytest.fixture
def desk(room: Room) -> IncidentDesk:
    return IncidentDesk(room.journal, room.clock, "ana")


def test_a_merge_moves_signals_links_and_the_start(desk: IncidentDesk) -> None:
    desk.link("2", "https://chat.example/1", note="the bridge")
    desk.set_severity("2", Severity.SEV1)
    survivor = desk.merge("2", "1", reason="one release")
    assert (survivor.number, survivor.signals, survivor.firing) == (1, 2, 2)
    assert survivor.times.started_at == T0  # of the two, the earlier one
    assert survivor.severity is Severity.SEV1
    gone = desk.get("2")
    assert (gone.state, gone.merged_into, gone.signals) == (State.MERGED, survivor.id, 0)
    assert [link.target for link in desk.links("1")] == ["https://chat.example/1"]
    assert desk.links("2") == ()


def test_a_merge_is_told_by_both_timelines_and_the_survivors_has_all(desk: IncidentDesk) -> None:
    before = [entry.seq for entry in desk.timeline("2")]
    desk.merge("2", "1")
    one, two = desk.timeline("1"), desk.timeline("2")
    assert one[-1].text == two[-1].text == "#2 merged into #1"
    assert set(before) < {entry.seq for entry in one}
    assert [entry.seq for entry in two] == [*before, two[-1].seq]


def test_later_signals_of_its_key_go_to_the_survivor(room: Room, desk: IncidentDesk) -> None:
    desk.merge("2", "1")
    report = room.detector.ingest([alert(deployment="risk", pod="new")], source="alertmanager-api")
    assert (report.opened, report.attached) == ((), 1)
    assert desk.get("1").signals == 3
    room.clock.advance(5)
    room.detector.reconcile([], source="alertmanager-api")
    assert desk.get("1").firing == 0
    assert desk.resolve("1").state is State.RESOLVED
    room.clock.advance(60)
    again = alert(deployment="risk", pod="newer", starts_at=room.clock.now())
    report = room.detector.ingest([again], source="alertmanager-api")
    assert report.reopened == (desk.get("1").id,)
    room.clock.advance(5)
    room.detector.reconcile([], source="alertmanager-api")
    desk.resolve("1")
    room.clock.advance(86_400)
    late = alert(deployment="risk", pod="newest", starts_at=room.clock.now())
    (opened,) = room.detector.ingest([late], source="alertmanager-api").opened
    assert desk.get(opened).same_as == desk.get("1").id


def test_a_chain_of_merges_ends_at_one_survivor(room: Room, desk: IncidentDesk) -> None:
    room.detector.ingest([alert(deployment="shop")], source="alertmanager-api")
    desk.merge("2", "1")
    survivor = desk.merge("1", "3")
    assert survivor.signals == 3
    report = room.detector.ingest([alert(deployment="risk", pod="new")], source="alertmanager-api")
    assert (report.opened, desk.get("3").signals) == ((), 4)
    assert {"#2 merged into #1", "#1 merged into #3"} <= {entry.text for entry in desk.timeline("3")}


def test_what_cleared_on_both_has_cleared_when_the_later_did(room: Room, desk: IncidentDesk) -> None:
    for left in ([alert(starts_at=room.clock.now())], []):
        room.clock.advance(10)
        room.detector.reconcile(left, source="alertmanager-api")
    cleared = desk.get("1").signals_cleared_at
    assert cleared is not None
    assert desk.get("2").signals_cleared_at != cleared
    assert desk.merge("1", "2").signals_cleared_at == cleared


def test_what_still_fires_keeps_the_survivor_from_being_resolved(room: Room, desk: IncidentDesk) -> None:
    room.clock.advance(10)
    room.detector.reconcile([alert(deployment="risk", severity="critical")], source="alertmanager-api")
    assert desk.get("1").firing == 0
    assert desk.merge("2", "1").signals_cleared_at is None
    with pytest.raises(GateNotMet, match="1 signal still firing"):
        desk.resolve("1")


def test_no_merge_makes_a_cycle_or_leads_into_what_is_over(room: Room, desk: IncidentDesk) -> None:
    desk.merge("2", "1")
    length = room.length
    with pytest.raises(UsageError, match="itself"):
        desk.merge("1", "1")
    with pytest.raises(GateNotMet) as cycle:
        desk.merge("1", "2")
    assert "cycle" in cycle.value.why
    with pytest.raises(GateNotMet, match="was merged into #1"):
        desk.merge("2", "1")
    drill = desk.open("rehearsal", drill=True)
    with pytest.raises(GateNotMet) as mixed:
        desk.merge(drill.id, "1")
    assert "drill" in mixed.value.why
    assert room.length == length + 2  # the drill alone
    desk.dismiss("1", "noise")
    with pytest.raises(GateNotMet) as over:
        desk.merge(drill.id, "1")
    assert "dismissed" in over.value.why


def test_a_merge_that_saw_less_than_there_is_is_refused(desk: IncidentDesk) -> None:
    one, two = desk.get("1").seq, desk.get("2").seq
    desk.ack("1")
    with pytest.raises(GateNotMet, match="#1 changed"):
        desk.merge("2", "1", expected_seq=two, expected_into_seq=one)
    assert desk.get("2").state is State.DETECTED


def test_nothing_more_happens_to_what_was_merged_and_its_last_survivor_is_named(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    people = PeopleDesk(room.journal, room.clock, "ana")
    task = people.add_task("2", "look at the cache")
    desk.merge("2", "1")
    desk.merge("1", desk.open("all of it").id)
    length = room.length
    commands: tuple[Callable[[], object], ...] = (
        lambda: desk.resolve("2"),
        lambda: desk.reopen("2", "x"),
        lambda: desk.assign("2", "bo"),
        lambda: desk.set_severity("2", Severity.SEV1),
        lambda: desk.ack("2"),
        lambda: desk.note("2", "still told"),
        lambda: desk.link("2", "https://chat.example/1"),
        lambda: desk.link("3", "2"),
        lambda: desk.unlink("2", "https://chat.example/1"),
        lambda: people.set_role("2", Role.COMMANDER, "bo"),
        lambda: people.clear_role("2", Role.COMMANDER),
        lambda: people.add_task("2", "look again"),
        lambda: people.update("2", "as before"),
        lambda: people.snooze_update("2", room.clock.now() + timedelta(hours=1)),
    )
    for command in commands:
        with pytest.raises(GateNotMet, match="#2 was merged into #3") as refused:
            command()
        assert refused.value.fix.endswith("maestro incident show 3")
    assert room.length == length
    assert people.end_task(str(task.number), TaskState.DONE).state is TaskState.DONE


@pytest.mark.parametrize(
    "target", ["https://a b", "http://a/\tb", "http://a/\u202eb", "http:///x", "ftp://a", "https://[a"]
)
def test_what_is_no_address_of_a_page_is_not_linked(desk: IncidentDesk, target: str) -> None:
    with pytest.raises(UsageError, match="not the address of a page"):
        desk.link("1", target)
    assert desk.links("1") == ()
    assert desk.link("1", "http://a/b").number == 1


def test_a_link_is_seen_from_both_ends_and_taken_away_from_either(desk: IncidentDesk) -> None:
    desk.link("1", "2", kind=LinkKind.CAUSED_BY, note="their cache")
    assert [(link.words, link.target) for link in desk.links("1")] == [("caused-by", desk.get("2").id)]
    assert [(link.words, link.target) for link in desk.links("2")] == [("caused", desk.get("1").id)]
    assert desk.timeline("1")[-1].text == desk.timeline("2")[-1].text == "#1 caused-by #2: their cache"
    desk.unlink("2", "1")
    assert desk.links("1") == desk.links("2") == ()
    with pytest.raises(NotFound, match="no link"):
        desk.unlink("2", "1")


@pytest.mark.parametrize("address", ["javascript://x", "ftp://h/x", "https://", "https://h/" + "x" * 3000])
def test_only_a_page_can_be_linked(desk: IncidentDesk, address: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        desk.link("1", address)


def test_a_link_leads_elsewhere(desk: IncidentDesk) -> None:
    with pytest.raises(UsageError, match="itself"):
        desk.link("1", "#1")
