"""kill -9 at every journal write of a change, and around its one call: then recovered, applied once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.history import find_by_key, get_change, list_changes
from maestro_cli.changes.ledger import abandoned_changes, take_target
from maestro_cli.changes.model import State
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.unit.changes.every_kind import EVICTED, EXAMPLES, Example, example_of, releases
from tests.unit.changes.fake_cluster import REF, FakeCluster, template

pytestmark = pytest.mark.crash
ROOT = Path(__file__).resolve().parents[3]

GOOD = [
    "before-planned", "after-planned", "before-intended", "after-intended", "after-call", "before-applied",
    "after-applied", "before-verified", "after-verified",
]  # fmt: skip
UNDONE = [
    "before-verify_failed", "after-verify_failed", "before-planned#2", "after-planned#2", "before-intended#2",
    "after-intended#2", "after-call#2", "before-applied#2", "after-applied#2", "before-verified",
    "after-verified", "before-undone", "after-undone",
]  # fmt: skip


def worker(
    tmp_path: Path, action: str, key: str, actor: str, crash_at: str = "", kind: str = "rollback"
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **({"MAESTRO_CRASH_AT": f"change.{crash_at}"} if crash_at else {})}
    command = [sys.executable, "-m", "tests.crash.changes.worker", str(tmp_path / "journal.db"),
               str(tmp_path / "cluster.json"), action, key, actor, kind]  # fmt: skip
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, Any]]:
    try:
        output, errors = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode, json.loads(output) if output.strip() else {}


def journal_at(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=SystemClock())


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    made = FakeCluster(tmp_path / "cluster.json")
    made.ship(template(1), "release 1")
    made.ship(template(2), "release 2")
    return made


@pytest.mark.parametrize("place", GOOD)
def test_killed_and_asked_again_it_is_applied_once(tmp_path: Path, cluster: FakeCluster, place: str) -> None:
    code, _ = ended(worker(tmp_path, "perform", "k", "ada", place))
    assert code == -signal.SIGKILL
    assert len(cluster.marks) == int(GOOD.index(place) >= GOOD.index("after-call"))
    code, answer = ended(worker(tmp_path, "perform", "k", "grace"))
    assert (code, answer["state"]) == (0, "verified")
    assert cluster.marks == [answer["id"]]
    assert cluster.get_workload(REF).template == template(1)
    journal = journal_at(tmp_path)
    try:
        applied = journal.events(kinds=["change.applied"])
        assert len(applied) == 1
        if place in ("after-call", "before-applied"):
            assert applied[0].data["evidence"].startswith("probed:")
        assert [item.state for item in list_changes(journal) if item.intended_at] == [State.VERIFIED]
    finally:
        journal.close()
    assert verify(tmp_path / "journal.db", [ChangesProjection()]).intact


@pytest.mark.parametrize("place", GOOD[2:])
@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.kind != "rollback"], ids=str)
def test_every_kind_is_applied_once(tmp_path: Path, example: Example, place: str) -> None:
    """By the same key: what was not sent is sent, what was sent is found by its mark."""
    cluster = FakeCluster(tmp_path / "cluster.json")
    releases(cluster)
    example.prepare(cluster)
    generation = example.look(cluster).generation
    assert ended(worker(tmp_path, "perform", "k", "ada", place, example.kind))[0] == -signal.SIGKILL
    written = GOOD.index(place) >= GOOD.index("after-call")
    steps = len(example.steps) // 2 if place in GOOD[-2:] else 0
    assert len(cluster.marks) == int(written) + steps
    code, answer = ended(worker(tmp_path, "perform", "k", "grace", kind=example.kind))
    assert (code, answer["state"]) == (0, "verified")
    assert cluster.marks == example.marks(answer["id"])
    if example.leaves_a_mark:
        assert example.look(cluster).generation in (0, generation + 1)
    journal = journal_at(tmp_path)
    try:
        assert len(journal.events(kinds=["change.applied"])) == 1
        change = get_change(journal, answer["id"])
        assert change.left == (example.part(cluster) if example.leaves_a_mark else change.plan.payload_digest)
    finally:
        journal.close()


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "step", ["before-step_begun", "after-step_begun", "after-step", "before-step_taken", "after-step_taken"]
)
def test_a_step_that_was_taken_is_not_taken_again(tmp_path: Path, step: str, number: int) -> None:
    """A drain is killed in each of its evictions, and gone on with."""
    cluster = FakeCluster(tmp_path / "cluster.json")
    releases(cluster)
    place = step if number == 1 else f"{step}#{number}"
    assert ended(worker(tmp_path, "perform", "k", "ada", place, "drain"))[0] == -signal.SIGKILL
    taken = number if step in ("after-step", "before-step_taken", "after-step_taken") else number - 1
    assert len(cluster.marks) == 1 + taken
    code, answer = ended(worker(tmp_path, "recover", "k", "grace"))
    assert (code, answer["state"]) == (0, "verified")
    assert cluster.marks == [answer["id"], *EVICTED]


@pytest.mark.parametrize(
    ("step", "called"), [("after-step_begun", 1), ("after-step", 2), ("before-step_taken#2", 3)]
)
@pytest.mark.parametrize("kind", ["load-model", "unload-model", "clear-cache"])
def test_killed_between_replicas_each_is_called_once(
    tmp_path: Path, kind: str, step: str, called: int
) -> None:
    """The first of three is called by the write. What a replica has is asked of it, not remembered."""
    cluster, example = FakeCluster(tmp_path / "cluster.json"), example_of(kind)
    releases(cluster)
    assert ended(worker(tmp_path, "perform", "k", "ada", step, kind))[0] == -signal.SIGKILL
    assert cluster.marks == list(example.calls[:called])
    code, answer = ended(worker(tmp_path, "recover", "k", "grace"))
    assert (code, answer["state"], cluster.marks) == (0, "verified", list(example.calls))


@pytest.mark.parametrize(
    ("place", "is_left"),
    [
        ("before-intended", False),
        ("after-intended", True),
        ("after-applied", True),
        ("after-verified", False),
    ],
)
def test_what_was_killed_in_flight_is_known_as_abandoned_at_once(
    tmp_path: Path, cluster: FakeCluster, place: str, is_left: bool
) -> None:
    assert ended(worker(tmp_path, "perform", "k", "a", place))[0] == -signal.SIGKILL
    journal = journal_at(tmp_path)
    assert [one.kind for one in abandoned_changes(journal)] == (["rollback"] if is_left else [])
    at_work = take_target(journal, REF, "chg-other", 60.0)
    assert abandoned_changes(journal) == ()
    at_work.release()
    journal.close()


@pytest.mark.parametrize("place", GOOD[3:])
def test_killed_and_recovered_by_its_key(tmp_path: Path, cluster: FakeCluster, place: str) -> None:
    assert ended(worker(tmp_path, "perform", "k", "ada", place))[0] == -signal.SIGKILL
    code, answer = ended(worker(tmp_path, "recover", "k", "grace"))
    assert (code, answer["state"]) == (0, "verified")
    assert cluster.marks == [answer["id"]]


@pytest.mark.parametrize("place", UNDONE)
def test_killed_while_undoing_it_is_undone_once(tmp_path: Path, cluster: FakeCluster, place: str) -> None:
    cluster.set(broken=["fraud=1"])
    assert ended(worker(tmp_path, "perform", "brief", "ada", place))[0] == -signal.SIGKILL
    code, answer = ended(worker(tmp_path, "recover", "brief", "grace"))
    assert (code, answer["error"][:8]) == (16, "change c")
    assert cluster.get_workload(REF).template == template(2)
    journal = journal_at(tmp_path)
    try:
        change = find_by_key(journal, "brief")
        assert change is not None
        assert change.undone_by is not None
        assert cluster.marks == [change.id, change.undone_by]
        assert change.state is State.ROLLED_BACK
        assert get_change(journal, change.undone_by).state is State.VERIFIED
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("action", "place"),
    [
        *(("perform", place) for place in ("before-waiting", "after-waiting")),
        *(("approve", place) for place in ("before-approved", "after-approved")),
        *(("recover", place) for place in GOOD[2:]),
    ],
)
def test_killed_around_its_approval_it_is_applied_once(
    tmp_path: Path, cluster: FakeCluster, action: str, place: str
) -> None:
    """Each step is done by a process of its own; the one that is killed is done again."""
    key, codes = "guarded", {"perform": 17, "approve": 0, "recover": 0}
    actors = {"perform": "ada", "approve": "grace", "recover": "ada"}
    for step, code in codes.items():
        if step == action:
            killed = ended(worker(tmp_path, step, key, actors[step], place, "restart"))
            assert killed[0] == -signal.SIGKILL
        again, answer = ended(worker(tmp_path, step, key, actors[step], kind="restart"))
        assert again == (11 if place == "after-approved" and step == "approve" else code), answer
        assert (len(cluster.marks) > 0) == (step == "recover")
    assert len(cluster.marks) == 1
    journal = journal_at(tmp_path)
    try:
        assert len(journal.events(kinds=["change.approved"])) == 1
        assert len(journal.events(kinds=["change.applied"])) == 1
    finally:
        journal.close()


def test_killed_while_recovering_it_is_recovered_again(tmp_path: Path, cluster: FakeCluster) -> None:
    assert ended(worker(tmp_path, "perform", "k", "ada", "after-intended"))[0] == -signal.SIGKILL
    assert ended(worker(tmp_path, "recover", "k", "ada", "after-call"))[0] == -signal.SIGKILL
    assert ended(worker(tmp_path, "recover", "k", "ada", "before-applied"))[0] == -signal.SIGKILL
    code, answer = ended(worker(tmp_path, "recover", "k", "ada"))
    assert (code, answer["state"]) == (0, "verified")
    assert cluster.marks == [answer["id"]]


def test_ten_processes_on_one_target(tmp_path: Path, cluster: FakeCluster) -> None:
    """One wins; nine are told which change, and by whom. The rollout stands still until they were."""
    cluster.set(frozen=True)
    processes = [worker(tmp_path, "perform", f"key-{number}", f"actor-{number}") for number in range(10)]
    try:
        told: list[tuple[int, dict[str, Any]]] = []
        running = list(processes)
        while len(told) < 9:
            for process in list(running):
                if process.poll() is not None:
                    running.remove(process)
                    told.append(ended(process))
            if running:
                try_wait(running[0])
        cluster.set(frozen=False)
        code, winner = ended(running[0])
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert (code, winner["state"]) == (0, "verified")
    assert {code for code, _ in told} == {75}
    actor = f"actor-{processes.index(running[0])}"
    assert all(f"{winner['id']} (rollback by {actor}" in answer["error"] for _, answer in told)
    assert cluster.marks == [winner["id"]]


def try_wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(0.05)
    except subprocess.TimeoutExpired:
        return
