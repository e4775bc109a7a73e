"""Each fault has an end of its own, and its recovery is looked at from then on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos import keeping
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import Proof
from maestro_cli.chaos.history import LEASE, working_run
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from tests.contract.chaos.lab import ACTIONS, Lab, data, experiment
from tests.contract.chaos.performed import action, python
from tests.patience import wait_for

PATIENT = {"every": "100ms", "misses": "100%", "in_a_row": 10_000}

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def nap(seconds: float) -> Mapping[str, Any]:
    return action("nap", {"type": "process", "path": "sleep", "arguments": str(seconds)})


def inject(name: str) -> Mapping[str, Any]:
    return action(f"inject {name}", python(ACTIONS, "inject", fault=name))


def of_two(duration: str, method: list[Mapping[str, Any]]) -> dict[str, Any]:
    faults = [
        {"name": name, "fault": "server-latency", "parameters": {"milliseconds": 100}} for name in ("a", "b")
    ]
    return {**data(duration=duration, faults=faults), "method": method}


def undone(lab: Lab) -> list[tuple[str, str]]:
    events = [event.data for event in lab.journal.events() if event.kind == "experiment.undone"]
    return [(data["fault"], data["by"]) for data in events]


def test_a_fault_that_comes_later_lengthens_none_that_is_in_force(lab: Lab) -> None:
    lab.run(experiment(of_two("2s", [inject("a"), nap(1.5), inject("b"), nap(2.2)])))
    first, *_ = undone(lab)
    assert first == ("a", "the end of its duration")
    times = {(event.kind, event.data.get("fault")): event.time for event in lab.journal.events()}
    assert times["experiment.undone", "a"] < times["experiment.undone", "b"]


def test_a_fault_that_was_taken_back_in_time_ends_no_other(lab: Lab) -> None:
    undo = action("undo a", python(ACTIONS, "undo", fault="a"))
    report = lab.run(experiment(of_two("1s", [inject("a"), undo, nap(2.5), inject("b")])))
    assert report.judged.passed, report.judged
    assert [one.outcome.value for one in report.findings.injections] == ["effective", "effective"]


def test_a_recovery_is_looked_at_when_the_fault_is_taken_back_not_when_somebody_asks(lab: Lab) -> None:
    given = data(recovery="1s")
    given["method"][3:3] = [nap(2)]
    report = lab.run(experiment(given))
    assert report.judged.passed, report.judged


def test_a_hold_lasts_no_longer_than_what_is_in_force(lab: Lab) -> None:
    report = lab.run(experiment(data(hold=600.0, duration="1s")))
    assert report.judged.passed, report.judged


def test_a_run_is_at_work_until_its_end_is_written_and_hears_a_signal_until_then(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "LEASE_SECONDS", 0.6)
    never = Proof(Holds.NOT_YET, "not well yet")
    monkeypatch.setattr(type(FAULTS["server-latency"]), "recovery", lambda *_: never)
    given = data(recovery="60s")
    given["method"] = given["method"][:3]
    cancellation, seen = Cancellation(), []

    def look() -> None:
        wait_for(lambda: "experiment.undone" in lab.kinds(), "the undo")
        threading.Event().wait(1.5)  # two leases later
        seen.append(working_run(lab.journal))
        cancellation.cancel()

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    report = lab.run(experiment(given), cancellation=cancellation)
    looking.join()
    assert seen == [report.run]
    assert report.judged.exit_code is ExitCode.SIGINT
    assert [one.why for one in report.findings.recoveries] != []
    assert working_run(lab.journal) == ""


def test_a_run_whose_lease_another_took_ends(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LEASE_SECONDS", 0.6)

    def take() -> None:
        wait_for(lambda: "experiment.injected" in lab.kinds(), "an injection")
        held = lab.journal.lease(LEASE)
        assert held is not None
        lab.journal.release_lease(held)
        lab.journal.acquire_lease(LEASE, "another", 60.0)

    thief = threading.Thread(target=take, daemon=True)
    thief.start()
    report = lab.run(experiment(data(hold=60.0, duration="90s")))
    thief.join()
    assert report.findings.stop is not None
    assert "another process" in report.findings.stop.why
    assert lab.servers.in_force == 0


def test_a_recovery_takes_until_the_steady_state_is_met_again(lab: Lab) -> None:
    """The fault's own proof says nothing of callers: its pods were ready all the while."""
    lab.servers.script(start={"ratio": 2.0})
    given = data(hold=0.2, recovery="20s", steady_state=PATIENT)

    def mend() -> None:
        wait_for(lambda: "experiment.undone" in lab.kinds(), "the undo")
        threading.Event().wait(1.0)  # what is measured
        lab.servers.say(ratio=0.5)

    mending = threading.Thread(target=mend, daemon=True)
    mending.start()
    report = lab.run(experiment(given))
    mending.join()
    assert report.judged.passed, report.judged
    (recovery,) = report.findings.recoveries
    assert recovery.recovered
    assert recovery.seconds is not None
    assert recovery.seconds >= 0.5  # a look that began before may be answered after, on a busy machine
    assert "; in a steady state, 3 looks in a row" in recovery.why


@pytest.mark.parametrize(("after", "code"), [(2.0, ExitCode.CONDITION_NOT_MET), ("500", ExitCode.NO_DATA)])
def test_without_a_steady_state_in_time_nothing_has_recovered(lab: Lab, after: Any, code: ExitCode) -> None:
    lab.servers.script(end={"ratio": after})
    given = data(hold=0.2, steady_state=PATIENT, recovery="0.5s")
    report = lab.run(experiment(given))
    assert report.judged.exit_code is code, report.judged
    (recovery,) = report.findings.recoveries
    assert (recovery.recovered, recovery.seconds) == (False, None)


@pytest.mark.parametrize("script", [{"refuse": True}, {"idle": True}])
def test_nothing_is_held_of_faults_that_all_failed(lab: Lab, script: Mapping[str, Any]) -> None:
    lab.servers.script(**script)
    report = lab.run(experiment(data(hold=600.0)))
    assert report.judged.exit_code is ExitCode.ACTION_FAILED, report.judged
    (held,) = [one for one in report.journal["run"] if one["activity"]["name"] == "hold"]
    assert held["output"] == {"held_seconds": 0.0}


def test_a_journal_says_what_takes_each_change_back(lab: Lab) -> None:
    ours = lab.run(experiment(data(hold=0.1))).journal["maestro"]
    assert [one["fault"] for one in ours["undo_log"]] == ["it"]
    assert ours["undo_log"][0]["change"].startswith("chg-")
    assert ours["undo_log"][0]["undo"]
