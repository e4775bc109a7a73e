"""More incidents at once than a rule allows are one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maestro_cli.config.locations import shipped
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.explanation import explain_signal
from maestro_cli.incidents.intake.rules.model import STORM_PREFIX, Rule, RuleBook
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.intake.storms import Beginning, in_storms
from maestro_cli.incidents.intake.touched import GRAVER
from maestro_cli.incidents.model import Severity, State
from maestro_cli.incidents.people.desk import PeopleDesk
from maestro_cli.incidents.people.model import Role
from maestro_cli.incidents.people.projection import PeopleProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.projection import RunsProjection
from tests.unit.growth import grows_linearly
from tests.unit.incidents.world import LABELS, T0, Room, alert

SOURCE = "alertmanager-api"
TABLES = (RulesProjection(), RunsProjection())
STORM = Rule("storm", threshold=3, window_seconds=60, prefix=STORM_PREFIX, by_labels=True, title="a storm")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path, *TABLES)
    yield room
    room.journal.close()


def detector(room: Room, storm: Rule | None = STORM) -> Detector:
    return Detector(room.journal, room.clock, "watch", bindings=Bindings((), RuleBook(storm=storm)))


def fires(
    number: int, *, after: float = 0, alertname: str = "Slow", severity: str = "page", cluster: str = ""
) -> Alert:
    return alert(
        deployment=f"service-{number}", service="", starts_at=T0 + timedelta(seconds=after),
        alertname=alertname, severity=severity, cluster=cluster,
    )  # fmt: skip


def made(room: Room) -> dict[str, int]:
    return {one.key: one.signals for one in list_incidents(room.journal)}


def test_eight_hundred_alerts_of_as_many_workloads_are_one_incident(room: Room) -> None:
    watch = Detector(
        room.journal,
        room.clock,
        "watch",
        bindings=Bindings((), read_rules((shipped("deploy") / "incident-rules.yaml",))),
    )
    storm = [fires(number, after=number % 100) for number in range(800)]
    room.clock.advance(120)
    report = watch.reconcile(storm, source=SOURCE)
    assert (len(report.opened), report.attached, made(room)) == (1, 800, {"storm": 800})
    length = room.length
    assert watch.reconcile(storm, source=SOURCE).duplicates == 800
    assert room.length == length


def test_as_many_as_the_threshold_are_no_storm_nor_are_more_that_began_apart(room: Room) -> None:
    detector(room).ingest([fires(n) for n in range(3)], source=SOURCE)
    room.clock.advance(800)
    detector(room).ingest([fires(n, after=100 * n) for n in range(4, 8)], source=SOURCE)
    assert set(made(room).values()) == {1}
    assert len(made(room)) == 7


def test_many_alerts_of_one_workload_are_no_storm(room: Room) -> None:
    detector(room).ingest([alert(alertname=f"Alert{n}") for n in range(50)], source=SOURCE)
    assert made(room) == {"ml/fraud": 50}


def bit_by_bit(room: Room, watch: Detector, numbers: Iterable[int]) -> None:
    for number in numbers:
        room.clock.advance(1)
        watch.ingest([fires(number, after=number)], source=SOURCE)


def test_what_opened_before_it_was_a_storm_is_merged_into_it(room: Room) -> None:
    watch = detector(room)
    bit_by_bit(room, watch, range(3))
    assert set(made(room).values()) == {1}
    again = [fires(0), fires(0, alertname="Other"), fires(3, after=3)]
    assert watch.ingest(again, source=SOURCE).duplicates == 1
    gone = list_incidents(room.journal, states=[State.MERGED])
    (storm,) = list_incidents(room.journal, states=[State.DETECTED])
    assert {one.merged_into for one in gone} == {storm.id}
    assert (storm.key, storm.signals, storm.times.started_at, len(gone)) == ("storm", 5, T0, 3)
    bit_by_bit(room, watch, (4, 5))
    watch.ingest([fires(1, alertname="Later")], source=SOURCE)
    assert made(room) == {"storm": 8} | {f"ml/service-{number}": 0 for number in range(3)}
    told = explain_signal(watch.bindings, room.journal, {**LABELS, "deployment": "new"}, room.clock.now())
    assert told.would == "joins incident #4, a storm"


PERSON = "ana"
DONE_BY_PEOPLE: Mapping[str, Callable[[IncidentDesk, PeopleDesk], object]] = {
    "ack": lambda desk, people: desk.ack("2"),
    "owner": lambda desk, people: desk.assign("2", "bo"),
    "severity": lambda desk, people: desk.set_severity("2", Severity.SEV1),
    "note": lambda desk, people: desk.note("2", "the switch in hall 2"),
    "link": lambda desk, people: desk.link("2", "https://chat.example/1"),
    "role": lambda desk, people: people.set_role("2", Role.COMMANDER, "bo"),
    "task": lambda desk, people: people.add_task("2", "call the provider"),
    "update": lambda desk, people: people.update("2", "we look at it"),
}


@pytest.mark.parametrize("done", DONE_BY_PEOPLE)
def test_what_people_are_at_work_on_stays_theirs_and_is_linked_with_the_storm_once(
    tmp_path: Path, done: str
) -> None:
    room = Room(tmp_path, *TABLES, PeopleProjection())
    watch, desk = detector(room), IncidentDesk(room.journal, room.clock, PERSON)
    bit_by_bit(room, watch, range(3))
    DONE_BY_PEOPLE[done](desk, PeopleDesk(room.journal, room.clock, PERSON))
    before = desk.get("2")
    bit_by_bit(room, watch, range(3, 6))
    assert made(room) == {"storm": 5, "ml/service-0": 0, "ml/service-1": 1, "ml/service-2": 0}
    assert replace(desk.get("2"), seq=before.seq) == before
    linked = [link for link in desk.links("2") if link.target == desk.get("4").id]
    assert [(link.words, link.note) for link in linked] == [("related", "it began with this storm")]
    watch.ingest([fires(1, alertname="Other")], source=SOURCE)
    assert desk.get("2").signals == 2, "a signal whose own incident is open goes there"
    assert verify(room.journal.path, [IncidentProjection(), PeopleProjection()]).intact
    room.journal.close()


RUN = {"runbook": "rescue", "title": "Rescue", "file": "rescue.md", "digest": "d"}
PLAY = {
    "key": "k", "playbook": "p", "digest": "d", "trigger": "incident", "words": "", "mode": "auto",
    "facts": {}, "annotations": {}, "status": "begun", "reason": "",
}  # fmt: skip
ENDED = {"status": "succeeded", "exit_code": 0, "reason": ""}
Happened = Mapping[str, Sequence[tuple[str, str, Mapping[str, Any]]]]  # kind, subject, data
WORK: Happened = {
    "run": (("run.started", "run/r", RUN),),
    "play": (("playbook.begun", "playbook-run/p", PLAY),),
}
OVER: Happened = {
    "run": (*WORK["run"], ("run.finished", "run/r", ENDED)),
    "play": (*WORK["play"], ("playbook.came_to", "playbook-run/p", ENDED)),
}


@pytest.mark.parametrize(("work", "stays"), [(WORK, True), (OVER, False)], ids=["at-work", "over"])
@pytest.mark.parametrize("what", ["run", "play"])
def test_what_a_runbook_is_at_work_on_is_not_merged_away_until_it_is_over(
    room: Room, what: str, work: Happened, stays: bool
) -> None:
    watch = detector(room)
    bit_by_bit(room, watch, range(3))
    incident = IncidentDesk(room.journal, room.clock, PERSON).get("2")
    for kind, subject, data in work[what]:
        room.journal.append(kind, subject, PERSON, {"incident": incident.id, **data})
    bit_by_bit(room, watch, range(3, 6))
    assert (made(room)["ml/service-1"] == 1) is stays


def test_how_grave_another_watch_finds_it_is_nobodys_work(room: Room) -> None:
    watch = detector(room)
    bit_by_bit(room, watch, range(3))
    incident = IncidentDesk(room.journal, room.clock, PERSON).get("2")
    grave = {"incident": incident.id, "severity": "sev1", "was": "sev2", "reason": GRAVER}
    room.journal.append("incident.severity_set", incident.subject, "another watch", grave)
    bit_by_bit(room, watch, range(3, 6))
    assert made(room)["storm"] == 6


def test_a_trickle_does_not_go_on_with_a_storm(room: Room) -> None:
    watch = detector(room)
    watch.ingest([fires(n) for n in range(4)], source=SOURCE)
    for number in range(1, 4):
        room.clock.advance(50)
        watch.ingest([fires(10 + number, after=50 * number)], source=SOURCE)
    keys = made(room)
    assert keys["storm"] == 5, "one more began within the window"
    assert {"ml/service-12", "ml/service-13"} <= set(keys)


def test_a_storm_is_as_grave_as_the_gravest_in_it(room: Room) -> None:
    watch = detector(room)
    watch.ingest([fires(n, severity="info" if n else "warning") for n in range(5)], source=SOURCE)
    (storm,) = list_incidents(room.journal)
    assert (storm.severity, storm.workload, storm.title) == (Severity.SEV3, None, "a storm")
    watch.ingest([fires(9, severity="page")], source=SOURCE)
    (storm,) = list_incidents(room.journal)
    assert storm.severity is Severity.SEV2
    watch.ingest([fires(10, severity="info")], source=SOURCE)
    assert list_incidents(room.journal)[0].severity is Severity.SEV2


def test_storms_are_apart_by_the_labels_that_the_rule_groups_by(room: Room) -> None:
    watch = detector(room, replace(STORM, group_by=("cluster",)))
    watch.ingest([fires(n, cluster="ab"[n % 2]) for n in range(9)], source=SOURCE)
    assert made(room) == {"storm/a": 5, "storm/b": 4}


def test_a_drills_signals_are_not_counted_with_real_ones(room: Room) -> None:
    drill = Detector(
        room.journal, room.clock, "watch", drill=lambda: True, bindings=Bindings((), RuleBook(storm=STORM))
    )
    drill.ingest([fires(n) for n in range(3)], source=SOURCE)
    detector(room).ingest([fires(n) for n in range(3, 6)], source=SOURCE)
    assert len(made(room)) == 6


def test_a_storm_is_counted_anew_after_the_one_before_is_over(room: Room) -> None:
    watch = detector(room)
    watch.reconcile([fires(n) for n in range(5)], source=SOURCE)
    room.clock.advance(10)
    assert watch.reconcile([], source=SOURCE).cleared
    IncidentDesk(room.journal, room.clock, "ana").resolve("latest")
    room.clock.advance(1000)
    watch.ingest([fires(n, after=1000) for n in range(3)], source=SOURCE)
    assert made(room) == {"storm": 5} | {f"ml/service-{n}": 1 for n in range(3)}


beginnings = st.lists(
    st.builds(
        Beginning,
        fingerprint=st.uuids().map(str),
        key=st.sampled_from("abcdef"),
        storm=st.sampled_from(["storm/x", "storm/y"]),
        began=st.integers(0, 300).map(lambda second: T0 + timedelta(seconds=second)),
    ),
    max_size=25,
    unique_by=lambda one: one.fingerprint,
)


def by_the_definition(every: Sequence[Beginning]) -> set[str]:
    """Of each window that begins with a signal: all in it, where it holds more keys than the threshold."""
    found: set[str] = set()
    for first in every:
        until = first.began + timedelta(seconds=STORM.window_seconds)
        inside = [one for one in every if one.storm == first.storm and first.began <= one.began <= until]
        if len({one.key for one in inside}) > STORM.threshold:
            found |= {one.fingerprint for one in inside}
    return found


@given(beginnings, st.randoms(use_true_random=False))
def test_what_is_in_a_storm_follows_the_definition_in_any_order(
    every: list[Beginning], chance: Random
) -> None:
    expected = by_the_definition(every)
    assert in_storms(every, STORM) == expected
    chance.shuffle(every)
    assert in_storms(every, STORM) == expected


def test_counting_grows_with_the_number_of_signals_not_with_its_square() -> None:
    def count(number: int) -> None:
        each = [Beginning(str(n), str(n), "storm", T0 + timedelta(milliseconds=n)) for n in range(number)]
        assert len(in_storms(each, STORM)) == number

    assert grows_linearly(count, 1000)


def delivered(deliveries: Iterable[Sequence[Alert]]) -> dict[str, int]:
    with TemporaryDirectory() as folder:
        room = Room(Path(folder), *TABLES)
        room.clock.advance(800)
        for delivery in deliveries:
            detector(room).ingest(delivery, source=SOURCE)
        groups = {key: number for key, number in made(room).items() if number}
        room.journal.close()
    return groups


starts_in_any_order = st.lists(st.integers(0, 20).map(lambda tens: 10 * tens), min_size=4, max_size=9)


@settings(max_examples=20, deadline=None)
@given(starts_in_any_order)
@example([0, 15, 30, 45, 90, 200, 200, 230, 290])
@example([0, 10, 20, 30, 60, 80, 90, 110, 130])
def test_one_signal_after_another_in_any_order_gives_the_groups_of_one_delivery(starts: list[int]) -> None:
    each = [fires(n, after=start, alertname=f"A{n}") for n, start in enumerate(starts)]
    assert delivered([one] for one in each) == delivered([each])


def test_a_storm_goes_on_for_as_long_as_a_window_holds_more_than_the_threshold() -> None:
    starts = range(0, 300, 15)
    each = [fires(n, after=start) for n, start in enumerate(starts)]
    assert delivered([one] for one in each) == {"storm": len(starts)}


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)))
def test_one_delivery_gives_the_same_groups_in_any_order(order: list[int]) -> None:
    starts = (0, 5, 10, 15, 20, 200, 200, 200, 200, 500, 500, 700)
    each = [fires(n % 9, after=start, alertname=f"A{n}") for n, start in enumerate(starts)]
    with TemporaryDirectory() as folder:
        room = Room(Path(folder), *TABLES)
        room.clock.advance(800)
        detector(room).ingest([each[place] for place in order], source=SOURCE)
        groups = {
            one.key: {signal.name for signal in signals_of(room.journal, one.id)}
            for one in list_incidents(room.journal)
        }
        room.journal.close()
    apart = {f"ml/service-{n - 9}": {f"A{n}"} for n in (9, 10, 11)}
    assert groups == {"storm": {f"A{n}" for n in range(9)}, **apart}
