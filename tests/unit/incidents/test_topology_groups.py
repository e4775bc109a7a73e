"""Signals that are of one cause by where they are become one incident, in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.explanation import explain_signal
from maestro_cli.incidents.intake.rules.model import EVERY_SIGNAL, STORM_PREFIX, RuleBook
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.intake.storms import begun
from maestro_cli.incidents.intake.topology import Topology, closure, place_of
from maestro_cli.incidents.model import Severity, State
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.services.incident_topology import ReadTopology
from tests.unit.incidents.world import T0, Room, SetClock, alert

SOURCE = "alertmanager-api"
TABLES = (RulesProjection(), RunsProjection())
RULES = """maestro: incident-rules/v1
dependencies: {ml/shop: [ml/cart], ml/cart: [db/store], ml/fraud: [db/store]}
rules:
- {id: where, same: [workload, node, dependency], window: 60s}
"""
# Of each workload one pod on a node; `cart` runs on both.
PODS = {
    ("ml", "shop-0"): ("ml/shop", "n1"),
    ("ml", "cart-0"): ("ml/cart", "n1"),
    ("ml", "cart-1"): ("ml/cart", "n2"),
    ("db", "store-0"): ("db/store", "n3"),
    ("ml", "fraud-0"): ("ml/fraud", "n2"),
}
NODES: Mapping[str, frozenset[str]] = {
    "ml/shop": frozenset({"n1"}),
    "ml/cart": frozenset({"n1", "n2"}),
    "db/store": frozenset({"n3"}),
    "ml/fraud": frozenset({"n2"}),
}
TOPOLOGY = Topology(PODS, NODES)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return read_rules((file,))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path, *TABLES)
    room.clock.advance(3600)
    yield room
    assert verify(room.journal.path, [IncidentProjection(), *TABLES]).intact
    room.journal.close()


def detector(room: Room, book: RuleBook, topology: Topology = TOPOLOGY) -> Detector:
    return Detector(room.journal, room.clock, "watch", bindings=Bindings((), book), topology=lambda: topology)


def on(workload: str, *, after: float = 0, name: str = "Slow", severity: str = "page") -> Alert:
    namespace, _, deployment = workload.partition("/")
    return alert(
        namespace=namespace, deployment=deployment, service="", alertname=name, severity=severity,
        starts_at=T0 + timedelta(seconds=after),
    )  # fmt: skip


def of_pod(name: str, *, after: float = 0) -> Alert:
    return alert(
        namespace="ml", deployment="", service="", pod=name, alertname="PodIll",
        starts_at=T0 + timedelta(seconds=after),
    )  # fmt: skip


def of_node(node: str, *, after: float = 0) -> Alert:
    return alert(
        namespace="", deployment="", service="", node=node, alertname="NodeIll",
        starts_at=T0 + timedelta(seconds=after),
    )  # fmt: skip


def groups(room: Room) -> set[frozenset[str]]:
    """What each open incident holds: its signals by alert and workload, pod or node."""
    return {
        frozenset(
            f"{one.name} {one.labels.get('deployment') or one.labels.get('pod') or one.labels.get('node')}"
            for one in signals_of(room.journal, incident.id)
        )
        for incident in list_incidents(room.journal)
        if incident.state.is_open
    }


def test_signals_of_a_node_and_of_what_runs_there_are_one_incident_named_after_the_node(
    room: Room, book: RuleBook
) -> None:
    watch = detector(room, book)
    watch.ingest([of_pod("shop-0"), on("ml/cart", after=10), of_node("n1", after=50)], source=SOURCE)
    (incident,) = list_incidents(room.journal)
    assert (incident.key, incident.title, incident.signals) == ("node/n1", "NodeIll", 3)


def test_without_a_signal_of_the_node_what_runs_there_is_apart(room: Room, book: RuleBook) -> None:
    detector(room, book).ingest([of_pod("fraud-0"), on("ml/cart")], source=SOURCE)
    assert groups(room) == {frozenset({"PodIll fraud-0"}), frozenset({"Slow cart"})}


def test_two_that_need_the_same_are_apart_until_that_is_ill_and_then_merged(
    room: Room, book: RuleBook
) -> None:
    watch = detector(room, book)
    watch.ingest([on("ml/shop", severity="warning")], source=SOURCE)
    watch.ingest([on("ml/fraud", after=5)], source=SOURCE)
    assert len(groups(room)) == 2
    watch.ingest([on("db/store", after=20)], source=SOURCE)
    assert groups(room) == {frozenset({"Slow shop", "Slow fraud", "Slow store"})}
    merged, first = list_incidents(room.journal)
    assert (first.number, first.severity, first.state) == (1, Severity.SEV2, State.DETECTED)
    assert (merged.state, merged.merged_into) == (State.MERGED, first.id)
    watch.ingest([on("ml/fraud", after=2000, name="Other")], source=SOURCE)
    assert len(groups(room)) == 1, "what is of a key that is on it joins it, whenever it began"


def test_what_began_further_apart_than_the_window_is_not_one(room: Room, book: RuleBook) -> None:
    detector(room, book).ingest([on("ml/fraud"), on("db/store", after=61)], source=SOURCE)
    assert len(groups(room)) == 2


def test_a_workload_is_known_by_the_owner_of_its_pod(room: Room, book: RuleBook) -> None:
    watch = detector(room, book)
    watch.ingest([of_pod("fraud-0")], source=SOURCE)
    watch.ingest([on("ml/fraud", after=9)], source=SOURCE)
    assert groups(room) == {frozenset({"PodIll fraud-0", "Slow fraud"})}


def test_where_a_pod_ran_is_remembered_after_it_is_gone(room: Room, book: RuleBook) -> None:
    detector(room, book).ingest([of_pod("shop-0")], source=SOURCE)
    detector(room, book, Topology()).ingest([of_node("n1", after=30)], source=SOURCE)
    assert len(groups(room)) == 1


def test_an_incident_that_opened_before_the_topology_was_known_is_joined(room: Room, book: RuleBook) -> None:
    detector(room, book, Topology()).ingest([of_pod("shop-0")], source=SOURCE)
    detector(room, book).ingest([of_node("n1", after=30)], source=SOURCE)
    assert groups(room) == {frozenset({"PodIll shop-0", "NodeIll n1"})}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_a_delivery_says_of_a_signal_whose_incident_it_merges_is_told_of_the_survivor(
    room: Room, book: RuleBook, order: tuple[int, ...]
) -> None:
    watch = detector(room, book)
    watch.ingest([on("ml/shop")], source=SOURCE)
    changes, ends = on("ml/fraud", after=5), on("ml/fraud", after=6, name="Ends")
    watch.ingest([changes, ends], source=SOURCE)
    told = [
        on("db/store", after=20),
        replace(changes, annotations={"summary": "far too slow"}),
        replace(ends, firing=False),
    ]
    watch.ingest([told[place] for place in order], source=SOURCE)
    gone, stays = list_incidents(room.journal)
    assert (gone.state, gone.merged_into) == (State.MERGED, stays.id)
    signals = {one.fingerprint: one for one in signals_of(room.journal, stays.id)}
    assert signals[changes.fingerprint].annotations == {"summary": "far too slow"}
    assert not signals[ends.fingerprint].firing
    assert signals_of(room.journal, gone.id) == ()
    room.clock.advance(10)
    watch.reconcile([], source=SOURCE)
    assert [one.firing for one in list_incidents(room.journal)] == [0, 0]


def test_what_somebody_works_on_is_never_merged_away(room: Room, book: RuleBook) -> None:
    watch, desk = detector(room, book), IncidentDesk(room.journal, room.clock, "ana")
    watch.ingest([on("ml/shop")], source=SOURCE)
    watch.ingest([on("ml/fraud", after=5)], source=SOURCE)
    desk.ack("2")
    watch.ingest([on("db/store", after=20)], source=SOURCE)
    first = desk.get("1")
    assert (first.state, first.merged_into) == (State.MERGED, desk.get("2").id)
    watch.ingest([on("ml/shop", after=900)], source=SOURCE)
    desk.open("carts are empty", workload=desk.get("1").workload)
    assert len(groups(room)) == 1


def test_of_two_that_people_work_on_neither_is_merged_away(room: Room, book: RuleBook) -> None:
    watch, desk = detector(room, book), IncidentDesk(room.journal, room.clock, "ana")
    watch.ingest([on("ml/shop")], source=SOURCE)
    watch.ingest([on("ml/fraud", after=5)], source=SOURCE)
    desk.ack("1")
    desk.ack("2")
    watch.ingest([on("db/store", after=20), on("ml/fraud", after=30, name="Other")], source=SOURCE)
    assert groups(room) == {
        frozenset({"Slow shop", "Slow store"}),
        frozenset({"Slow fraud", "Other fraud"}),
    }, "what is new goes to the first, and what is of the other's own key to that"


def test_a_namespace_whose_name_begins_like_a_storm_is_none(room: Room, book: RuleBook) -> None:
    watch = detector(room, book, Topology({}, {"storm-prod/a": frozenset({"n1"})}))
    watch.ingest([on("storm-prod/a")], source=SOURCE)
    watch.ingest([of_node("n1", after=30)], source=SOURCE)
    assert groups(room) == {frozenset({"Slow a", "NodeIll n1"})}
    storm = replace(EVERY_SIGNAL, prefix=STORM_PREFIX, window_seconds=300)
    counted = begun(room.journal, watch.bindings, storm, T0, T0, drill=False)
    assert [one.key for one in counted] == [list_incidents(room.journal)[0].key] * 2


def test_a_graver_signal_raises_the_incident_that_it_joins(room: Room, book: RuleBook) -> None:
    watch = detector(room, book)
    watch.ingest([on("ml/fraud", severity="info")], source=SOURCE)
    watch.ingest([on("db/store", severity="emergency", after=3)], source=SOURCE)
    (incident,) = list_incidents(room.journal)
    assert incident.severity is Severity.SEV1


def test_an_explanation_tells_what_it_would_join_by_where_it_is(room: Room, book: RuleBook) -> None:
    watch = detector(room, book)
    watch.ingest([on("ml/fraud", after=3600)], source=SOURCE)
    labels = {"alertname": "Down", "namespace": "db", "deployment": "store"}
    told = explain_signal(watch.bindings, room.journal, labels, room.clock.now())
    assert told.would == "joins incident #1 by where it is"
    room.clock.advance(61)
    later = explain_signal(watch.bindings, room.journal, labels, room.clock.now())
    assert later.would == "opens an incident"


def test_a_storm_of_one_node_is_one_incident_and_no_storm(room: Room, book: RuleBook) -> None:
    many = [on(f"ml/w-{number}") for number in range(200)]
    nodes = {f"ml/w-{number}": frozenset({"n1"}) for number in range(200)}
    detector(room, book, Topology({}, nodes)).ingest([*many, of_node("n1")], source=SOURCE)
    (incident,) = list_incidents(room.journal)
    assert (incident.key, incident.signals) == ("node/n1", 201)


def test_what_joins_an_incident_that_a_storm_of_the_same_delivery_takes_goes_on_in_the_storm(
    room: Room, book: RuleBook
) -> None:
    storm = replace(EVERY_SIGNAL, prefix=STORM_PREFIX, by_labels=True, threshold=3, window_seconds=300)
    watch = detector(room, replace(book, storm=storm))
    watch.ingest([on("db/store")], source=SOURCE)
    late = on("ml/shop", after=10, severity="emergency")
    watch.ingest([late, *(on(f"ml/{name}", after=11) for name in "abc")], source=SOURCE)
    assert groups(room) == {frozenset({"Slow store", "Slow shop", "Slow a", "Slow b", "Slow c"})}
    (taken,) = list_incidents(room.journal, states=[State.MERGED])
    assert (taken.key, taken.signals) == ("db/store", 0)
    assert watch.ingest([late], source=SOURCE).duplicates == 1, "it still fires"
    assert list_incidents(room.journal)[0].severity is Severity.SEV1


def test_what_is_needed_is_needed_through_others_too_and_circles_end() -> None:
    needs = closure({"a": ["b"], "b": ["c"], "c": ["a"]})
    assert needs == {"a": frozenset("bc"), "b": frozenset("ca"), "c": frozenset("ab")}


def test_labels_decide_where_a_signal_is_when_nothing_else_is_known() -> None:
    place = place_of({"namespace": "ml", "deployment": "fraud", "node": "n9", "pod": "p"}, Topology())
    assert (place.workload, place.nodes, place.about) == ("ml/fraud", frozenset({"n9"}), "")


def test_a_cluster_that_cannot_be_read_is_said_once_and_leaves_what_was_known() -> None:
    told: list[str] = []
    clock, answers = SetClock(), iter([(), Unreachable("gone"), Unreachable("gone"), ()])

    def pods() -> tuple[()]:
        answer = next(answers)
        if isinstance(answer, Unreachable):
            raise answer
        return ()

    topology = ReadTopology(pods, clock, told.append)
    for _ in range(4):
        topology()
        topology()
        clock.advance(30)
    assert told == ["what runs where cannot be read, so signals are grouped by their labels: gone"]


def signal_of(number: int, kind: int, after: int) -> Alert:
    workloads = ("ml/shop", "ml/cart", "db/store", "ml/fraud")
    if kind < 4:
        return on(workloads[kind], after=after, name=f"A{number}")
    if kind < 6:
        return of_node(f"n{kind - 3}", after=after)
    return of_pod(("shop-0", "cart-1", "fraud-0")[kind - 6], after=after)


signal_sets = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 400)), min_size=2, max_size=8)


def delivered(book: RuleBook, deliveries: Sequence[Sequence[Alert]]) -> set[frozenset[str]]:
    with TemporaryDirectory() as folder:
        room = Room(Path(folder), *TABLES)
        room.clock.advance(3600)
        watch = detector(room, book)
        for delivery in deliveries:
            watch.ingest(delivery, source=SOURCE)
        found = groups(room)
        room.journal.close()
    return found


@settings(max_examples=15, deadline=None)
@given(signal_sets, st.data())
def test_one_set_of_signals_gives_the_same_incidents_in_any_order(
    book: RuleBook, drawn: list[tuple[int, int]], data: st.DataObject
) -> None:
    every = {one.fingerprint: one for one in (signal_of(n, *what) for n, what in enumerate(drawn))}
    signals = list(every.values())
    expected = delivered(book, [signals])
    order = data.draw(st.permutations(signals))
    cut = data.draw(st.integers(0, len(order)))
    assert delivered(book, [order]) == expected
    assert delivered(book, [order[:cut], order[cut:]]) == expected
    assert delivered(book, [[one] for one in order]) == expected
