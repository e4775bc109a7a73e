"""A pod about to be killed for its memory, and a node that an alert names, are suspects of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.facts.cluster import Node
from maestro_cli.incidents.triage.model import SuspectKind
from tests.unit.incidents.platform import Recorded, pod
from tests.unit.incidents.triage_cases import PODS, first, investigate, quiet
from tests.unit.incidents.world import Room, alert

ONE, TWO, THREE = PODS["old"]
LOST = Node("node-b", False, True, "zone-b", reason="NodeStatusUnknown")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert(alertname="ContainerHighMemoryUsage")], source="alertmanager-api")
    yield made
    made.journal.close()


def test_the_pod_that_alone_is_near_its_limit_is_named_with_a_restart(room: Room) -> None:
    report = investigate(room, quiet().but(memory={ONE: 0.2, TWO: 0.93, THREE: 0.25, "other": 0.99}))
    suspect = first(report)
    assert (suspect.kind, suspect.subject) == (SuspectKind.POD, f"pod ml/{TWO}")
    assert suspect.reasons_for == ("it uses 93 % of its memory limit, every other 25 % or less",)
    assert suspect.fix is not None
    assert suspect.fix.name == "restart"
    memory = next(item for item in report.evidence if item.kind == "memory")
    assert memory.summary == f"{TWO} uses 93 % of its limit, the most"
    assert memory.facts == {ONE: 0.2, TWO: 0.93, THREE: 0.25}  # of its own pods alone


@pytest.mark.parametrize(
    "memory",
    [
        {ONE: 0.9, TWO: 0.93, THREE: 0.9},  # all of them
        {ONE: 0.2, TWO: 0.8, THREE: 0.2},  # not that near
        {ONE: 0.2, TWO: 0.93, THREE: 0.75},  # another one is not well below either
        {TWO: 0.93},  # nothing to compare with
        {},
    ],
    ids=["all", "not near", "two", "alone", "no limit"],
)
def test_where_no_pod_stands_out_none_is_named(room: Room, memory: dict[str, float]) -> None:
    report = investigate(room, quiet().but(memory=memory))
    assert [item for item in report.suspects if item.kind is SuspectKind.POD] == []


def lost_node(case: Recorded) -> Recorded:
    return case.but(nodes=tuple(LOST if node.name == "node-b" else node for node in case.nodes))


@pytest.mark.parametrize(("named", "blamed"), [("node-b", ["node node-b"]), ("node-a", []), ("", [])])
def test_a_node_that_its_alert_names_is_blamed_without_a_workload(
    tmp_path: Path, named: str, blamed: list[str]
) -> None:
    """Only where it really is not ready."""
    room = Room(tmp_path, ChangesProjection())
    told = alert(alertname="KubeNodeNotReady", node=named)
    nowhere = {name: text for name, text in told.labels.items() if name in ("alertname", "node", "severity")}
    room.detector.reconcile([replace(told, labels=nowhere)], source="alertmanager-api")
    report = investigate(room, lost_node(quiet()))
    assert [item.subject for item in report.suspects] == blamed
    assert (report.culprit is not None) is bool(blamed)
    room.journal.close()


def test_the_pod_that_alone_was_killed_for_its_memory_is_named_though_it_is_small_again(room: Room) -> None:
    killed = pod(TWO, "node-b", created=-86400, restarts=1, last_reason="OOMKilled")
    pods = tuple(killed if one.name == TWO else one for one in quiet().pods)
    suspect = first(investigate(room, quiet().but(pods=pods, memory={ONE: 0.2, TWO: 0.1, THREE: 0.2})))
    assert (suspect.kind, suspect.subject) == (SuspectKind.POD, f"pod ml/{TWO}")
    assert suspect.score >= 0.5


def test_pods_that_were_all_killed_point_at_none_of_them(room: Room) -> None:
    killed = tuple(
        pod(one.name, one.node, created=-86400, restarts=1, last_reason="OOMKilled") for one in quiet().pods
    )
    report = investigate(room, quiet().but(pods=killed))
    assert all(item.score < 0.5 for item in report.suspects if item.kind is SuspectKind.POD)
