"""The shipped experiments on the embedded platform: planned, run, killed on the way and swept."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rehearsing import rehearsing, run
from tests.e2e.session import Session
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.unit.chaos.ci.junit_schema import faults_of

pytestmark = pytest.mark.e2e
SHIPPED = Path(__file__).resolve().parents[2] / "playbooks" / "chaos"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with rehearsing(tmp_path_factory.mktemp("experiments")) as session:
        yield session


def test_a_plan_names_the_very_pods_that_a_run_with_its_seed_meets(session: Session) -> None:
    plan = session.json("chaos", "plan", "pod-failure", "--seed", "7")
    assert plan["would_inject"] == 1
    (fault,) = plan["faults"]
    report = run(session, "pod-failure")
    assert report["targets"] == [target["ref"] for target in fault["targets"]]
    (recovery,) = report["proof_of_recovery"]
    assert recovery["seconds"] > 0


def test_a_slow_replica_is_slow_and_then_is_not(session: Session) -> None:
    report = run(session, "network-latency")
    (effect,) = report["proof_of_effect"]
    assert effect["why"].startswith("met ")
    kinds = [one["kind"] for one in session.json("change", "list")["items"][:2]]
    assert sorted(kinds) == ["end-server-fault", "inject-server-fault"]


def test_a_run_that_is_killed_is_swept_and_one_that_is_aborted_ends(session: Session) -> None:
    text = (SHIPPED / "network-latency.yaml").read_text(encoding="utf-8")
    (session.home / "long.yaml").write_text(text.replace("duration: 12s", "duration: 5m"), encoding="utf-8")

    def injected() -> bool:
        status = session.run("chaos", "status", "-o", "json")
        faults = json.loads(status.stdout)["faults"] if status.stdout else []
        return [one["outcome"] for one in faults if not one["undone_at"]] == ["effective"]

    killed = session.start("chaos", "run", "long.yaml", "--yes")
    wait_for(injected, "a fault is in force")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert session.run("chaos", "status").returncode == 75
    swept = session.json("chaos", "sweep")["items"]
    assert [(one["faults"], one["residue"]) for one in swept] == [(["one slow replica"], [])]
    assert session.json("chaos", "sweep")["items"] == []

    aborted = session.start("chaos", "run", "long.yaml", "--yes", "-o", "json")
    wait_for(injected, "a fault is in force")
    assert session.run("chaos", "abort", "--why", "enough").returncode == 0
    out, _ = aborted.communicate(timeout=60)
    assert (aborted.returncode, json.loads(out)["residue"]) == (130, [])


ELSEWHERE = {"pod-failure", "network-latency", "dependency-failure", "region-failover"}
FELT = {
    "slow-link": "felt by",
    "lossy-link": "felt by",
    "network-partition": "got none",
    "slow-replica": "met ",  # right after what leaves connections to one replica: all are asked again
    "resource-exhaustion": "cores more",
    "memory-pressure": "MiB more",
    "leaking-replica": "MiB more",
    "bad-configuration": "says the wrong value",
    "node-drain": "empty: node/",
    "hung-replica": "not ready: ",
    "lost-node": "1 of 1 stopped",
    "zone-failover": "1 of 1 kubelets stopped",
}


@pytest.mark.parametrize("name", FELT)
def test_what_ships_has_its_effect_and_holds_and_leaves_nothing(session: Session, name: str) -> None:
    report = run(session, name)
    (effect,) = report["proof_of_effect"]
    assert FELT[name] in effect["why"]
    (recovery,) = report["proof_of_recovery"]
    assert recovery["recovered"]
    assert report["residue"] == []


def test_everything_that_ships_is_run_here() -> None:
    assert {file.stem for file in SHIPPED.glob("*.yaml")} == {*FELT, *ELSEWHERE}


def test_a_gate_runs_both_and_leaves_evidence_that_pipelines_read(session: Session) -> None:
    evidence, end = session.home / "evidence", time.monotonic() + PATIENCE_SECONDS
    while True:  # what a busy machine misses is judged again
        done = session.run(
            "chaos", "gate", "pod-failure", "network-latency", "--yes", "--seed", "7", "--out", str(evidence),
            "-o", "json",
        )  # fmt: skip
        body = json.loads(done.stdout)
        if done.returncode not in (10, 11, 15) or time.monotonic() > end:
            break
    assert (done.returncode, body["verdict"], body["score"]) == (0, "PASS", 100), body
    assert faults_of((evidence / "junit.xml").read_text(encoding="utf-8")) == []
    assert len((evidence / "events.jsonl").read_text(encoding="utf-8").splitlines()) >= 10
    again = session.run("chaos", "gate", str(evidence / "journal-01.json"), "-o", "json")
    assert (again.returncode, json.loads(again.stdout)["experiments"][0]["verdict"]) == (0, "PASS")
