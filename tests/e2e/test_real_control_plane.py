"""The same platform and the same drill on Kubernetes itself, and who may do what on it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.local.kubernetes.build_cache import VARIABLE
from tests.e2e.session import KUBECTL, Session, eventually
from tests.kubernetes_binary import binary_of

pytestmark = [pytest.mark.e2e, pytest.mark.kubernetes]
CONTROL_PLANE = ("etcd", "apiserver", "controller-manager", "scheduler")
LIMIT_SECONDS = 300.0  # a busy machine compiles nothing here, but starts four large programs


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A platform that stays up for the tests of this file."""
    session = Session(tmp_path_factory.mktemp("kubernetes"))
    session.environment[VARIABLE] = binary_of(request.config)
    try:
        up = session.run("local", "up", "--cluster", "kubernetes", "-o", "json", timeout=LIMIT_SECONDS)
        assert up.returncode == 0, up.stderr
        yield session
    finally:
        session.run("local", "down")
        assert session.survivors() == []


def kubectl(session: Session, identity: str, *words: str) -> subprocess.CompletedProcess[str]:
    config = session.state / "local" / f"{identity}.kubeconfig"
    return subprocess.run(
        [str(KUBECTL), "--kubeconfig", str(config), "-n", "ml", *words],
        capture_output=True, text=True, check=False, timeout=120, env=session.environment,
    )  # fmt: skip


def part(session: Session, name: str) -> dict[str, Any]:
    parts = session.json("local", "status")["parts"]
    return next(dict(part) for part in parts if part["name"] == name)


def test_it_is_kubernetes_with_three_nodes_in_three_zones(session: Session) -> None:
    assert {part(session, name)["state"] for name in CONTROL_PLANE} == {"ready"}
    assert session.json("local", "status")["cluster"] == "kubernetes"
    version = json.loads(session.kubectl("version", "-o", "json"))["serverVersion"]
    assert version["gitVersion"].startswith("v1.")
    assert "maestro" not in version["gitVersion"]
    nodes = json.loads(session.kubectl("get", "nodes", "-o", "json"))["items"]
    zones = {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes}
    assert zones == {"zone-a", "zone-b", "zone-c"}
    assert "serving" in session.kubectl("-n", "ml", "logs", "deploy/fraud", "--tail=5")


def test_the_drill_passes_unchanged_while_kubectl_watches(session: Session) -> None:
    config = session.run("local", "kubeconfig", "--as", "viewer").stdout.strip()
    watch = subprocess.Popen(
        [str(KUBECTL), "--kubeconfig", config, "-n", "ml", "get", "deploy", "fraud", "-w", "-o", "json"],
        stdout=subprocess.PIPE, text=True, env=session.environment,
    )  # fmt: skip
    try:
        result = session.run("drill", "run", "bad-release", "-o", "json", timeout=LIMIT_SECONDS)
    finally:
        watch.terminate()
        seen, _ = watch.communicate(timeout=60)
    assert result.returncode == 0, result.stderr + result.stdout
    card = json.loads(result.stdout)
    assert card["passed"]
    assert card["blamed"] == card["true_cause"]
    assert card["fix"] == "rollback ml/deploy/fraud"
    assert "fraud=2" in seen
    history = session.kubectl("-n", "ml", "rollout", "history", "deploy/fraud")
    assert "maestro rollback to revision" in history


@pytest.mark.parametrize(
    ("identity", "words", "allowed"),
    [
        ("viewer", ("get", "pods,deploy,nodes"), True),
        ("viewer", ("get", "secrets"), False),
        ("viewer", ("scale", "deploy/fraud", "--replicas=1"), False),
        ("viewer", ("delete", "pod", "--all"), False),
        ("oncall", ("label", "deploy/fraud", "a=b", "--dry-run=server"), True),
        ("oncall", ("get", "secrets"), True),
        ("oncall", ("create", "secret", "generic", "x", "--dry-run=server"), False),
        ("oncall", ("create", "token", "default"), False),
        ("oncall", ("cordon", "node-a", "--dry-run=server"), True),
        ("oncall", ("delete", "node", "node-a", "--dry-run=server"), False),
        ("oncall", ("delete", "namespace", "ml", "--dry-run=server"), False),
        ("admin", ("create", "clusterrole", "x", "--verb=get", "--resource=pods", "--dry-run=server"), True),
        (
            "oncall",
            ("create", "clusterrole", "x", "--verb=get", "--resource=pods", "--dry-run=server"),
            False,
        ),
        ("kubelet", ("get", "configmaps"), True),
        ("kubelet", ("scale", "deploy/fraud", "--replicas=1", "--dry-run=server"), False),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_each_identity_may_what_it_should(
    session: Session, identity: str, words: tuple[str, ...], allowed: bool
) -> None:
    done = kubectl(session, identity, *words)
    assert (done.returncode == 0) is allowed, done.stdout + done.stderr
    if not allowed:
        assert "forbidden" in done.stderr.lower()


def test_the_audit_log_says_who_and_keeps_secrets_out(session: Session) -> None:
    secret = ("create", "secret", "generic", "hidden", "--from-literal=word=unheard-of")
    assert kubectl(session, "admin", *secret).returncode == 0
    lines = session.run("local", "logs", "audit", "--tail", "2000").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    made = [event for event in events if event.get("objectRef", {}).get("name") == "hidden"]
    assert [(event["user"]["username"], event["verb"]) for event in made] == [("admin", "create")]
    assert {event["level"] for event in events} == {"Metadata"}
    assert not any("unheard-of" in line for line in lines)
    assert all("requestObject" not in event and "responseObject" not in event for event in events)


def is_answered(url: str, pki: Path, ca: str, pair: str) -> bool:
    """Whether an HTTPS server answers 200 to who shows this certificate (none when empty)."""
    tls = ssl.create_default_context(cafile=pki / f"{ca}.crt")
    if pair:
        tls.load_cert_chain(pki / f"{pair}.crt", pki / f"{pair}.key")
    try:
        with urllib.request.urlopen(url, context=tls, timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_nobody_without_the_certificate_reads_the_store_or_a_kubelet(session: Session) -> None:
    pki = session.state / "local" / "pki"
    node = json.loads(session.kubectl("get", "node", "node-a", "-o", "json"))
    kubelet = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    for port, path, ca, pair in (
        (part(session, "etcd")["port"], "/version", "etcd-ca", "etcd"),
        (kubelet, "/pods", "ca", "kubelet-client"),
    ):
        url = f"https://127.0.0.1:{port}{path}"
        answered = {one for one in ("etcd", "kubelet-client", "server", "") if is_answered(url, pki, ca, one)}
        assert answered == {pair}


def test_another_cluster_is_refused_while_this_one_is_up(session: Session) -> None:
    for command in (("local", "up"), ("drill", "run", "bad-release")):
        refused = session.run(*command, "--cluster", "lite")
        assert refused.returncode == 75
        assert "--cluster kubernetes, not lite" in refused.stderr
    assert session.json("local", "status")["state"] == "up"


@pytest.mark.parametrize("name", CONTROL_PLANE)
def test_a_part_that_is_killed_comes_back_and_loses_nothing(session: Session, name: str) -> None:
    before = part(session, name)
    uid = session.kubectl("-n", "ml", "get", "deploy", "fraud", "-o", "jsonpath={.metadata.uid}")
    os.kill(before["pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = part(session, name)
        return bool(now["state"] == "ready" and now["pid"] != before["pid"])

    def is_same() -> bool:
        found = kubectl(session, "admin", "get", "deploy", "fraud", "-o", "jsonpath={.metadata.uid}")
        return found.stdout == uid

    eventually(is_back, LIMIT_SECONDS)
    eventually(is_same, LIMIT_SECONDS)
    assert part(session, name)["restarts"] == before["restarts"] + 1


def test_after_kill_9_of_the_supervisor_down_leaves_nothing_and_up_works_again(session: Session) -> None:
    session.kill_supervisor()
    eventually(lambda: session.survivors() == [], LIMIT_SECONDS)
    assert session.run("local", "down").returncode == 0
    assert session.survivors() == []
    local = session.state / "local"
    left = {path.name for path in local.iterdir()}
    assert left <= {"logs", "platform.lock"}
    again = session.run("local", "up", "--cluster", "kubernetes", timeout=LIMIT_SECONDS)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("seen", ["logs/etcd.log", "logs/apiserver.log", "admin.kubeconfig"])
def test_ctrl_c_while_it_starts_leaves_nothing(
    tmp_path: Path, request: pytest.FixtureRequest, seen: str
) -> None:
    session = Session(tmp_path)
    session.environment[VARIABLE] = binary_of(request.config)
    process = session.start("local", "up", "--cluster", "kubernetes")
    eventually((session.state / "local" / seen).exists, LIMIT_SECONDS)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 130, error
    assert session.survivors() == []
