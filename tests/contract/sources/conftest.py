"""Real systems for the sources: Prometheus, Alertmanager, the light cluster API, the model server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import ClusterEndpoint, Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.local.process import read_announcement
from maestro_cli.local.programs import find_programs
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.webhook_receiver import WebhookReceiver, basic

ROOT = Path(__file__).resolve().parents[3]
WEBHOOK_TOKEN = "contract-token"


def until(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Wait until the condition gives something true, and give that back."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.02)
    return value


@contextmanager
def process(command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child process, its output in a file, ended whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{Path(command[0]).name}.log").open("ab") as log:
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _is_up_or_over(child: subprocess.Popen[bytes], url: str) -> bool:
    return child.poll() is not None or is_ready(f"{url}/-/ready")


@contextmanager
def listening(command: Callable[[int], Sequence[str]], folder: Path) -> Iterator[str]:
    """The URL of a Prometheus or Alertmanager; it is started again when its port was taken meanwhile."""
    for _ in range(5):
        port = free_port()
        with process(command(port), folder) as child:
            url = f"http://127.0.0.1:{port}"
            until(partial(_is_up_or_over, child, url))
            if child.poll() is None:
                yield url
                return
    raise AssertionError("\n".join(log.read_text()[-3000:] for log in folder.glob("*.log")))


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def alertmanager_program() -> str:
    try:
        return find_programs(os.environ).alertmanager
    except Unreachable as missing:
        pytest.skip(missing.what)


RULES = {
    "groups": [
        {
            "name": "test",
            "interval": "1s",
            "rules": [
                {
                    "alert": "AlwaysFiring",
                    "expr": "vector(1)",
                    "labels": {"severity": "page", "hostile": "\x1b[31m{{ $value }}"},
                    "annotations": {"summary": "<b>always</b>"},
                },
                {"alert": "AlwaysPending", "expr": "vector(1)", "for": "1h"},
            ],
        }
    ]
}


@pytest.fixture(scope="session")
def prometheus_endpoint(
    tmp_path_factory: pytest.TempPathFactory, alertmanager: RunningAlertmanager
) -> Iterator[Endpoint]:
    """A Prometheus that sends its alerts to the Alertmanager."""
    receiver = alertmanager.endpoint.url.removeprefix("http://")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules.json").write_text(json.dumps(RULES), encoding="utf-8")

    def command(port: int) -> list[str]:
        targets = [f"127.0.0.1:{port}", "127.0.0.1:1"]
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "external_labels": {"zone": "1", "severity": "of the rule", "cluster": "x: #'é"},
            },
            "scrape_configs": [{"job_name": "self", "static_configs": [{"targets": targets}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [receiver]}]}]},
            "rule_files": [str(folder / "rules.json")],
        }
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return [
            program("prometheus"),
            f"--config.file={folder / 'config.json'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

    with listening(command, folder) as url:
        yield Endpoint(url)


@dataclass
class RunningAlertmanager:
    endpoint: Endpoint
    received: list[Any]
    cut_short: list[Any]  # what came with basic authentication, one alert a message

    def post(self, *alerts: dict[str, Any]) -> None:
        answer = httpx.post(f"{self.endpoint.url}/api/v2/alerts", json=list(alerts), trust_env=False)
        assert answer.status_code == 200, answer.text

    def silence(self, name: str, value: str) -> None:
        body = {
            "matchers": [{"name": name, "value": value, "isRegex": False}],
            "startsAt": "2020-01-01T00:00:00Z",
            "endsAt": "2099-01-01T00:00:00Z",
            "createdBy": "test",
            "comment": "test",
        }
        answer = httpx.post(f"{self.endpoint.url}/api/v2/silences", json=body, trust_env=False)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="session")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAlertmanager]:
    """An Alertmanager that delivers to a real receiver."""
    folder, received, cut_short = tmp_path_factory.mktemp("alertmanager"), list[Any](), list[Any]()
    with (
        WebhookReceiver(WEBHOOK_TOKEN, received.append) as receiver,
        WebhookReceiver([basic("ops", WEBHOOK_TOKEN)], cut_short.append) as other,
    ):
        shorter = {
            "url": other.url,
            "max_alerts": 1,
            "http_config": {"basic_auth": {"username": "ops", "password": WEBHOOK_TOKEN}},
        }
        webhook = {
            "url": receiver.url,
            "http_config": {"authorization": {"type": "Bearer", "credentials": WEBHOOK_TOKEN}},
        }
        config = {
            "route": {
                "receiver": "maestro",
                "group_by": ["alertname"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "maestro", "webhook_configs": [webhook, shorter]}],
            "inhibit_rules": [
                {"source_matchers": ["role=source"], "target_matchers": ["role=target"], "equal": []}
            ],
        }
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

        def command(port: int) -> list[str]:
            return [
                alertmanager_program(),
                f"--config.file={folder / 'config.json'}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ]

        with listening(command, folder) as url:
            yield RunningAlertmanager(Endpoint(url), received, cut_short)


@dataclass(frozen=True)
class RunningCluster:
    """The light cluster API with its controllers, but no kubelet: pods stay pending."""

    state: Path

    def endpoint(self, identity: str = "admin") -> ClusterEndpoint:
        return ClusterEndpoint(str(self.state / f"{identity}.kubeconfig"))

    @contextmanager
    def as_user(self, identity: str = "admin") -> Iterator[KubeCluster]:
        source = KubeCluster(self.endpoint(identity))
        try:
            yield source
        finally:
            source.close()

    def kubectl(self, *arguments: str, stdin: Any = None) -> str:
        environment = {**os.environ, "KUBECACHEDIR": str(self.state / "kubecache")}
        done = subprocess.run(
            [f"{sys.prefix}/bin/kubectl", f"--kubeconfig={self.state / 'admin.kubeconfig'}", *arguments],
            input=None if stdin is None else json.dumps(stdin),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    state = tmp_path_factory.mktemp("cluster")
    module = [sys.executable, "-m"]
    with process([*module, "maestro_cli.local.cluster", "--state", str(state)], state / "logs"):
        until(lambda: read_announcement(state, "cluster"))
        kubeconfig = str(state / "admin.kubeconfig")
        controllers = ["maestro_cli.local.controllers", "--state", str(state), "--kubeconfig", kubeconfig]
        with process([*module, *controllers], state / "logs"):
            cluster = RunningCluster(state)
            cluster.kubectl("create", "-f", "-", "--validate=false", stdin=_objects())
            yield cluster


def _objects() -> dict[str, Any]:
    labels = {"app": "fraud"}
    container = {"name": "server", "image": "maestro.local/model-server:1"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "fraud", "namespace": "ml", "annotations": {"keep/me": "yes"}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "fraud", "namespace": "ml"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}},
    }
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-a", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}
    return {"apiVersion": "v1", "kind": "List", "items": [namespace, node, deployment, budget]}


@pytest.fixture(scope="session")
def serving_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("serving")
    announcement = folder / "announce.json"
    command = [sys.executable, "-m", "maestro_cli.serving", "--port", "0", "--serve", "fraud=1"]
    options = ["--models", str(ROOT / "deploy" / "models"), "--announce", str(announcement)]
    with process([*command, *options], folder):
        until(announcement.exists)
        facts = json.loads(announcement.read_text(encoding="utf-8"))
        yield Endpoint(f"http://127.0.0.1:{facts['port']}")
