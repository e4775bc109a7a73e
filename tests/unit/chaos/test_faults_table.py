"""Every fault is found by its name, told to people, and brings each kind of change once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults import FAULTS, fault_kinds
from maestro_cli.chaos.faults.figures import reaches
from maestro_cli.chaos.model import Candidate
from maestro_cli.core.refs import ObjectRef

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", [one.name for one in FAULTS.values() if one.provider != "chaos-mesh"])
def test_it_is_told_with_each_of_its_parameters(name: str) -> None:
    text = (DOCS / "experiments.md").read_text("utf-8")
    assert f"`{name}`" in text
    assert {option for option in FAULTS[name].options if f"`{option}`" not in text} == set()
    assert FAULTS[name].summary


def test_the_kinds_that_faults_bring_are_no_others_of_the_pipeline() -> None:
    assert not set(fault_kinds(cast(Any, object()))) & set(KINDS)


def test_a_figure_that_is_not_known_proves_nothing() -> None:
    pods = [Candidate(ObjectRef("Pod", "ml", name), name) for name in "ab"]
    both = {pods[0].ref: 2.0, pods[1].ref: 1.0}
    assert reaches(both, pods, 1.0, "cores").holds is Holds.YES
    assert reaches(both, pods, 1.5, "cores").holds is Holds.NOT_YET
    assert reaches({pods[0].ref: 2.0}, pods, 0.0, "cores").holds is Holds.NOT_YET
