"""What a person and a script do on a platform that stays up."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.services import GlobalOptions, Services
from tests.e2e.session import Session, eventually, platform_up

pytestmark = pytest.mark.e2e
FRAUD = WorkloadRef("Deployment", "ml", "fraud")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with platform_up(tmp_path_factory.mktemp("kept")) as session:
        yield session


def serving(session: Session) -> str:
    """The model version that the deployment serves."""
    args = session.kubectl("-n", "ml", "get", "deploy", "fraud", "-o", "jsonpath={..containers[0].args}")
    words: list[str] = json.loads(args)
    return words[words.index("--serve") + 1]


def ship_bad_release(session: Session) -> None:
    args = session.kubectl("-n", "ml", "get", "deploy", "fraud", "-o", "jsonpath={..containers[0].args}")
    words = json.loads(args)
    place = words.index("--serve") + 1
    words[place] = "fraud=2"
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": words}]
    session.kubectl("-n", "ml", "patch", "deploy", "fraud", "--type=json", "-p", json.dumps(patch))
    session.kubectl("-n", "ml", "rollout", "status", "deploy/fraud", "--timeout=150s")


def test_up_twice_says_that_it_is_up(session: Session) -> None:
    result = session.run("local", "up")
    assert result.returncode == 0
    assert "up already" in result.stderr


def test_status_is_well_and_every_endpoint_answers(session: Session) -> None:
    eventually(lambda: session.run("status").returncode == 0)
    eventually(lambda: session.json("status")["well"] is True)
    checks = session.json("context", "show")["checks"]
    assert len(checks) == 4
    assert all(check["ok"] for check in checks)


def test_triage_without_a_release_blames_no_release(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in session.environment.items():
        monkeypatch.setenv(name, value)

    class NoSignals:
        def cooperative(self) -> Cancellation:
            return Cancellation()

    with Services(GlobalOptions(context="local"), NoSignals()) as services:
        incident = services.desk.open("customers complain", workload=FRAUD, drill=True)
        report = services.triage.investigate(incident, services.desk.signals(incident.id))
        services.desk.dismiss(incident.id, "only a question")
    assert report.culprit is None
    assert [suspect.kind.value for suspect in report.suspects if suspect.kind.value == "release"] == []
    assert [item.kind for item in report.evidence if not item.ok] == []


def test_a_drill_twice_on_a_kept_platform_passes_twice_and_kubectl_sees_the_revisions(
    session: Session,
) -> None:
    for _ in range(2):
        result = session.run("drill", "run", "bad-release", "-o", "json")
        assert result.returncode == 0, result.stderr + result.stdout
        assert serving(session) == "fraud=1"
    history = session.kubectl("-n", "ml", "rollout", "history", "deploy/fraud")
    assert "maestro rollback to revision" in history
    assert session.json("local", "status")["state"] == "up"


def test_ctrl_c_in_a_drill_on_a_kept_platform_rolls_the_cluster_back(session: Session) -> None:
    process = session.start("drill", "run", "bad-release")
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if line.startswith("✓ release"):
            break
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    process.stdout.read()
    assert process.wait(timeout=180) == 130
    process.stderr.close()
    process.stdout.close()
    assert serving(session) == "fraud=1"
    assert session.json("local", "status")["state"] == "up"


def test_a_run_killed_between_intent_and_result_is_resumed_and_changes_the_world_once(
    session: Session,
) -> None:
    session.kubectl("-n", "ml", "rollout", "status", "deploy/fraud", "--timeout=150s")
    ship_bad_release(session)
    before = int(session.json("status")["workloads"][0]["revision"])
    killed = session.run(
        "runbook", "run", "high-error-rate", "NAMESPACE=ml", "DEPLOY=fraud", "WINDOW=10s",
        f"TO_REVISION={before - 1}", "--yes",
        extra={"MAESTRO_CRASH_AT": "change.after-call"},
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    (run,) = [
        one
        for one in session.json("runbook", "history")["items"]
        if one["status"] in ("running", "interrupted")
    ]
    resumed = session.run("runbook", "resume", run["id"], "--yes", "-o", "json", timeout=240)
    assert resumed.returncode == 0, resumed.stderr + resumed.stdout
    assert serving(session) == "fraud=1"
    assert int(session.json("status")["workloads"][0]["revision"]) == before + 1
    changes = session.json("journal", "show", "--kind", "change.")["items"]
    key = f"run/{run['id']}/rollback"
    (planned,) = [
        event for event in changes if event["kind"] == "change.planned" and event["data"]["key"] == key
    ]
    own = [event["kind"] for event in changes if event["subject"] == planned["subject"]]
    assert own.count("change.applied") == 1
    assert own[-1] == "change.verified"
    assert session.run("journal", "verify").returncode == 0


def test_a_rollback_is_rehearsed_refused_read_only_and_never_for_want_of_a_target(session: Session) -> None:
    other = int(session.json("status")["workloads"][0]["revision"]) - 1
    to_other = ("ml/deploy/fraud", "--to-revision", str(other))
    rehearsed = session.run("rollback", *to_other, "--dry-run", "-o", "json")
    assert rehearsed.returncode == 0, rehearsed.stderr
    plan = json.loads(rehearsed.stdout)
    assert plan["dry_run"]
    assert plan["plan"]["blast"]["replicas_now"] == 3
    assert serving(session) == "fraud=1"
    assert session.run("--read-only", "rollback", *to_other, "--yes").returncode == 20
    assert session.run("rollback", "ml/deploy/nothing", "--yes").returncode == 6
    assert session.run("rollback", *to_other).returncode == 11
    assert serving(session) == "fraud=1"


def test_kill_9_of_the_supervisor_then_down_leaves_nothing(session: Session) -> None:
    session.kill_supervisor()
    assert session.json("local", "status")["state"] == "abandoned"
    assert session.run("local", "down").returncode == 0
    assert session.survivors() == []
    assert session.run("local", "down").returncode == 0
