"""Nothing acts past the guard, whatever an experiment calls what it does and wherever it does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.guard import plan_refusal
from maestro_cli.chaos.guard.check import Allows
from maestro_cli.chaos.injecting import Injecting
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.running import Wanted, propose
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.errors import ExitCode, MaestroError, PolicyRefused
from maestro_cli.output.renderers.experiment_reports import report_view
from maestro_cli.output.renderers.experiments import plan_view
from maestro_cli.output.views import Fields, Listing
from maestro_cli.slo.objectives import Counters, Objective
from tests.contract.chaos.lab import ACTIONS, Lab, data, experiment
from tests.contract.chaos.performed import action, probe, python, touching

pytestmark = pytest.mark.contract

READ_ONLY, PROTECTED = Policy("test", read_only=True), Policy("test", protected=True)
CONTROL = 'def before_experiment_control(**kwargs): open("{}", "w")\n'


def looks(**more: Any) -> dict[str, Any]:
    """Asks Prometheus alone, and has no extension."""
    given = data()
    return {**given, "extensions": [], "method": [], "rollbacks": [], **more}


def in_the_hypothesis(folder: Path) -> dict[str, Any]:
    given = looks()
    given["steady-state-hypothesis"]["probes"].append(probe("touch", touching(folder / "done"), 0))
    return given


def by_a_control(folder: Path) -> dict[str, Any]:
    (folder / "touching.py").write_text(CONTROL.format(folder / "done"))
    return looks(controls=[{"name": "touch", "provider": {"type": "python", "module": "touching"}}])


STEPS: dict[str, Any] = {
    "hypothesis": in_the_hypothesis,
    "rollbacks": lambda folder: looks(rollbacks=[action("touch", touching(folder / "done"))]),
    "method, as a probe": lambda folder: looks(
        method=[{"type": "probe", "name": "touch", "provider": touching(folder / "done")}]
    ),
    "control": by_a_control,
}


def refused(lab: Lab, given: dict[str, Any], **more: Any) -> str:
    """Why; nothing was begun."""
    with pytest.raises(MaestroError) as error:
        lab.run(experiment(given), **more)
    assert error.value.exit_code is ExitCode.POLICY_REFUSED
    assert lab.kinds() == ["experiment.refused"]
    lab.journal.close()
    return error.value.what


@pytest.mark.parametrize("step", STEPS)
def test_what_acts_anywhere_needs_a_word_and_no_protected_or_read_only_context(
    step: str, tmp_path: Path
) -> None:
    for number, (policy, yes) in enumerate([(Policy("test"), False), (PROTECTED, True), (READ_ONLY, True)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        refused(Lab(folder, policy=policy), STEPS[step](tmp_path), yes=yes)
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("step", STEPS)
def test_with_a_word_it_runs_where_nothing_is_protected(step: str, tmp_path: Path) -> None:
    asked = experiment(STEPS[step](tmp_path))
    object.__setattr__(asked, "file", str(tmp_path / "it.yaml"))  # controls are found beside it
    report = Lab(tmp_path).run(asked)
    assert report.judged.passed, report.judged
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("step", STEPS)
def test_what_acts_anywhere_acts_in_no_context_that_names_no_namespaces(step: str, tmp_path: Path) -> None:
    """Also with somebody's word: a plain file is refused as one that declares its faults."""
    for name, rules in (("a", None), ("b", ExperimentRules())):
        folder = tmp_path / name
        folder.mkdir()
        assert "(place)" in refused(Lab(folder, rules=rules), STEPS[step](tmp_path))
    assert not (tmp_path / "done").exists()


def test_where_a_plain_file_may_act_its_guard_warns_that_nothing_bounds_where(tmp_path: Path) -> None:
    asked = experiment(STEPS["rollbacks"](tmp_path))
    _, answers = propose(Lab(tmp_path).means, Wanted(asked, 7, Consent(given=True)))
    (place,) = [one for one in answers if one.check == "place"]
    assert (place.allows, place.is_warning) == (Allows.YES, True)
    assert place.reason == "experiments are allowed in ml; where its own actions act, nothing bounds"


def test_what_only_looks_needs_no_word_and_runs_where_nothing_may_be_hurt(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policy=PROTECTED, rules=None)
    assert lab.run(experiment(looks()), yes=False).judged.passed


def test_nothing_runs_where_nothing_may_be_changed(tmp_path: Path) -> None:
    assert "read-only" in refused(Lab(tmp_path, policy=READ_ONLY), looks())


def test_a_fault_that_is_put_in_by_a_probe_is_bounded_as_any(tmp_path: Path) -> None:
    given = data(duration="", stop=[])
    given["method"] = [probe("it", python(ACTIONS, "inject", fault="it"), True)]
    given["rollbacks"] = []
    lab = Lab(tmp_path, rules=None)
    assert "(place)" in refused(lab, given)
    assert lab.servers.in_force == 0


def test_a_fault_is_put_in_by_the_method_alone(tmp_path: Path) -> None:
    given = data()
    first = {**given["method"].pop(0), "type": "probe", "tolerance": True}
    given["steady-state-hypothesis"]["probes"].append(first)
    lab = Lab(tmp_path)
    assert lab.run(experiment(given)).judged.exit_code is ExitCode.GATE_NOT_MET
    assert "experiment.intended" not in lab.kinds()


def declaring_nothing(folder: Path, **ours: Any) -> dict[str, Any]:
    """An extension with everything but a fault, and a process as its action."""
    given = data(faults=[], **ours)
    return {**given, "method": [action("touch", touching(folder / "done"))], "rollbacks": []}


KNOWN = {"a": Objective("a", "", "fraud", 0.999, 2592000.0, Counters("all", bad="bad"), {})}


def test_an_extension_bounds_no_action_that_is_not_maestros(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policy=PROTECTED, objectives=KNOWN)
    why = refused(lab, declaring_nothing(tmp_path, objectives=["a"]))
    assert "nothing bounds what the action 'touch' may do" in why
    assert not (tmp_path / "done").exists()


def test_an_extension_acts_in_no_context_that_names_no_namespaces(tmp_path: Path) -> None:
    for name, rules in (("a", None), ("b", ExperimentRules())):
        folder = tmp_path / name
        folder.mkdir()
        assert "(place)" in refused(Lab(folder, rules=rules), declaring_nothing(tmp_path))
    assert not (tmp_path / "done").exists()


def test_what_an_extension_does_not_bound_needs_a_word_besides(tmp_path: Path) -> None:
    given = data()
    given["method"].insert(1, action("touch", touching(tmp_path / "done")))
    asked = experiment(given)
    lab = Lab(tmp_path)
    _, answers = propose(lab.means, Wanted(asked, 7, Consent(given=False)))
    (bounds,) = [one for one in answers if one.check == "bounds"]
    assert bounds.fix == "if that is meant: --yes"
    assert lab.run(asked).judged.passed


def test_no_fault_is_put_in_for_what_only_looks(tmp_path: Path) -> None:
    """Its guard asked for neither duration nor place."""
    lab = Lab(tmp_path)
    asked = experiment({**data(), "method": [], "rollbacks": []})
    assert not asked.acts
    proposal, _ = propose(lab.means, Wanted(asked, 7, Consent(given=True)))
    injecting = Injecting(
        proposal, lab.pipeline, lab.world, ExperimentLedger(lab.journal, "exp-1", "ana"), lab.clock,
        Consent(given=True), lambda _: None,
    )  # fmt: skip
    with pytest.raises(PolicyRefused, match="only looks"):
        injecting.inject("it")
    assert (lab.kinds(), lab.servers.in_force) == ([], 0)


def test_no_plan_of_what_acts_without_a_known_target_ends_well(tmp_path: Path) -> None:
    """Nobody agrees to a plan, and no fault that it does not declare counts as one that it would put in."""
    lab = Lab(tmp_path)
    held = data(faults=[])
    given = {
        "plain": looks(rollbacks=[action("touch", touching(tmp_path / "done"))]),
        "no fault": {**held, "method": held["method"][1:2]},
        "looks": looks(),
        "bounded": data(),
    }
    codes, said = {}, {}
    for name, one in given.items():
        proposal, answers = propose(lab.means, Wanted(experiment(one), 7, Consent(given=True)))
        error = plan_refusal(proposal, answers)
        codes[name] = error.exit_code if error else ExitCode.OK
        said[name] = plan_view(proposal, answers).document
    assert codes == {
        "plain": ExitCode.NO_DATA, "no fault": ExitCode.ACTION_FAILED, "looks": ExitCode.OK,
        "bounded": ExitCode.OK,
    }  # fmt: skip
    assert {name: one["would_inject"] for name, one in said.items()} == {
        "plain": None, "no fault": 0, "looks": 0, "bounded": 1,
    }  # fmt: skip
    assert said["plain"]["unbounded"] == ["the action 'touch'"]
    warned = {one["check"]: one["reason"] for one in said["plain"]["guard"] if one["warning"]}
    assert {"place", "bounds", "targets"} <= set(warned)
    assert not [reason for reason in warned.values() if "agreed" in reason]


def test_the_report_names_what_nothing_bounded(tmp_path: Path) -> None:
    report = Lab(tmp_path).run(experiment(looks(rollbacks=[action("touch", touching(tmp_path / "done"))])))
    assert report.journal["maestro"]["unbounded"] == ["the action 'touch'"]
    (fields,) = [one for one in report_view(report.journal).blocks if isinstance(one, Fields)]
    told = dict(fields.rows)["not bounded"]
    assert told == "the action 'touch': whom that met, and what is left of it, is not known"


def test_where_room_is_short_a_plan_leaves_out_the_undo_last(tmp_path: Path) -> None:
    """Whoever agrees to it has to see it."""
    lab = Lab(tmp_path)
    report = plan_view(*propose(lab.means, Wanted(experiment(data()), 7, Consent(given=True))))
    tables = [one.columns for one in report.blocks if isinstance(one, Listing)]
    (columns,) = [one for one in tables if one[0].title == "fault"]
    priorities = {one.title: one.priority for one in columns}
    assert (priorities["undo"], priorities["targets"]) == (1, 1)
