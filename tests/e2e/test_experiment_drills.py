"""Shipped experiments as drills: under guard, found by their alert, ended by the runbook, scored."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.e2e.session import Session, platform_up
from tests.patience import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with platform_up(tmp_path_factory.mktemp("home")) as up:
        yield up


def faults(session: Session) -> list[dict[str, Any]]:
    done = session.run("chaos", "status", "-o", "json")
    found: list[dict[str, Any]] = json.loads(done.stdout)["faults"] if done.stdout else []
    return found


def events(session: Session, kind: str) -> list[dict[str, Any]]:
    return [one for one in session.json("journal", "show")["items"] if one["kind"] == kind]


@pytest.mark.parametrize(
    ("name", "runbook", "fix"),
    [
        ("leaking-replica", "memory-leak", "restart ml/deploy/fraud"),
        ("lost-node", "node-failure", "drain node/"),
    ],
)
def test_an_experiment_is_found_by_its_alert_and_ended_by_its_runbook(
    session: Session, name: str, runbook: str, fix: str
) -> None:
    """On a platform that has just started: the guard is asked until it knows what is left of the budget."""
    done = session.run("drill", "run", f"chaos/{name}", "--seed", "7", "-o", "json", timeout=600)
    assert done.returncode == 0, done.stderr + done.stdout
    card = json.loads(done.stdout)
    assert card["passed"], card
    assert (card["run"], card["cause_is_right"]) == (f"{runbook} succeeded", True)
    assert fix in card["fix"]
    assert all(phase["met"] for phase in card["phases"])
    run = session.json("chaos", "status", card["experiment"]["run"])
    assert (run["verdict"], run["exit_code"]) == (
        card["experiment"]["verdict"],
        card["experiment"]["exit_code"],
    )
    assert [bool(one["undone_at"]) for one in run["faults"]] == [True]
    intent = events(session, "drill.intended")[-1]["data"]
    assert (intent["scenario"], set(intent["undo"])) == (f"chaos/{name}", {"experiment"})
    assert session.json("incident", "list")["items"] == []
    assert session.json("chaos", "sweep")["items"] == []


def test_a_drill_that_is_killed_leaves_nothing_that_a_sweep_does_not_take_back(session: Session) -> None:
    kill_one_with_its_fault_in_force(session)
    (swept,) = session.json("chaos", "sweep")["items"]
    assert (swept["faults"], swept["residue"]) == (["one node lost"], [])
    assert session.json("chaos", "sweep")["items"] == []
    done, begun = events(session, "drill.undone"), events(session, "drill.intended")
    assert (len(done), done[-1]["data"]["by"]) == (len(begun), "a sweep")
    assert session.json("incident", "list")["items"] == []


def kill_one_with_its_fault_in_force(session: Session) -> None:
    """One that a busy machine's stop condition ended before the signal met it is begun again."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        killed = session.start("drill", "run", "chaos/lost-node")
        wait_for(partial(is_in_force_or_over, session, killed), "its fault is in force")
        killed.kill()
        _, said = killed.communicate()
        if killed.returncode == -signal.SIGKILL:
            return
        assert time.monotonic() < end, said


def is_in_force_or_over(session: Session, drill: subprocess.Popen[str]) -> bool:
    found = [(one["outcome"], one["undone_at"]) for one in faults(session)]
    return found == [("effective", "")] or drill.poll() is not None
