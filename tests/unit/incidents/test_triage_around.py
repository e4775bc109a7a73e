"""Zones, saturation, past incidents, and that the order of facts changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.facts.cluster import Node
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.triage.facts import CaseFacts, LogGroup, Rollout, Saturation, SplitRow, Tally
from maestro_cli.incidents.triage.model import Onset, Suspect
from maestro_cli.incidents.triage.past import Past
from maestro_cli.incidents.triage.surroundings import Around, Certificate, Refusals
from maestro_cli.incidents.triage.suspects import rank_suspects
from tests.unit.incidents.platform import FRAUD, at, pod
from tests.unit.incidents.triage_cases import bad_release, investigate
from tests.unit.incidents.world import Room, alert

NODES = tuple(Node(f"node-{n}", True, True, f"zone-{n % 2}") for n in range(4))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def rows(errors: dict[int, float]) -> tuple[SplitRow, ...]:
    """A pod on each of four nodes, in two zones by turns; so many of its hundred requests fail."""
    return tuple(
        SplitRow(
            f"fraud-1-{n}", f"node-{n}", "1", "1", Tally(900, 0, 100, errors.get(n, 0.0)), f"zone-{n % 2}"
        )
        for n in range(4)
    )


def case(errors: dict[int, float], *, nodes: tuple[Node, ...] = NODES, **pressure: str) -> CaseFacts:
    pods = tuple(pod(f"fraud-1-{n}", f"node-{n}", created=-900) for n in range(4))
    under = {name.replace("_", "-"): what for name, what in pressure.items()}
    return CaseFacts(
        FRAUD, Onset(at(0), at(-1), "errors"), pods=pods, nodes=nodes, split=rows(errors),
        saturation=Saturation(pressure=under),
    )  # fmt: skip


def subjects(facts: CaseFacts) -> dict[str, Suspect]:
    return {one.subject: one for one in rank_suspects(facts)}


def test_errors_on_several_nodes_of_one_zone_are_of_the_zone() -> None:
    assert "zone zone-1" in subjects(case({1: 40, 3: 40}))
    assert "zone zone-1" not in subjects(case({1: 40}))
    assert "zone zone-1" not in subjects(case({0: 40, 1: 40, 2: 40, 3: 40}))


def test_a_zone_whose_nodes_are_all_lost_comes_before_them() -> None:
    lost = tuple(replace(node, ready=node.zone != "zone-1") for node in NODES)
    assert rank_suspects(case({}, nodes=lost))[0].subject == "zone zone-1"
    one = tuple(replace(node, ready=node.name != "node-1") for node in NODES)
    assert "zone zone-1" not in subjects(case({}, nodes=one))


def test_a_node_under_pressure_counts_where_the_workload_runs() -> None:
    found = subjects(case({}, node_2="MemoryPressure", node_9="DiskPressure"))
    assert "node node-2 is under MemoryPressure" in found["node node-2"].reasons_for
    assert "node node-9" not in found


def test_a_surge_is_surer_where_the_pods_have_no_processor_left() -> None:
    calm = replace(case({}), load_factor=3.0)
    full = replace(calm, saturation=Saturation(cpu={one.name: 0.97 for one in calm.pods}))
    assert rank_suspects(full)[0].score > rank_suspects(calm)[0].score
    assert "4 of 4 pods use all of their processor limit" in rank_suspects(full)[0].reasons_for


def test_requests_that_fail_while_the_pods_are_idle_do_not_fail_for_their_number() -> None:
    failing = replace(case(dict.fromkeys(range(4), 60.0)), load_factor=3.0)
    idle = replace(failing, saturation=Saturation(cpu={one.name: 0.1 for one in failing.pods}))
    assert rank_suspects(idle)[0].score < rank_suspects(failing)[0].score
    answering = replace(case({}), load_factor=3.0, saturation=idle.saturation)
    assert rank_suspects(answering)[0].reasons_against == ()


def mixed() -> CaseFacts:
    """Facts of many kinds at once, each of several."""
    groups = tuple(
        LogGroup(
            str(n),
            f"error {n} of connection",
            "error",
            "error",
            True,
            {f"fraud-1-{m}": (0, 5) for m in range(4)},
        )
        for n in range(4)
    )
    rollouts = tuple(
        Rollout(FRAUD, n, f"fraud-{n}", at(-100 * (4 - n)), n == 3, n - 1, ("a: b → c",)) for n in (2, 3)
    )
    around = Around(
        certificates=tuple(Certificate("ml", name, -5.0) for name in ("a", "b")),
        refusals=tuple(Refusals(name, "403", 0, 50) for name in ("p", "q")),
    )
    return replace(
        case({1: 40, 3: 40}, node_2="MemoryPressure"), logs=groups, rollouts=rollouts, around=around,
        load_factor=2.0,
    )  # fmt: skip


T = TypeVar("T")


def _shuffled(dice: random.Random, things: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dice.sample(things, len(things)))


def test_the_order_of_facts_changes_nothing() -> None:
    facts = mixed()
    wanted = rank_suspects(facts)
    assert len(wanted) > 5
    dice = random.Random(7)
    for _ in range(30):
        around = replace(
            facts.around,
            certificates=tuple(dice.sample(facts.around.certificates, 2)),
            refusals=tuple(dice.sample(facts.around.refusals, 2)),
        )
        shuffled = replace(
            facts,
            around=around,
            rollouts=_shuffled(dice, facts.rollouts),
            pods=_shuffled(dice, facts.pods),
            nodes=_shuffled(dice, facts.nodes),
            split=_shuffled(dice, facts.split),
            logs=_shuffled(dice, facts.logs),
        )
        assert rank_suspects(shuffled) == wanted


def test_incidents_of_the_same_key_are_remembered_with_what_ended_them(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    desk.start_triage("latest")
    desk.record_triage("latest", investigate(room, bad_release()))
    desk.triaged("latest", owner="ana")
    desk.mitigated("latest", note="rolled back")
    desk.resolve("latest", force=True, reason="over")
    room.clock.advance(86_400)
    room.detector.reconcile([], source="alertmanager-api")
    room.detector.reconcile([alert(starts_at=room.clock.now())], source="alertmanager-api")
    now, before = list_incidents(room.journal)
    assert now.id != before.id
    [found] = Past(room.journal).incidents_like(now)
    assert (found.number, found.same_key, found.blamed) == (before.number, True, "ml/deploy/fraud revision 2")
    assert found.mitigated_by == "rolled back"
    assert Past(room.journal).incidents_like(before) == ()
    report = investigate(room, bad_release())
    evidence = next(one for one in report.evidence if one.kind == "past")
    assert "mitigated by rolled back" in evidence.summary
