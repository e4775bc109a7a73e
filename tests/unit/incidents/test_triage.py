"""Whole investigations over recorded facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.facts.cluster import ClusterEvent, Node
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.triage.investigate import Triage
from maestro_cli.incidents.triage.model import NO_CULPRIT, SuspectKind
from tests.unit.incidents.platform import (
    FRAUD,
    NEW,
    NOTHING,
    OLD,
    at,
    pod,
    revision,
    steady,
    workload,
)
from tests.unit.incidents.triage_cases import (
    DOWN_LINE,
    NODES,
    PODS,
    SETTINGS,
    bad_release,
    failing_without_release,
    first,
    investigate,
    quiet,
)
from tests.unit.incidents.triage_cases import room as room
from tests.unit.incidents.world import Room, SetClock

MOST_QUESTIONS = 60  # of both sources, in one investigation


def test_a_bad_release_comes_first_with_its_reasons(room: Room) -> None:
    report = investigate(room, bad_release())
    suspect = first(report)
    assert (suspect.kind, suspect.subject) == (SuspectKind.RELEASE, "ml/deploy/fraud revision 2")
    assert suspect.fix is not None
    assert suspect.fix.name == "rollback"
    assert suspect.fix.parameters == {"workload": "ml/deploy/fraud", "to_revision": "1"}
    words = " ".join(suspect.reasons_for)
    assert "30.0 % of revision 2's requests fail; before it 0.0 % did" in words
    assert "fraud=1 → --serve fraud=2" in words
    assert "new log line" in words
    assert abs((report.onset.at - at(-18)).total_seconds()) <= 2
    assert report.onset.basis == "errors"
    assert all(item.ok for item in report.evidence)
    assert [item.kind for item in report.evidence] == [
        "alerts", "changes", "rollouts", "config", "pods", "nodes", "events", "logs",
        "errors", "split", "latency", "load", "saturation", "memory", "budget",
        "around", "traces", "past",
    ]  # fmt: skip


def test_a_canary_beside_the_old_revision_is_surer(room: Room) -> None:
    case = bad_release()
    side = {(name, node, "1", "1"): (steady(20), NOTHING)
            for name, node in zip(PODS["old"], NODES, strict=True)}  # fmt: skip
    pods = case.pods + quiet().pods
    beside = case.but(series={**case.series, **side}, pods=pods, logs={**case.logs, **quiet().logs})
    suspect = first(investigate(room, beside))
    assert suspect.kind is SuspectKind.RELEASE
    assert suspect.score > first(investigate(room, case)).score
    assert "0.0 % of the others' at the same time" in " ".join(suspect.reasons_for)
    assert "and from no other pod" in " ".join(suspect.reasons_for)


def test_a_slow_release_without_errors_is_found(room: Room) -> None:
    case = bad_release()
    good = {key: (steady(20, start=-18), NOTHING) if key[2] == "2" else value
            for key, value in case.series.items()}  # fmt: skip
    nan = float("nan")
    p95 = {
        "revision": {
            "1": lambda s: 0.012 if s < -18 else nan,
            "2": lambda s: 0.31 if s >= -18 else nan,
        }
    }
    report = investigate(room, case.but(series=good, p95=p95, logs={}))
    suspect = first(report)
    assert report.onset.basis == "latency"
    assert suspect.kind is SuspectKind.RELEASE
    assert "p95 of revision 2 is 310 ms, 12 ms before" in suspect.reasons_for


def test_without_a_release_none_is_blamed(room: Room) -> None:
    report = investigate(room, failing_without_release())
    assert [item for item in report.suspects if item.kind is SuspectKind.RELEASE] == []
    assert report.culprit is None
    assert report.conclusion == NO_CULPRIT
    assert abs((report.onset.at - at(-30)).total_seconds()) <= 2


def test_an_old_release_is_not_blamed(room: Room) -> None:
    case = failing_without_release().but(
        revisions={FRAUD: (revision(1, "fraud-old", -90000, "fraud=0"), revision(2, OLD, -86400, "fraud=1"))}
    )
    assert investigate(room, case).culprit is None


def test_a_release_after_the_onset_is_not_blamed(room: Room) -> None:
    """Somebody shipped a hopeful fix, which fails as well."""
    case = bad_release()
    early = {(name, node, "1", "1"): (steady(20, end=20), steady(8, start=-100, end=20))
             for name, node in zip(PODS["old"], NODES, strict=True)}  # fmt: skip
    late = {(name, node, "2", "2"): (steady(14, start=20), steady(6, start=20))
            for name, node in zip(PODS["new"], NODES, strict=True)}  # fmt: skip
    revisions = {FRAUD: (revision(1, OLD, -86400, "fraud=1"), revision(2, NEW, 15, "fraud=2"))}
    report = investigate(room, case.but(series={**early, **late}, revisions=revisions, logs={}))
    assert [item for item in report.suspects if item.kind is SuspectKind.RELEASE] == []


def test_a_release_that_served_well_for_long_is_doubted(room: Room) -> None:
    """All pods, on the new revision for 20 minutes, lose the same dependency."""
    case = bad_release()
    series = {(name, node, "2", "2"): (steady(20, start=-1200), steady(5, start=-30))
              for name, node in zip(PODS["new"], NODES, strict=True)}  # fmt: skip
    series |= {(name, node, "1", "1"): (steady(20, end=-1200), NOTHING)
               for name, node in zip(PODS["old"], NODES, strict=True)}  # fmt: skip
    logs = {name: [(float(s), DOWN_LINE % s) for s in range(-29, 30)] for name in PODS["new"]}
    revisions = {FRAUD: (revision(1, OLD, -86400, "fraud=1"), revision(2, NEW, -1200, "fraud=2"))}
    pods = tuple(pod(name, node, created=-1200) for name, node in zip(PODS["new"], NODES, strict=True))
    report = investigate(room, case.but(series=series, revisions=revisions, logs=logs, pods=pods))
    assert report.culprit is None or report.culprit.kind is not SuspectKind.RELEASE
    releases = [item for item in report.suspects if item.kind is SuspectKind.RELEASE]
    assert all("well before the onset" in " ".join(item.reasons_against) for item in releases)


RISK = WorkloadRef("Deployment", "ml", "risk")
STORE = WorkloadRef("Deployment", "ml", "feature-store")


def test_the_release_of_another_workload_is_not_blamed(room: Room) -> None:
    case = failing_without_release()
    revisions = {
        **case.revisions,
        RISK: (revision(1, "risk-old", -86400, "a"), revision(2, "risk-new", -40, "b")),
    }
    report = investigate(room, case.but(workloads=(workload(), workload(RISK, 2)), revisions=revisions))
    assert report.culprit is None
    rollouts = next(item for item in report.evidence if item.kind == "rollouts")
    assert "1 of other workloads" in rollouts.summary  # seen, and said


def test_the_release_of_a_dependency_that_the_logs_name_is_suspected(room: Room) -> None:
    case = failing_without_release()
    store = (revision(1, "store-old", -86400, "a"), revision(2, "store-new", -40, "b"))
    logs = {name: [(float(s), DOWN_LINE % s) for s in range(-29, 30)] for name in PODS["old"]}
    report = investigate(
        room,
        case.but(
            workloads=(workload(), workload(STORE, 2)), revisions={**case.revisions, STORE: store}, logs=logs
        ),
    )
    subjects = {item.subject for item in report.suspects}
    assert {"ml/deploy/feature-store revision 2", "dependency feature-store"} <= subjects
    assert first(report).subject in subjects


def test_a_lost_dependency_is_named_by_its_lines(room: Room) -> None:
    case = failing_without_release()
    logs = {name: [(float(s), DOWN_LINE % s) for s in range(-29, 30)] for name in PODS["old"]}
    suspect = first(investigate(room, case.but(logs=logs)))
    assert suspect.kind is SuspectKind.DEPENDENCY
    assert suspect.fix is None


def test_one_bad_pod(room: Room) -> None:
    case = quiet()
    key = (PODS["old"][1], "node-b", "1", "1")
    suspect = first(
        investigate(room, case.but(series={**case.series, key: (steady(14), steady(6, start=-30))}))
    )
    assert (suspect.kind, suspect.subject) == (SuspectKind.POD, f"pod ml/{PODS['old'][1]}")


def test_a_bad_node(room: Room) -> None:
    case = quiet()
    names = [f"{OLD}-{name}" for name in ("jjjjj", "kkkkk")]
    bad = {(name, "node-c", "1", "1"): (steady(10), steady(6, start=-30)) for name in names}
    series = {**{key: value for key, value in case.series.items() if key[1] != "node-c"}, **bad}
    nodes = (*case.nodes[:2], Node("node-c", False, True, "zone-c", "NotReady"))
    pods = (*case.pods[:2], *(pod(name, "node-c", created=-900) for name in names))
    suspect = first(investigate(room, case.but(series=series, nodes=nodes, pods=pods)))
    assert (suspect.kind, suspect.subject) == (SuspectKind.NODE, "node node-c")


def test_a_node_whose_errors_are_all_of_the_new_revision_is_told_so(room: Room) -> None:
    """The first new pod lies on node-a, beside one of the old revision that serves well."""
    case = bad_release()
    series = {
        **quiet().series,
        (PODS["new"][0], "node-a", "2", "2"): (steady(14, start=-18), steady(6, start=-18)),
    }
    pods = (*quiet().pods, pod(PODS["new"][0], "node-a", created=-21))
    report = investigate(room, case.but(series=series, pods=pods))
    assert first(report).kind is SuspectKind.RELEASE
    node = next(item for item in report.suspects if item.kind is SuspectKind.NODE)
    assert node.reasons_against == ("its errors are of the new revision 2, which explains as much",)


def test_a_surge(room: Room) -> None:
    case = quiet()
    series = {key: (lambda s: 20 * s + 60 * max(s + 30, 0), steady(4, start=-28)) for key in case.series}
    suspect = first(investigate(room, case.but(series=series)))
    assert suspect.kind is SuspectKind.LOAD
    assert "times the usual rate" in suspect.reasons_for[0]


def test_a_quiet_hour_has_no_culprit(room: Room) -> None:
    report = investigate(room, quiet())
    assert (report.suspects, report.onset.basis) == ((), "alert")


def test_a_rolled_back_release_keeps_the_blame_and_needs_no_fix(room: Room) -> None:
    case = bad_release()
    revisions = {FRAUD: (revision(2, NEW, -21, "fraud=2"), revision(3, OLD, -86400, "fraud=1"))}
    scaled = ClusterEvent(
        "ml", "e", "Normal", "ScalingReplicaSet", f"Scaled up replica set {OLD} to 1 from 0",
        "Deployment", "fraud", at(25), at(25), 1,
    )  # fmt: skip
    suspect = first(investigate(room, case.but(revisions=revisions, events=(scaled,))))
    assert suspect.subject == "ml/deploy/fraud revision 2"
    assert suspect.fix is None
    assert "not the current revision any more" in suspect.reasons_against[-1]


def test_the_same_facts_give_the_same_report(room: Room) -> None:
    reports = [investigate(room, bad_release()).suspects_as_data() for _ in range(3)]
    for report in reports:
        report["seconds"] = 0
    assert reports[0] == reports[1] == reports[2]


def test_it_is_recorded_and_its_size_is_bounded(room: Room) -> None:
    case = bad_release()
    hostile = {name: [(float(n % 40 - 18), f"error \x1b[2J{n} " + "x" * 5000) for n in range(3000)]
               for name in PODS["new"]}  # fmt: skip
    report = investigate(room, case.but(logs=hostile))
    desk = IncidentDesk(room.journal, room.clock, "triage")
    desk.record_triage("latest", report)
    assert len(desk.evidence("latest")) == 18
    recorded = desk.suspects("latest")
    assert recorded is not None
    assert recorded.data["culprit"] == "ml/deploy/fraud revision 2"
    assert max(len(canonical_json(event.data)) for event in desk.evidence("latest")) < 200_000


def test_impact_counts_from_the_onset(room: Room) -> None:
    case = bad_release()
    incident = list_incidents(room.journal)[0]
    clock = SetClock(at(30))
    evidence = Triage(case, case, clock, settings=SETTINGS).measure_impact(incident, (), onset=at(-18))
    facts = evidence.facts
    assert facts["errors"] == pytest.approx(18 * 48)
    assert facts["requests"] == pytest.approx(60 * 48)
    assert facts["burn"] == pytest.approx(30.0)
    assert facts["budget_spent"] == pytest.approx(30.0 * 48 / (86400 * 30))
    down = case.but(down=frozenset({"query"}))
    assert not Triage(down, down, clock).measure_impact(incident, ()).ok


def test_it_asks_no_more_of_a_large_workload_than_of_a_small_one(room: Room) -> None:
    counts = []
    for number in (6, 24, 240):
        case = bad_release()
        names = [f"{NEW}-p{n:04d}" for n in range(number)]
        case.pods = tuple(replace(case.pods[0], name=name, uid=name) for name in names)
        case.logs = dict.fromkeys(names, case.logs[PODS["new"][0]])
        assert first(investigate(room, case)).kind is SuspectKind.RELEASE
        counts.append(len(case.asked))
    assert counts[0] < counts[1] == counts[2] <= MOST_QUESTIONS
