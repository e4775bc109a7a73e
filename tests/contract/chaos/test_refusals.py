"""What the guard refuses is not begun, nor is what nobody agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.history import list_changes
from maestro_cli.changes.left import Left
from maestro_cli.changes.model import Consent
from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.guard.check import Allows
from maestro_cli.chaos.history import get_run
from maestro_cli.chaos.planning import proposal_digest
from maestro_cli.chaos.running import Wanted, propose, run
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.errors import ExitCode, MaestroError, StalePlan
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.objectives import Counters, Objective
from tests.contract.chaos.lab import Lab, data, experiment
from tests.contract.chaos.performed import action

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]
OPEN = "INDETERMINATE"
FRAUD = "ml/deploy/fraud"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


# 20 s of a third of the requests are 0.26% of a 99.9% budget of 30 days
KNOWN: dict[str, Any] = {
    "objectives": {"a": Objective("a", "", "fraud", 0.999, 2592000.0, Counters("all", bad="bad"), {})},
    "left": {"a": Left(1.0)},
}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], ExitCode, str]] = {
    "no rules": ({"rules": None}, {}, ExitCode.POLICY_REFUSED, "place"),
    "another namespace": ({"rules": ExperimentRules(["web"])}, {}, ExitCode.POLICY_REFUSED, "place"),
    "read-only": ({"policy": Policy("test", read_only=True)}, {}, ExitCode.POLICY_REFUSED, "place"),
    "no duration": ({}, {"duration": ""}, ExitCode.POLICY_REFUSED, "bounds"),
    "no stop condition": ({}, {"stop": []}, ExitCode.POLICY_REFUSED, "bounds"),
    "no target": ({"pods": 0}, {}, ExitCode.ACTION_FAILED, "targets"),
    "all of them": (
        {"rules": ExperimentRules(["ml"], cap="100%")}, {"target": {"workload": FRAUD, "count": 3}},
        ExitCode.POLICY_REFUSED, "cap",
    ),
    "more than the cap": (
        {"rules": ExperimentRules(["ml"])}, {"target": {"workload": FRAUD, "count": 2}},
        ExitCode.POLICY_REFUSED, "cap",
    ),
    "protected, and its name not typed": (
        {"policy": Policy("test", protected=True), **KNOWN}, {"objectives": ["a"]}, ExitCode.GATE_NOT_MET,
        "changes",
    ),
    "protected, and no objective": (
        {"policy": Policy("test", protected=True)}, {}, ExitCode.POLICY_REFUSED, "burn",
    ),
    "too much of what is left": (
        {**KNOWN, "left": {"a": Left(0.02)}}, {"objectives": ["a"]}, ExitCode.GATE_NOT_MET, "burn",
    ),
    "more than disruption budgets spare": (
        {"rules": ExperimentRules(["ml"], cap="70%"), "budgets": [["fraud", "app=fraud", 1, 3, 2, 3]]},
        {"target": {"workload": FRAUD, "count": 2}, "fault": "pod-delete"}, ExitCode.GATE_NOT_MET,
        "disruption budgets",
    ),
    "an incident": ({"grave": ["incident #1"]}, {}, ExitCode.GATE_NOT_MET, "incidents"),
    "no budget": ({"budget": Verdict.FAIL}, {"objectives": ["a"]}, ExitCode.GATE_NOT_MET, "budget"),
    "budget unknown": (
        {"budget": Verdict.INDETERMINATE}, {"objectives": ["a"]}, ExitCode.GATE_NOT_MET, "budget",
    ),
    "unmeasured": ({}, {"stop": [{"query": "x", "when": "> 1"}]}, ExitCode.GATE_NOT_MET, "stop condition"),
    "met": ({}, {"stop": [{"query": "ratio", "when": "> 0"}]}, ExitCode.GATE_NOT_MET, "stop condition"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_guard_refuses_is_not_begun(name: str, tmp_path: Path) -> None:
    made, given, code, check = REFUSED[name]
    ours = dict(given)
    there = {"pods", "budgets"}
    lab = Lab(tmp_path, **{key: value for key, value in made.items() if key not in there})
    lab.cluster.set(namespace_pods=made.get("pods", 3), budgets=made.get("budgets", []))
    with pytest.raises(MaestroError) as refused:
        lab.run(experiment(data(ours.pop("fault", "server-latency"), **ours)))
    assert refused.value.exit_code is code
    assert f"({check})" in refused.value.what
    assert lab.kinds() == ["experiment.refused"]
    assert get_run(lab.journal, "latest").status == "refused"


def test_disruption_budgets_that_spare_enough_let_it_through(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rules=ExperimentRules(["ml"], cap="70%"))
    lab.cluster.set(budgets=[["fraud", "app=fraud", 2, 3, 1, 3]])
    given = experiment(data("pod-delete", target={"workload": FRAUD, "count": 2}))
    _, answers = propose(lab.means, Wanted(given, 7, Consent(given=True)))
    (answer,) = [one for one in answers if one.check == "disruption budgets"]
    assert (answer.allows, answer.reason) == (Allows.YES, "permit it: ml/fraud")


class LabThatFallsIll(Lab):
    """An incident is open from the second time on that somebody asks."""

    asked = 0

    def grave_incidents(self, namespaces: Sequence[str]) -> Sequence[str]:
        self.asked += 1
        return ["incident #1"] if self.asked > 1 else []


def test_what_comes_about_after_the_plan_forbids_the_fault_when_it_is_to_be_put_in(tmp_path: Path) -> None:
    lab = LabThatFallsIll(tmp_path)
    report = lab.run(experiment(data()))
    assert (report.judged.exit_code, report.judged.verdict.value) == (ExitCode.GATE_NOT_MET, OPEN)
    assert "incident #1" in report.judged.reasons[0].what
    assert list_changes(lab.journal) == ()
    assert "experiment.intended" not in lab.kinds()


def test_what_was_agreed_to_is_what_is_hurt(lab: Lab) -> None:
    """The pod that a person was shown is another now."""
    asked = Wanted(experiment(data()), 7, Consent(given=True))
    proposal, _ = propose(lab.means, asked)
    agreed = replace(asked, agreed=proposal_digest(proposal))
    lab.cluster.set(pod_uid="another")
    with pytest.raises(StalePlan):
        run(lab.means, agreed)
    lab.cluster.set(pod_uid="pod-uid")
    assert run(lab.means, agreed).judged.passed


def plain(folder: Path) -> dict[str, Any]:
    given = data()
    del given["extensions"]
    given["method"] = [
        action("touch", {"type": "process", "path": "touch", "arguments": str(folder / "done")})
    ]
    given["rollbacks"] = []
    return given


def test_a_plain_file_that_acts_wants_somebodys_word_and_no_protected_context(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with pytest.raises(MaestroError, match="nothing bounds") as refused:
        lab.run(experiment(plain(tmp_path)), yes=False)
    assert refused.value.exit_code is ExitCode.POLICY_REFUSED
    lab.journal.close()
    protected = Lab(tmp_path, policy=Policy("test", protected=True))
    with pytest.raises(MaestroError, match="protected"):
        protected.run(experiment(plain(tmp_path)))
    assert not (tmp_path / "done").exists()


def test_a_plain_file_that_acts_runs_with_somebodys_word(lab: Lab) -> None:
    report = lab.run(experiment(plain(lab.folder)))
    assert report.judged.passed, report.judged
    assert (lab.folder / "done").exists()
