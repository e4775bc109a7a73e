"""Who resolves what, and which rules are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.model import (
    EVERY_SIGNAL,
    FlapLimit,
    ResolveOn,
    Rule,
    RuleBook,
    shipped_rules,
)
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.intake.rules.resolving import RuleResolver
from maestro_cli.incidents.intake.rules.usage import note_rules, unused_rules, usage_of_rules
from maestro_cli.incidents.model import State
from maestro_cli.incidents.register import list_incidents
from maestro_cli.runbooks.playbooks.matchers import parse_matcher
from tests.unit.incidents.world import T0, Room, alert

SOURCE = "alertmanager-api"
SETTLE = 300


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path, RulesProjection())
    yield room
    room.journal.close()


def watch(room: Room, *rules: Rule) -> Detector:
    book = RuleBook((*rules, EVERY_SIGNAL), unused_after_seconds=86_400.0)
    return Detector(room.journal, room.clock, "watch", bindings=Bindings((), book))


def of_team(name: str, *, threshold: int = 1) -> Rule:
    matchers = (parse_matcher(f"team={name}"),)
    return Rule(name, matchers, ("team",), threshold=threshold, prefix=("rule", name), by_labels=True)


def test_that_a_shipped_rule_matched_nothing_is_nobodys_mistake(room: Room) -> None:
    shipped = replace(of_team("b"), file=str(shipped_rules()))
    own = replace(of_team("c"), file="rules.yaml")
    detector = watch(room, shipped, own)
    note_rules(room.journal, "watch", detector.bindings.book)
    later = T0 + timedelta(days=2)
    assert set(unused_rules(detector.bindings.book, usage_of_rules(room.journal), later)) == {"c"}


def two_fire(room: Room, resolve_on: ResolveOn, limit: FlapLimit | None = None) -> Detector:
    detector = watch(room, replace(EVERY_SIGNAL, id="own", resolve_on=resolve_on, flapping=limit))
    detector.reconcile([alert(), alert(alertname="Slow")], source=SOURCE)
    room.clock.advance(10)
    return detector


def look(room: Room, detector: Detector) -> State:
    told: list[str] = []
    resolver = RuleResolver(room.journal, room.clock, "watch", detector.bindings, settle_seconds=SETTLE)
    resolver.look(told.append)
    (incident,) = list_incidents(room.journal)
    assert bool(told) is (incident.state is State.RESOLVED)
    return incident.state


def test_by_default_the_watch_resolves_nothing(room: Room) -> None:
    detector = two_fire(room, "never")
    detector.reconcile([], source=SOURCE)
    room.clock.advance(10 * SETTLE)
    assert look(room, detector) is State.DETECTED


def test_on_all_it_waits_for_the_last_signal_and_until_that_has_settled(room: Room) -> None:
    detector = two_fire(room, "all")
    detector.reconcile([alert()], source=SOURCE)
    room.clock.advance(10 * SETTLE)
    assert look(room, detector) is State.DETECTED
    detector.reconcile([], source=SOURCE)
    room.clock.advance(SETTLE - 1)
    assert look(room, detector) is State.DETECTED
    room.clock.advance(1)
    assert look(room, detector) is State.RESOLVED


def test_on_first_it_resolves_while_others_fire_and_gives_the_rule_as_reason(room: Room) -> None:
    detector = two_fire(room, "first")
    assert look(room, detector) is State.DETECTED
    detector.reconcile([alert()], source=SOURCE)
    room.clock.advance(SETTLE - 1)
    assert look(room, detector) is State.DETECTED
    room.clock.advance(1)
    assert look(room, detector) is State.RESOLVED
    (event,) = room.journal.events(kinds=("incident.resolved",))
    assert (event.data["forced"], event.data["still_firing"]) == (True, 1)
    assert event.data["reason"] == "the first of its signals resolved: rule own"
    assert detector.reconcile([alert()], source=SOURCE).reopened == (), "what still fires reopens nothing"


def test_what_somebody_responds_to_is_left_to_them(room: Room) -> None:
    detector = two_fire(room, "all")
    (incident,) = list_incidents(room.journal)
    begun = {"incident": incident.id, "playbook": "burn"}
    room.journal.append("incident.response_begun", incident.subject, "watch", begun)
    detector.reconcile([], source=SOURCE)
    room.clock.advance(2 * SETTLE)
    assert look(room, detector) is State.DETECTED


def test_an_incident_with_a_signal_that_flaps_is_not_over(room: Room) -> None:
    detector = two_fire(room, "first", FlapLimit(2, 3000))
    for _ in range(2):
        detector.reconcile([alert()], source=SOURCE)
        room.clock.advance(10)
        detector.reconcile([alert(), alert(alertname="Slow")], source=SOURCE)
        room.clock.advance(10)
    ended = alert(firing=False, alertname="Slow")
    detector.ingest([ended], source="alertmanager-webhook")
    room.clock.advance(SETTLE)
    assert look(room, detector) is State.DETECTED
    room.clock.advance(3000)
    assert look(room, detector) is State.RESOLVED


def test_matches_are_counted_by_the_signals_that_join(room: Room) -> None:
    detector = watch(room, of_team("a"), of_team("b"))
    detector.ingest([alert(team="a"), alert(team="a", alertname="Slow"), alert()], source=SOURCE)
    length = room.length
    detector.ingest([alert(team="a"), alert(team="a", alertname="Slow"), alert()], source=SOURCE)
    assert room.length == length, "a match alone writes nothing"
    usage = usage_of_rules(room.journal)
    assert {name: one.signals for name, one in usage.items()} == {"a": 2, "workload": 1}
    assert usage["a"].last_at == T0


def test_a_rule_that_matched_nothing_since_it_is_known_is_unused(room: Room) -> None:
    detector = watch(room, of_team("a"), of_team("b"))
    book = detector.bindings.book
    assert unused_rules(book, usage_of_rules(room.journal), T0 + timedelta(days=9)) == {}, "never watched"
    note_rules(room.journal, "watch", book)
    room.clock.advance(3600)
    detector.ingest([alert(team="a")], source=SOURCE)
    assert unused_rules(book, usage_of_rules(room.journal), T0 + timedelta(days=1)) == {}
    later = T0 + timedelta(days=1, seconds=1)
    assert unused_rules(book, usage_of_rules(room.journal), later) == {"b": 86_401.0}
    much_later = T0 + timedelta(days=1, seconds=3601)
    assert set(unused_rules(book, usage_of_rules(room.journal), much_later)) == {"a", "b"}


def test_a_watch_says_which_rules_it_knows_only_when_they_changed(room: Room) -> None:
    book = watch(room, of_team("a")).bindings.book
    note_rules(room.journal, "watch", book)
    note_rules(room.journal, "watch", book)
    assert room.length == 1
    room.clock.advance(60)
    note_rules(room.journal, "watch", watch(room, of_team("a"), of_team("b")).bindings.book)
    usage = usage_of_rules(room.journal)
    assert (usage["a"].since, usage["b"].since) == (T0, T0 + timedelta(seconds=60))


def test_a_rule_whose_signals_wait_for_more_is_used_and_says_so_once_a_day(room: Room) -> None:
    detector = watch(room, of_team("a", threshold=2))
    for _ in range(3):
        detector.reconcile([alert(team="a")], source=SOURCE)
        room.clock.advance(10)
    assert [event.kind for event in room.journal.events()] == ["rules.matched"]
    assert usage_of_rules(room.journal)["a"].signals == 1
    room.clock.advance(86_400)
    detector.reconcile([alert(team="a")], source=SOURCE)
    assert room.length == 2


def test_the_rule_that_opened_it_is_looked_up_and_one_that_is_gone_resolves_nothing(room: Room) -> None:
    detector = two_fire(room, "all")
    detector.reconcile([], source=SOURCE)
    room.clock.advance(SETTLE)
    assert look(room, watch(room, replace(of_team("z"), resolve_on="all"))) is State.DETECTED
    assert IncidentDesk(room.journal, room.clock, "ana").get("latest").state is State.DETECTED


@pytest.mark.parametrize("resolve_on", ["all", "first"])
def test_what_a_person_reopened_stays_until_a_signal_ends_anew(room: Room, resolve_on: ResolveOn) -> None:
    detector, desk = two_fire(room, resolve_on), IncidentDesk(room.journal, room.clock, "ana")
    detector.reconcile([], source=SOURCE)
    room.clock.advance(SETTLE)
    assert look(room, detector) is State.RESOLVED
    room.clock.advance(1)
    desk.reopen("latest", "it is still slow")
    room.clock.advance(10 * SETTLE)
    assert look(room, detector) is State.TRIAGING
    detector.reconcile([alert(starts_at=room.clock.now())], source=SOURCE)
    room.clock.advance(1)
    detector.reconcile([], source=SOURCE)
    room.clock.advance(SETTLE)
    assert look(room, detector) is State.RESOLVED


@pytest.mark.parametrize("act", ["ack", "assign"])
@pytest.mark.parametrize("resolve_on", ["all", "first"])
def test_what_somebody_acknowledged_or_owns_is_left_to_them(
    room: Room, resolve_on: ResolveOn, act: str
) -> None:
    detector, desk = two_fire(room, resolve_on), IncidentDesk(room.journal, room.clock, "ana")
    if act == "ack":
        desk.ack("latest")
        desk.assign("latest", None)
    else:
        desk.assign("latest", "ben")
    detector.reconcile([], source=SOURCE)
    room.clock.advance(2 * SETTLE)
    assert look(room, detector) is State.DETECTED
