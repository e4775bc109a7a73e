"""What a drill's file expects is there, or it is refused with file, line, key and what was likely meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.chaos.drills.defects.experimented import Experimented
from maestro_cli.chaos.drills.expected import Known, drills_among, faults_of, scenario_of
from maestro_cli.chaos.experiments.catalog import read_all
from maestro_cli.chaos.model import Experiment
from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile, UsageError

SHIPPED = [one for _, one in read_all([shipped("playbooks") / "chaos"]) if not isinstance(one, InvalidFile)]
KNOWN = Known(
    alerts=["KubeNodeNotReady", "ErrorBudgetBurn"],
    runbooks={"node-failure": ["drain", "repair"], "memory-leak": ["restart"]},
    changes=["drain", "restart"],
    objectives=["fraud-availability"],
)


@pytest.fixture
def lost_node() -> Experiment:
    (found,) = [one for one in drills_among(SHIPPED) if one.name == "lost-node"]
    return found


def expecting(experiment: Experiment, **what: object) -> Experiment:
    assert experiment.guarded is not None
    assert experiment.guarded.drill is not None
    drill = replace(experiment.guarded.drill, **what)  # type: ignore[arg-type]
    return replace(experiment, guarded=replace(experiment.guarded, drill=drill))


def test_what_is_there_has_no_fault(lost_node: Experiment) -> None:
    assert list(faults_of(lost_node, KNOWN)) == []


@pytest.mark.parametrize(
    ("what", "key", "fix"),
    [
        ({"alert": "KubeNodeNotRedy"}, "drill.alert", "KubeNodeNotReady"),
        ({"runbook": "node-failur"}, "drill.runbook", "node-failure"),
        ({"right_fix": "drian"}, "drill.right_fix", "drain"),
        ({"right_fix": "node-failure/repare"}, "drill.right_fix", "repair"),
        ({"right_fix": "node-failur/repair"}, "drill.right_fix", "node-failure"),
        ({"objective": "fraud-availabilty"}, "drill.objective", "fraud-availability"),
        ({"answers": {"repare": "yes"}}, "drill.answers.repare", "repair"),
    ],
)
def test_what_is_not_there_is_told_with_its_place(
    lost_node: Experiment, what: dict[str, object], key: str, fix: str
) -> None:
    (fault,) = faults_of(expecting(lost_node, **what), KNOWN)
    assert (fault.key, fault.file) == (key, lost_node.file)
    assert fix in fault.fix
    if key != "drill.answers.repare":
        assert lost_node.guarded is not None
        assert lost_node.guarded.drill is not None
        assert fault.line == lost_node.guarded.drill.lines[key.removeprefix("drill.")]
        assert fault.line


def test_an_experiment_becomes_a_scenario_whose_fault_lasts_as_long_as_the_drill_may(
    lost_node: Experiment,
) -> None:
    scenario = scenario_of(lost_node, 7)
    assert (scenario.name, str(scenario.target), scenario.objective) == (
        "chaos/lost-node", "ml/deploy/fraud", "fraud-availability"
    )  # fmt: skip
    assert isinstance(scenario.defect, Experimented)
    assert scenario.defect.file.guarded is not None
    assert scenario.defect.file.guarded.duration_seconds == 180
    assert lost_node.guarded is not None
    assert lost_node.guarded.duration_seconds == 40


def test_one_that_expects_nothing_is_no_drill() -> None:
    (other,) = [one for one in SHIPPED if one.name == "pod-failure"]
    with pytest.raises(UsageError, match="no drill"):
        scenario_of(other, 7)
