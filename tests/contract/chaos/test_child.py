"""The child performs experiments with real chaoslib: nothing costs the rollbacks, or the journal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.line import MAX_ITEMS
from maestro_cli.chaos.model import Findings, Kind, Stop
from maestro_cli.chaos.verdict import Steady, judge, steady_of
from maestro_cli.core.errors import ExitCode
from tests.contract.chaos.performed import Performed, action, probe, python, touching
from tests.patience import wait_for

pytestmark = pytest.mark.contract

LAB = """
import math, os, sys, time
def number(value): return float(value)
def boom(): raise KeyError("boom")
def judge_badly(value): boom()
def judge_and_leave(value): leave_now()
def told(path): return open(path).read() if os.path.exists(path) else "well"
def nap(seconds): time.sleep(seconds)
def leave_now(): sys.exit(3)
def give_up():
    from chaoslib.exceptions import InterruptExecution
    raise InterruptExecution("enough")
def before_activity_control(context, **more):
    if context.get("name") == "give up": give_up()
def leave_without_rollbacks():
    from chaoslib.exit import exit_ungracefully
    exit_ungracefully()
    time.sleep(60)
looks = 0
def worse_after(count):
    global looks
    looks += 1
    return 0.5 if looks <= count else 2.0
def slow_once(seconds):
    global looks
    looks += 1
    if looks != 2: return 0.5
    time.sleep(seconds)
    return 2.0
def nap_until(count):
    while looks < count: time.sleep(0.01)
def nap_over(seconds, path):
    # as where a signal comes right before a wait begins: the first one ends nothing
    import signal
    heed = signal.signal(signal.SIGUSR1, lambda *_: None)
    open(path, "w").close()
    signal.pause()
    signal.signal(signal.SIGUSR1, heed)
    time.sleep(seconds)
def leave(path):
    import subprocess
    open(path, "w").write(str(subprocess.Popen(["sleep", "600"]).pid))
"""
WELL = {"type": "range", "range": [0, 1]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab.py").write_text(LAB)
    return tmp_path


def experiment(folder: Path, *method: Mapping[str, Any], probes: Any = None, **more: Any) -> dict[str, Any]:
    given = [probe("ratio", python("lab", "number", value="0.5"), WELL)] if probes is None else probes
    return {
        "title": "t",
        "description": "d",
        "steady-state-hypothesis": {"title": "well", "probes": given},
        "method": list(method),
        "rollbacks": [action("tidy", touching(folder / "tidied"))],
        **more,
    }


def test_the_steady_state_is_looked_at_before_all_the_while_and_after(folder: Path) -> None:
    journal = Performed(
        folder, experiment(folder, action("nap", python("lab", "nap", seconds=0.7)))
    ).journal()
    states = journal["steady_states"]
    assert [steady_of(states[one]) for one in ("before", "after")] == [Steady.MET, Steady.MET]
    assert len(states["during"]) >= 2
    assert journal["status"] == "completed"
    assert (folder / "tidied").exists()
    assert judge(journal, Findings()).exit_code is ExitCode.OK


@pytest.mark.parametrize(
    "provider",
    [
        python("lab", "number", value="nan"),
        python("lab", "told", path="/nowhere"),  # a word, where a number is compared
        python("lab", "boom"),
        {"type": "http", "url": "http://127.0.0.1:1/", "timeout": 1},
    ],
    ids=["nan", "word", "raised", "unreachable"],
)
def test_what_cannot_be_judged_costs_nothing(provider: dict[str, Any], folder: Path) -> None:
    given = [probe("p", provider, WELL)]
    asked = experiment(folder, action("nap", python("lab", "nap", seconds=0)), probes=given)
    journal = Performed(folder, asked).journal()
    assert steady_of(journal["steady_states"]["before"]) is Steady.NO_DATA
    assert journal["run"] == []
    assert (folder / "tidied").exists()
    judged = judge(journal, Findings())
    assert (judged.exit_code, judged.verdict.value) == (ExitCode.GATE_NOT_MET, "INDETERMINATE")


@pytest.mark.parametrize(("func", "raised"), [("judge_badly", "boom"), ("judge_and_leave", "SystemExit: 3")])
def test_a_tolerance_that_fails_itself_judges_nothing(func: str, raised: str, folder: Path) -> None:
    judging = {"type": "probe", "name": "j", "provider": python("lab", func, value=0)}
    given = [probe("p", python("lab", "number", value="0.5"), judging)]
    asked = experiment(folder, action("nap", python("lab", "nap", seconds=0)), probes=given)
    states = Performed(folder, asked).journal()["steady_states"]
    assert steady_of(states["before"]) is Steady.NO_DATA
    assert raised in str(states["before"]["probes"][-1]["exception"])


def test_what_is_seen_only_during_the_method_deviates(folder: Path) -> None:
    told, wrong = (
        folder / "told",
        {"type": "process", "path": "sh", "arguments": ["-c", f"echo ill > {folder}/told"]},
    )
    right = {"type": "process", "path": "rm", "arguments": str(told)}
    asked = experiment(
        folder,
        action("break", wrong),
        action("nap", python("lab", "nap", seconds=0.6)),
        action("mend", right),
        probes=[probe("well", python("lab", "told", path=str(told)), "well")],
    )  # fmt: skip
    journal = Performed(folder, asked).journal()
    assert (journal["status"], journal["deviated"]) == ("completed", False)  # what Chaos Toolkit says
    assert judge(journal, Findings()).exit_code is ExitCode.CONDITION_NOT_MET


def test_what_is_seen_after_more_looks_than_one_message_has_room_for_counts(folder: Path) -> None:
    asked = experiment(
        folder, action("nap", python("lab", "nap_until", count=MAX_ITEMS + 3)),
        probes=[probe("ratio", python("lab", "worse_after", count=MAX_ITEMS + 1), WELL)],
    )  # fmt: skip
    journal = Performed(folder, asked, every_seconds=1e-6).journal()
    looks = [steady_of(one) for one in journal["steady_states"]["during"]]
    assert len(looks) > MAX_ITEMS
    assert judge(journal, Findings()).reasons[0].rule == "during"


def test_a_look_that_is_under_way_when_the_method_ends_counts(folder: Path) -> None:
    asked = experiment(
        folder, action("nap", python("lab", "nap", seconds=0.1)),
        probes=[probe("ratio", python("lab", "slow_once", seconds=0.7), WELL)],
    )  # fmt: skip
    judged = judge(Performed(folder, asked).journal(), Findings())
    assert [reason.rule for reason in judged.reasons] == ["during"]


def test_an_action_that_fails_in_any_way_is_told_and_rolled_back(folder: Path) -> None:
    journal = Performed(folder, experiment(folder, action("boom", python("lab", "boom")))).journal()
    assert journal["status"] == "completed"  # what Chaos Toolkit says
    assert judge(journal, Findings()).exit_code is ExitCode.ACTION_FAILED
    assert (folder / "tidied").exists()


@pytest.mark.parametrize("func", ["leave_now", "give_up", "boom"])
def test_what_a_rollback_raises_costs_none_of_the_others(func: str, folder: Path) -> None:
    both = [action("bad", python("lab", func)), action("tidy", touching(folder / "tidied"))]
    asked = experiment(folder, action("nap", python("lab", "nap", seconds=0)), rollbacks=both)
    journal = Performed(folder, asked).journal()
    assert [run["status"] for run in journal["rollbacks"]] == ["failed", "succeeded"]
    assert (folder / "tidied").exists()
    judged = judge(journal, Findings())
    assert judged.exit_code is ExitCode.UNDO_FAILED
    assert len([reason for reason in judged.reasons if reason.rule == "undo"]) == 1


def test_what_ends_rollbacks_from_beside_them_costs_that_one_alone_and_is_told(folder: Path) -> None:
    three = [touched(folder, name) for name in ("first", "give up", "last")]
    asked = experiment(
        folder, action("nap", python("lab", "nap", seconds=0)), rollbacks=three,
        controls=[{"name": "c", "provider": {"type": "python", "module": "lab"}}],
    )  # fmt: skip
    performed = Performed(folder, asked)
    journal = performed.journal()
    assert [run["activity"]["name"] for run in journal["rollbacks"]] == ["first", "last"]
    assert "enough" in str([event["error"] for _, event in performed.events if event["event"] == "escaped"])
    (reason,) = [one for one in judge(journal, Findings()).reasons if one.rule == "undo"]
    assert "give up" in reason.what


def touched(folder: Path, name: str) -> dict[str, Any]:
    return action(name, touching(folder / name.replace(" ", "-")))


def test_an_action_that_exits_failed_and_one_that_forbids_rollbacks_gets_them(folder: Path) -> None:
    journal = Performed(folder, experiment(folder, action("exit", python("lab", "leave_now")))).journal()
    assert judge(journal, Findings()).exit_code is ExitCode.ACTION_FAILED
    leaving = action("leave", python("lab", "leave_without_rollbacks"))
    (folder / "tidied").unlink()
    journal = Performed(folder, experiment(folder, leaving)).journal()
    assert judge(journal, Findings()).exit_code is ExitCode.SIGINT
    assert (folder / "tidied").exists()


def test_a_stop_ends_what_is_under_way_within_a_second_and_rolls_back(folder: Path) -> None:
    performed = Performed(
        folder, experiment(folder, action("nap", python("lab", "nap", seconds=60))), every_seconds=30
    )
    performed.until("activity-begun", name="nap")
    began = time.monotonic()
    performed.child.stop()
    performed.child.stop()  # twice is as once: rollbacks are not interrupted
    assert performed.until("rollbacks") - began < 1.0
    journal = performed.journal()
    assert journal["status"] == "interrupted"
    assert [run["status"] for run in journal["rollbacks"]] == ["succeeded"]
    assert judge(journal, Findings(stop=Stop(Kind.ASKED, "x"))).exit_code is ExitCode.SIGINT


def test_a_rollback_that_exits_after_a_stop_fails_and_costs_none_of_the_others(folder: Path) -> None:
    both = [action("exit", python("lab", "leave_now")), action("tidy", touching(folder / "tidied"))]
    nap = action("nap", python("lab", "nap", seconds=60))
    performed = Performed(folder, experiment(folder, nap, rollbacks=both))
    performed.until("activity-begun", name="nap")
    performed.child.stop()
    assert [run.get("status") for run in performed.journal()["rollbacks"]] == ["failed", "succeeded"]


def test_a_stop_that_was_not_heeded_comes_again(folder: Path) -> None:
    asleep = folder / "asleep"
    nap = action("nap", python("lab", "nap_over", seconds=60, path=str(asleep)))
    performed = Performed(folder, experiment(folder, nap))
    wait_for(asleep.exists, "the wait")
    performed.child.stop()
    assert [run["status"] for run in performed.journal()["rollbacks"]] == ["succeeded"]
    assert (folder / "tidied").exists()


def test_a_stop_while_the_gate_is_looked_at_leaves_a_journal(folder: Path) -> None:
    slow = [probe("slow", python("lab", "nap", seconds=30), 1)]
    performed = Performed(
        folder, experiment(folder, action("nap", python("lab", "nap", seconds=0)), probes=slow)
    )
    performed.until("running")
    performed.child.stop()
    journal = performed.journal()
    assert (journal["status"], journal["run"]) == ("interrupted", [])
    assert (folder / "tidied").exists()


def test_nothing_that_an_activity_started_outlives_it(folder: Path) -> None:
    left = folder / "left"
    Performed(folder, experiment(folder, action("leave", python("lab", "leave", path=str(left))))).journal()
    assert not alive(int(left.read_text()))


def test_a_child_that_is_killed_is_told_without_a_journal(folder: Path) -> None:
    performed = Performed(folder, experiment(folder, action("nap", python("lab", "nap", seconds=60))))
    performed.until("activity-begun", name="nap")
    performed.child.kill()
    assert "killed" in performed.child.ended()
    assert not alive(performed.child.pid)


def test_activities_ask_the_parent_and_get_its_answers_and_errors(folder: Path) -> None:
    def answer(do: str, arguments: Mapping[str, Any]) -> Any:
        if do == "inject":
            raise ValueError("no such fault")
        return {"value": 0.25}[do]

    asked = experiment(
        folder, action("inject", python("maestro_cli.chaos.actions", "inject", fault="x")),
        probes=[probe("v", python("maestro_cli.chaos.probes", "value", query="up"), WELL)],
    )  # fmt: skip
    journal = Performed(folder, asked, answer).journal()
    assert journal["steady_states"]["before"]["probes"][0]["output"] == 0.25
    (run,) = journal["run"]
    assert run["status"] == "failed"
    assert "no such fault" in run["exception"][-1]


def test_a_file_that_chaos_toolkit_refuses_is_told_as_such(folder: Path) -> None:
    performed = Performed(folder, experiment(folder, action("x", python("lab", "nobody"))))
    assert performed.journal()["status"] == "failed"
    (error,) = [event["error"] for _, event in performed.events if event.get("event") == "invalid"]
    assert "nobody" in error


PARENT = """
import sys, time
from pathlib import Path
from tests.contract.chaos.performed import *
folder = Path(sys.argv[1])
asked = {"title": "t", "description": "d", "method": [action("nap", python("lab", "nap", seconds=60))],
         "rollbacks": [action("tidy", touching(folder / "tidied"))]}
performed = Performed(folder, asked)
performed.until("activity-begun", name="nap")
print(performed.child.pid, flush=True)
time.sleep(60)
"""


def test_a_parent_that_is_killed_takes_the_child_along_after_its_rollbacks(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, cwd=os.getcwd()
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
    until = time.monotonic() + 20
    while alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(child)
    assert (folder / "tidied").exists()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
