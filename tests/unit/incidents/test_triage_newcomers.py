"""Pods that started since an edit, as what tells whether it is to blame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.changes.template import RESTARTED_AT
from maestro_cli.incidents.triage.model import Suspect, SuspectKind, TriageReport
from tests.unit.incidents.platform import FRAUD, NEW, OLD, Recorded, pod, revision
from tests.unit.incidents.test_triage_configured import edited
from tests.unit.incidents.triage_cases import PODS, investigate, quiet
from tests.unit.incidents.world import Room, alert

CRASHING: dict[str, Any] = {"ready": False, "state": "waiting", "reason": "CrashLoopBackOff", "restarts": 2}
SETTINGS = "configmap ml/fraud-settings"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def started(case: Recorded, *, created: float = -40.0, model: str = "fraud=1", **container: Any) -> Recorded:
    """The settings were edited at -45, and a pod of a restart, or of a release, came at that second."""
    newcomer = pod(PODS["new"][0], "node-a", created=created, **container)
    again = revision(2, NEW, created, model)
    again = replace(again, template={**again.template, "metadata": {"annotations": {RESTARTED_AT: "now"}}})
    revisions = (revision(1, OLD, -86400, "fraud=1"), again)
    edit = edited(-45, case, env="fraud-settings")
    return edit.but(pods=(*case.pods, newcomer), revisions={FRAUD: revisions})


def config(report: TriageReport) -> list[Suspect]:
    return [one for one in report.suspects if one.kind is SuspectKind.CONFIG]


def test_what_every_pod_that_started_since_fails_by_is_the_edit_that_it_read(room: Room) -> None:
    report = investigate(room, started(quiet(), **CRASHING))
    suspect = report.suspects[0]
    assert (suspect.kind, suspect.subject) == (SuspectKind.CONFIG, SETTINGS)
    assert "all 1 pods that started since then are unwell (CrashLoopBackOff)" in " ".join(suspect.reasons_for)


def test_a_release_that_came_as_well_is_what_its_pods_fail_by(room: Room) -> None:
    report = investigate(room, started(quiet(), model="fraud=2", **CRASHING))
    assert report.suspects[0].kind is SuspectKind.RELEASE


def test_a_pod_that_came_up_well_keeps_the_edit_from_being_blamed(room: Room) -> None:
    case = started(quiet(), **CRASHING)
    well = pod(PODS["new"][1], "node-b", created=-39)
    assert config(investigate(room, case.but(pods=(*case.pods, well)))) == []


def test_pods_from_before_that_are_unwell_too_keep_the_edit_from_being_blamed(room: Room) -> None:
    case = quiet()
    sick = pod(PODS["old"][0], "node-a", created=-86400, **CRASHING)
    assert config(investigate(room, started(case.but(pods=(sick, *case.pods[1:])), **CRASHING))) == []


@pytest.mark.parametrize(("created", "is_blamed"), [(-40.0, True), (-5.0, False)], ids=["long", "a-moment"])
def test_a_pod_that_is_not_ready_long_after_it_came_is_unwell(
    room: Room, created: float, is_blamed: bool
) -> None:
    report = investigate(room, started(quiet(), created=created, ready=False))
    assert bool(config(report)) is is_blamed
