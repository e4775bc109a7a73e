"""The gate passes only what is known to be free of grave incidents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.gate import GateReading, GateScope, read_gate
from maestro_cli.incidents.intake.blindness import Blindness, Heartbeat, Sight
from maestro_cli.incidents.model import Severity
from tests.unit.incidents.world import Room

FRAUD = WorkloadRef("Deployment", "ml", "fraud")
RISK = WorkloadRef("Deployment", "ml", "risk")
SEEING = Sight((Heartbeat("w", "2026-11-23T10:00:00Z"),), None, "")
BLIND = Sight(SEEING.watchers, "2026-11-23T09:00:00Z", "no answer")
NOBODY = Sight((), None, "")
HALF_BLIND = Sight(
    SEEING.watchers, None, "", others=(Blindness("kubernetes", "2026-11-23T09:00:00Z", "no answer"),)
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[IncidentDesk]:
    room = Room(tmp_path)
    yield IncidentDesk(room.journal, room.clock, "ana")
    room.journal.close()


def gate(desk: IncidentDesk, scope: GateScope, sight: Sight = SEEING) -> GateReading:
    return read_gate(desk.list(), scope, sight)


@pytest.mark.parametrize("name", ["bad name", "../x", "", "UPPER", "a.b", "-a", "a" * 64])
def test_a_namespace_that_cannot_be_is_a_mistake_and_no_pass(desk: IncidentDesk, name: str) -> None:
    with pytest.raises(UsageError, match="is no namespace"):
        GateScope(namespace=name)
    with pytest.raises(UsageError, match="is no namespace"):
        desk.open("slow", namespace=name)
    assert desk.list() == ()
    assert desk.open("slow", namespace="a" * 63).namespace == "a" * 63


@pytest.mark.parametrize(
    ("severity", "fail_on", "verdict"),
    [
        (Severity.SEV1, Severity.SEV2, Verdict.FAIL),
        (Severity.SEV2, Severity.SEV2, Verdict.FAIL),
        (Severity.SEV3, Severity.SEV2, Verdict.PASS),
        (Severity.SEV4, Severity.SEV4, Verdict.FAIL),
    ],
)
def test_it_fails_from_its_severity_up(
    desk: IncidentDesk, severity: Severity, fail_on: Severity, verdict: Verdict
) -> None:
    desk.open("slow", severity=severity, workload=FRAUD)
    reading = gate(desk, GateScope(fail_on))
    assert reading.verdict is verdict
    assert reading.lesser == (verdict is Verdict.PASS)


def test_the_gravest_comes_first_and_what_ended_does_not_count(desk: IncidentDesk) -> None:
    desk.open("slow", severity=Severity.SEV2, workload=FRAUD)
    desk.open("down", severity=Severity.SEV1, workload=RISK)
    assert [one.number for one in gate(desk, GateScope()).blocking] == [2, 1]
    desk.dismiss("2", "a rehearsal")
    desk.resolve("1")
    assert gate(desk, GateScope()).verdict is Verdict.PASS


def test_another_place_does_not_count_and_no_place_counts_everywhere(desk: IncidentDesk) -> None:
    desk.open("slow", severity=Severity.SEV1, workload=FRAUD)
    desk.open("wrong", severity=Severity.SEV1, namespace="shop")
    desk.open("somewhere", severity=Severity.SEV1)

    def numbers(scope: GateScope) -> list[int]:
        return [one.number for one in gate(desk, scope).blocking]

    assert numbers(GateScope()) == [1, 2, 3]
    assert numbers(GateScope(namespace="ml")) == [1, 3]
    assert numbers(GateScope(namespace="shop")) == [2, 3]
    assert numbers(GateScope(workload=FRAUD)) == [1, 3]
    assert numbers(GateScope(workload=RISK)) == [3]
    assert numbers(GateScope(workload=WorkloadRef("Deployment", "shop", "cart"))) == [2, 3]


def test_drills_count_only_when_asked_for(desk: IncidentDesk) -> None:
    desk.open("rehearsal", severity=Severity.SEV1, workload=FRAUD, drill=True)
    assert gate(desk, GateScope()).verdict is Verdict.PASS
    assert gate(desk, GateScope(drills=True)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("sight", "why"),
    [(NOBODY, "nobody watches"), (BLIND, "blind since"), (HALF_BLIND, "blind for kubernetes")],
)
def test_where_a_watch_is_needed_and_none_sees_nothing_is_known(
    desk: IncidentDesk, sight: Sight, why: str
) -> None:
    assert gate(desk, GateScope(), sight).verdict is Verdict.PASS
    reading = gate(desk, GateScope(needs_watch=True), sight)
    assert (reading.verdict, why in reading.reason) == (Verdict.INDETERMINATE, True)
    assert gate(desk, GateScope(needs_watch=True), SEEING).verdict is Verdict.PASS
    desk.open("down", severity=Severity.SEV1)
    assert gate(desk, GateScope(needs_watch=True), sight).verdict is Verdict.FAIL
