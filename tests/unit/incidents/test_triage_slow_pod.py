"""Where slowness is what began, the one pod that is slow is named, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.incidents.triage.model import SuspectKind
from tests.unit.incidents.platform import FRAUD, NEW, OLD, Recorded, at, pod, revision, workload
from tests.unit.incidents.triage_cases import PODS, failing_without_release, first, investigate, quiet
from tests.unit.incidents.world import Room, alert

ONE, TWO, THREE = PODS["old"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert(objective="fraud-latency")], source="alertmanager-api")
    yield made
    made.journal.close()


def slow(case: Recorded, **seconds_by_pod: float) -> Recorded:
    """All of the workload is slow for 20 s, as the p95 of its pods tells."""
    whole = {"1": lambda s: 0.4 if s >= -20 else 0.012}
    pods = {name: lambda s, value=value: value for name, value in seconds_by_pod.items()}
    return case.but(p95={"revision": whole, "pod": pods})


def test_the_pod_that_alone_is_slow_is_named_with_a_restart(room: Room) -> None:
    report = investigate(room, slow(quiet(), **{ONE: 0.012, TWO: 0.4, THREE: 0.015}))
    assert report.onset.basis == "latency"
    suspect = first(report)
    assert (suspect.kind, suspect.subject) == (SuspectKind.POD, f"pod ml/{TWO}")
    assert suspect.reasons_for == (f"p95 of pod {TWO} is 400 ms, 15 ms or less of every other",)
    assert suspect.fix is not None
    assert (suspect.fix.name, suspect.fix.parameters["pod"]) == ("restart", TWO)


@pytest.mark.parametrize(
    "seconds",
    [
        {ONE: 0.4, TWO: 0.4, THREE: 0.01},  # two of three
        {ONE: 0.2, TWO: 0.59, THREE: 0.2},  # less than three times the others
        {ONE: 0.005, TWO: 0.05, THREE: 0.005},  # much more, of next to nothing
        {ONE: 0.4},  # nothing to compare with
        {},
    ],
    ids=["two", "not thrice", "too little", "alone", "not measured"],
)
def test_where_no_pod_stands_out_none_is_named(room: Room, seconds: dict[str, float]) -> None:
    report = investigate(room, slow(quiet(), **seconds))
    assert report.onset.basis == "latency"
    assert [item for item in report.suspects if item.kind is SuspectKind.POD] == []


def test_where_errors_are_what_began_the_slowest_pod_is_not_blamed(room: Room) -> None:
    case = slow(failing_without_release(), **{ONE: 0.01, TWO: 0.4, THREE: 0.01})
    report = investigate(room, case)
    assert report.onset.basis == "errors"
    assert report.culprit is None


def test_a_slow_first_pod_of_a_new_revision_is_explained_by_its_revision(room: Room) -> None:
    fresh = f"{NEW}-ddddd"
    case = slow(quiet(), **{ONE: 0.012, TWO: 0.015, fresh: 0.4})
    revisions = {FRAUD: (revision(1, OLD, -86400, "fraud=1"), revision(2, NEW, -30, "fraud=2"))}
    released = case.but(
        workloads=(workload(revision=2),),
        revisions=revisions,
        pods=(*case.pods, pod(fresh, "node-a", created=-30)),
    )
    found = {item.subject: item for item in investigate(room, released).suspects}
    blamed = found[f"pod ml/{fresh}"]
    assert "it runs a new revision, which explains as much" in blamed.reasons_against
    assert blamed.strength == pytest.approx(0.2)


def test_what_began_between_two_steps_is_seen_at_once(room: Room) -> None:
    """The window of an hour has a point every six seconds; it began two seconds ago."""
    case = quiet().but(now=4.0)
    whole = {"1": lambda s: 0.4 if s >= 2 else 0.012}
    report = investigate(room, case.but(p95={"revision": whole, "pod": {}}))
    assert report.onset.basis == "latency"
    assert abs((report.onset.at - at(2)).total_seconds()) <= 1
