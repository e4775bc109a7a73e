"""A run ends with what is true of it, its faults taken back."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.history import list_changes
from maestro_cli.chaos import injecting, running
from maestro_cli.chaos.history import get_run, list_runs
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.model import Injected
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.experiment_reports import report_view
from maestro_cli.output.views import Fields
from tests.contract.chaos.lab import Lab, data, experiment
from tests.contract.chaos.performed import action, touching
from tests.patience import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_fault_that_hurts_nobody_passes_and_is_all_in_the_journal(lab: Lab) -> None:
    report = lab.run(experiment(data()))
    assert (report.judged.verdict, report.judged.exit_code) == (Verdict.PASS, ExitCode.OK), report.judged
    kinds = [kind for kind in lab.kinds() if kind.startswith("experiment.") or kind == "change.intended"]
    assert kinds == [
        "experiment.started", "experiment.intended", "change.intended", "experiment.injected",
        "change.intended", "experiment.undone", "experiment.recovered", "experiment.finished",
    ]  # fmt: skip
    assert lab.servers.in_force == 0
    assert report.journal["maestro"]["proof_of_effect"][0]["outcome"] == "effective"
    assert report.journal["maestro"]["seed"] == 7
    run = get_run(lab.journal, "latest")
    assert (run.status, run.verdict, run.exit_code, run.faults[0].in_force) == ("finished", "PASS", 0, False)


def test_pods_that_end_are_replaced_and_the_recovery_is_measured(lab: Lab) -> None:
    report = lab.run(experiment(data("pod-delete")))
    assert report.judged.passed, report.judged
    assert len(lab.cluster.marks) == 1
    (recovery,) = report.findings.recoveries
    assert recovery.recovered
    assert recovery.seconds is not None


OPEN = "INDETERMINATE"
FRAUD = "ml/deploy/fraud"
BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], ExitCode, str]] = {
    "gate missed": ({"ratio": 2.0}, {}, {}, ExitCode.GATE_NOT_MET, "FAIL"),
    "no data before": ({"ratio": None}, {}, {}, ExitCode.GATE_NOT_MET, OPEN),
    "seen only during": (
        {}, {"start": {"ratio": 2.0}, "end": {"ratio": 0.5}}, {}, ExitCode.CONDITION_NOT_MET, "FAIL",
    ),
    "seen after": ({}, {"start": {"ratio": 2.0}}, {}, ExitCode.CONDITION_NOT_MET, "FAIL"),
    "nan during": ({}, {"start": {"ratio": None}}, {"hold": 30.0}, ExitCode.NO_DATA, OPEN),
    "time-out during": ({}, {"start": {"ratio": "timeout"}}, {"hold": 30.0}, ExitCode.NO_DATA, OPEN),
    "500 during": ({}, {"start": {"ratio": "500"}}, {"hold": 30.0}, ExitCode.NO_DATA, OPEN),
    "a look that hangs as long as the fault is there": (
        {}, {"start": {"ratio": "hang"}, "end": {"ratio": 0.5}}, {"hold": 2.5}, ExitCode.NO_DATA, OPEN,
    ),
    "looks that hang": (
        {}, {"start": {"ratio": "hang"}, "end": {"ratio": 0.5}}, {"hold": 30.0}, ExitCode.NO_DATA, OPEN,
    ),
    "stop condition": ({}, {"start": {"stop": 1.0}}, {"hold": 30.0}, ExitCode.STOP_CONDITION, "FAIL"),
    "stop condition blind": ({}, {"start": {"stop": None}}, {"hold": 30.0}, ExitCode.NO_DATA, OPEN),
    "stop condition untold while the fault is there": (
        {}, {"start": {"stop": None}, "end": {"stop": 0.0}}, {"hold": 1.2}, ExitCode.NO_DATA, OPEN,
    ),
    "stop condition untold for a short while": (
        {}, {"start": {"stop": "timeout"}, "end": {"stop": 0.0}}, {"hold": 0.0}, ExitCode.NO_DATA, OPEN,
    ),
    "stop condition that hangs while the fault is there": (
        {}, {"start": {"stop": "hang"}, "end": {"stop": 0.0}}, {"hold": 3.5}, ExitCode.NO_DATA, OPEN,
    ),
    "stop condition that hangs": (
        {}, {"start": {"stop": "hang"}, "end": {"stop": 0.0}}, {"hold": 30.0}, ExitCode.NO_DATA, OPEN,
    ),
    "refused injection": ({}, {"refuse": True}, {}, ExitCode.ACTION_FAILED, OPEN),
    "no effect": ({}, {"idle": True}, {}, ExitCode.ACTION_FAILED, OPEN),
    "undo does nothing": ({}, {"stuck": True}, {}, ExitCode.UNDO_FAILED, "FAIL"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_way_to_go_wrong_has_its_code_and_the_fault_is_taken_back(name: str, lab: Lab) -> None:
    values, script, more, code, verdict = BROKEN[name]
    lab.servers.say(**values)
    lab.servers.script(**script)
    report = lab.run(experiment(data(**more)))
    assert (report.judged.exit_code, report.judged.verdict.value) == (code, verdict), report.judged
    assert lab.servers.in_force == (1 if script.get("stuck") else 0)
    assert (report.findings.stop is not None) is (more.get("hold") == 30.0)
    if code is ExitCode.GATE_NOT_MET:
        assert "experiment.intended" not in lab.kinds()
        assert list_changes(lab.journal) == ()
    assert get_run(lab.journal, "latest").exit_code == code


def test_what_is_told_after_the_undo_makes_up_for_nothing(lab: Lab) -> None:
    lab.servers.script(start={"stop": None}, end={"stop": 0.0})
    given = data(hold=0.3)
    given["method"].append(action("nap", {"type": "process", "path": "sleep", "arguments": "1.5"}))
    report = lab.run(experiment(given))
    assert report.judged.exit_code is ExitCode.NO_DATA, report.judged
    (watched,) = report.journal["maestro"]["watched"]
    assert (watched["answers"], watched["gaps"]) == (0, 1)


def test_what_was_found_when_it_was_over_already_counts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends before anybody acts on it."""
    monkeypatch.setattr(running, "TICK_SECONDS", PATIENCE_SECONDS)
    lab.servers.script(start={"stop": 1.0}, end={"stop": 0.0})
    report = lab.run(experiment(data()))
    assert report.judged.exit_code is ExitCode.STOP_CONDITION, report.judged
    assert get_run(lab.journal, "latest").exit_code == ExitCode.STOP_CONDITION


def test_an_effect_is_waited_for_no_longer_than_the_fault_may_last_and_what_was_seen_is_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injecting, "EFFECT_SECONDS", 20.0)
    lab.servers.script(idle=True)
    report = lab.run(experiment(data(duration="2s")))
    assert report.judged.exit_code is ExitCode.ACTION_FAILED
    (injection,) = report.findings.injections
    assert injection.outcome is Injected.INEFFECTIVE
    assert "met no request yet" in injection.why


def later(lab: Lab, act: Any) -> threading.Thread:
    """Does that once the fault is in force."""

    def wait() -> None:
        wait_for(lambda: "experiment.injected" in lab.kinds(), "an injection")
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("terminated", [False, True])
def test_a_signal_takes_the_fault_back_within_a_second(lab: Lab, terminated: bool) -> None:
    cancellation, at = Cancellation(), []

    def stop() -> None:
        at.append(time.monotonic())
        cancellation.cancel(terminated=terminated)

    thread = later(lab, stop)
    report = lab.run(experiment(data(hold=60.0)), cancellation=cancellation)
    thread.join()
    assert report.judged.exit_code is (ExitCode.SIGTERM if terminated else ExitCode.SIGINT)
    assert lab.servers.read()["ends"][0] - at[0] < 1.0
    assert lab.servers.in_force == 0


def test_a_proof_that_nobody_waits_for_is_told_to_be_not_known(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injecting, "GOOD_IN_A_ROW", 10**6)  # it is proved never
    cancellation = Cancellation()

    def twice() -> None:
        cancellation.cancel()
        wait_for(lambda: "experiment.undone" in lab.kinds(), "the undo")
        cancellation.cancel()

    thread = later(lab, twice)
    report = lab.run(experiment(data(hold=60.0)), cancellation=cancellation)
    thread.join()
    (recovery,) = report.findings.recoveries
    assert (recovery.recovered, recovery.is_cut_short) == (False, True)
    assert recovery.why.startswith("its proof was not waited for; after ")
    told = {reason.exit_code: reason.what for reason in report.judged.reasons}
    assert report.judged.exit_code is ExitCode.SIGINT
    assert ExitCode.CONDITION_NOT_MET not in told, "that nobody waited is no miss"
    shown = report_view(report.journal).blocks[1]
    assert isinstance(shown, Fields)
    assert "it: not known: its proof was not waited for" in str(dict(shown.rows)["recovery"])
    assert lab.servers.in_force == 0


def test_a_rollback_that_is_killed_for_taking_too_long_is_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STOP_SECONDS", 0.5)
    given = data(hold=60.0)
    given["rollbacks"].append(action("tidy", {"type": "process", "path": "sleep", "arguments": "600"}))
    cancellation = Cancellation()
    thread = later(lab, cancellation.cancel)
    report = lab.run(experiment(given), cancellation=cancellation)
    thread.join()
    assert report.judged.exit_code is ExitCode.UNDO_FAILED, report.judged
    why = "tidy was not carried out to its end: it did not end in time and was killed"
    assert report.judged.reasons[0].what == f"undo failed: {why}"
    assert ExitCode.SIGINT in [reason.exit_code for reason in report.judged.reasons]
    assert lab.servers.in_force == 0


def test_somebody_elsewhere_may_end_it(lab: Lab) -> None:
    def ask() -> None:
        ExperimentLedger(lab.journal, list_runs(lab.journal)[0].id, "bob").asked("customers call")

    thread = later(lab, ask)
    report = lab.run(experiment(data(hold=60.0)))
    thread.join()
    assert report.judged.exit_code is ExitCode.SIGINT
    assert "customers call" in report.judged.reasons[0].what
    assert lab.servers.in_force == 0


def test_a_child_that_dies_costs_neither_the_undo_nor_the_journal(lab: Lab) -> None:
    def kill() -> None:
        (child,) = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_worker(path)]
        os.kill(child, signal.SIGKILL)

    thread = later(lab, kill)
    report = lab.run(experiment(data(hold=60.0)))
    thread.join()
    assert report.judged.exit_code is ExitCode.ACTION_FAILED
    assert "SIGKILL" in report.judged.reasons[0].what
    assert report.journal["steady_states"]["before"]["steady_state_met"] is True
    assert lab.servers.in_force == 0


def test_a_child_that_dies_without_a_rollback_of_its_own_leaves_it_undone(lab: Lab) -> None:
    given = data()
    kill = {"type": "process", "path": "sh", "arguments": ["-c", "kill -9 $PPID"]}
    given["method"] = [action("kill", kill)]
    given["rollbacks"].append(action("tidy", touching(lab.folder / "tidied")))
    report = lab.run(experiment(given))
    codes = {reason.exit_code: reason.what for reason in report.judged.reasons}
    assert report.judged.exit_code is ExitCode.UNDO_FAILED, report.judged
    assert "tidy" in codes[ExitCode.UNDO_FAILED]
    assert "SIGKILL" in codes[ExitCode.ACTION_FAILED]


def _is_worker(path: Path) -> bool:
    try:
        words = (path / "cmdline").read_bytes().split(b"\0")
        parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return False
    return b"maestro_cli.chaos.worker" in words and parent == str(os.getpid())


def test_a_method_that_forgets_its_fault_loses_it_when_its_time_is_over(lab: Lab) -> None:
    given = data(duration="500ms")
    nap = {"type": "process", "path": "sleep", "arguments": "3"}
    given["method"] = [given["method"][0], action("nap", nap)]
    given["rollbacks"] = []
    report = lab.run(experiment(given))
    (undone,) = [event.data["by"] for event in lab.journal.events() if event.kind == "experiment.undone"]
    assert undone == "the end of its duration"
    assert report.judged.passed, report.judged


def test_a_fault_that_no_action_puts_in_is_no_pass(lab: Lab) -> None:
    given = data(
        faults=[
            {"name": name, "fault": "server-latency", "parameters": {"milliseconds": 1}}
            for name in ("it", "b")
        ]
    )
    report = lab.run(experiment(given))
    assert (report.judged.exit_code, report.judged.verdict.value) == (ExitCode.ACTION_FAILED, OPEN)
    assert [one.what for one in report.judged.reasons] == ["b: no action put it in"]


@pytest.mark.parametrize(
    ("values", "code"), [({"ratio": 2.0}, ExitCode.GATE_NOT_MET), ({"ratio": None}, ExitCode.GATE_NOT_MET)]
)
def test_a_fault_that_the_gate_kept_out_is_no_failed_action(
    values: dict[str, Any], code: ExitCode, lab: Lab
) -> None:
    lab.servers.say(**values)
    report = lab.run(experiment(data()))
    assert [one.exit_code for one in report.judged.reasons] == [code]
