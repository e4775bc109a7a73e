"""The league's edit of what a workload reads when it starts: made and read, put back and read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.changes.template import RESTARTED_AT
from maestro_cli.chaos.drills.defects import clear, defect_of
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.defects.everything import everything
from maestro_cli.chaos.drills.defects.settings import SettingsEdit
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.core.errors import GateNotMet, Refused
from tests.unit.chaos.theatre import SCENARIO, WELL, Theatre

EDIT = SettingsEdit("fraud-settings", "TIMEOUT_SECONDS", "ten")
GOOD = {"TIMEOUT_SECONDS": "10"}


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite", SCENARIO)
    made.cluster.routing = dict(GOOD)  # the one ConfigMap that the theatre has
    yield made
    made.journal.close()


def scene(theatre: Theatre) -> Scene:
    return Scene(theatre.ensemble, SCENARIO.target, "drl-1", theatre.clock)


def baseline(theatre: Theatre) -> Baseline:
    return Baseline(theatre.clock.now(), 1, WELL, 0, 0)


def prepared(theatre: Theatre, edit: SettingsEdit = EDIT) -> Defect:
    defect = defect_of(edit, scene(theatre))
    defect.prepare(baseline(theatre))
    return defect


def restarts(theatre: Theatre) -> str | None:
    metadata = theatre.cluster.template.get("metadata") or {}
    return (metadata.get("annotations") or {}).get(RESTARTED_AT)


def test_an_edit_is_made_and_every_pod_started_again_with_nothing_else_changed(theatre: Theatre) -> None:
    prepared(theatre).inject()
    assert theatre.cluster.routing == {"TIMEOUT_SECONDS": "ten"}
    assert restarts(theatre) is not None
    assert theatre.cluster.is_well  # the spec of the pods: it was no release


@pytest.mark.parametrize("by", ["the drill", "the responders"])
def test_in_the_end_it_is_as_it_was_and_who_did_that_is_told(theatre: Theatre, by: str) -> None:
    defect = prepared(theatre)
    defect.inject()
    before = theatre.cluster.replaced
    if by == "the responders":
        theatre.cluster.routing = dict(GOOD)
    assert defect.mend() is (by == "the responders")
    assert theatre.cluster.routing == GOOD
    assert theatre.cluster.replaced - before == (by == "the drill")  # who put it back has the pods read it
    truth = defect.truth(is_mended=True)
    assert (truth.subject, truth.revision) == ("configmap ml/fraud-settings", None)
    assert "TIMEOUT_SECONDS was set to 'ten'" in truth.words


def test_one_undo_takes_it_back_and_has_it_read(theatre: Theatre) -> None:
    undo = everything([scene(theatre)], [baseline(theatre)])
    prepared(theatre).inject()
    before = theatre.cluster.replaced
    clear(undo, scene(theatre))
    assert theatre.cluster.routing == GOOD
    assert theatre.cluster.replaced == before + 1


def test_what_was_refused_was_not_done(theatre: Theatre) -> None:
    defect = prepared(theatre)
    theatre.cluster.failures = [Refused("no")]
    with pytest.raises(NothingDone):
        defect.inject()
    assert theatre.cluster.routing == GOOD
    assert restarts(theatre) is None


def test_a_workload_without_that_setting_is_left_alone(theatre: Theatre) -> None:
    with pytest.raises(GateNotMet, match="has no LOAD_SECONDS"):
        prepared(theatre, SettingsEdit("fraud-settings", "LOAD_SECONDS", "0.001"))
