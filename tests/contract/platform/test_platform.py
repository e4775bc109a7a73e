"""The whole platform: up, looked at, used, up again."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from maestro_cli.config.settings import Context
from maestro_cli.config.strict import read_yaml
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import NotFound
from maestro_cli.core.progress import Quiet
from maestro_cli.local.platform import EmbeddedPlatform

pytestmark = pytest.mark.e2e
Running = tuple[EmbeddedPlatform, Path]
LIMIT_SECONDS = 90.0


def _until(condition: Callable[[], bool]) -> None:
    pause = Cancellation()
    for _ in range(int(LIMIT_SECONDS / 0.1)):
        if condition():
            return
        pause.wait(0.1)
    raise AssertionError("the condition did not come true")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def _value(prometheus: str, query: str) -> float | None:
    found = _get(f"{prometheus}/api/v1/query?query={quote(query)}")["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def test_every_part_is_ready(running: Running) -> None:
    status = running[0].status()
    assert status.state == "up"
    assert {part.name: part.state for part in status.parts if part.state != "ready"} == {}
    assert all(part.pid and part.memory_bytes and part.uptime_seconds for part in status.parts)
    assert all(part.restarts == 0 for part in status.parts)
    assert {"cluster", "prometheus", "alertmanager", "serving", "load"} <= status.endpoints.keys()


def test_the_context_is_one_that_settings_understand(running: Running) -> None:
    platform, state = running
    context = read_yaml(state / "context.json").decode(Context)
    endpoints = platform.status().endpoints
    assert context.prometheus is not None
    assert context.serving is not None
    assert context.cluster is not None
    assert context.prometheus.url == endpoints["prometheus"]
    assert context.serving.url == endpoints["serving"]
    assert context.cluster.kubeconfig == str(platform.kubeconfig())
    assert context.costs.hourly_rate == 100


def test_prometheus_sees_pods_cluster_and_load(running: Running) -> None:
    prometheus = running[0].status().endpoints["prometheus"]
    _until(lambda: _value(prometheus, 'sum(up{job="pods"})') == 3)
    _until(lambda: _value(prometheus, 'sum(up{job=~"cluster|load"})') == 2)
    _until(lambda: (_value(prometheus, "sum(rate(maestro_load_requests_total[5s]))") or 0) > 20)
    _until(lambda: _value(prometheus, 'sum(kube_deployment_spec_replicas{deployment="fraud"})') == 3)
    objective = 'slo:error_ratio:rate5s{objective="fraud-availability"}'
    _until(lambda: _value(prometheus, objective) == 0)
    pods = "count(sum by (pod) (rate(maestro_inference_requests_total[10s])) > 1)"
    _until(lambda: _value(prometheus, pods) == 3)  # the load reaches every replica


def test_prometheus_knows_alertmanager_and_the_rules(running: Running) -> None:
    endpoints = running[0].status().endpoints
    known = _get(f"{endpoints['prometheus']}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    assert [entry["url"] for entry in known] == [f"{endpoints['alertmanager']}/api/v2/alerts"]
    groups = _get(f"{endpoints['prometheus']}/api/v1/rules")["data"]["groups"]
    assert {group["name"] for group in groups} >= {"slo-fraud-availability", "slo-fraud-latency"}


def test_stock_kubectl_works_with_the_kubeconfig(running: Running, tmp_path: Path) -> None:
    kubectl = Path(sys.executable).with_name("kubectl")
    if not kubectl.exists():
        pytest.skip("kubectl is not installed beside Python")
    command = [str(kubectl), "--kubeconfig", str(running[0].kubeconfig()), "-n", "ml"]
    environment = {"KUBECACHEDIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "rollout", "history", "deploy/fraud"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "serve fraud=1" in done.stdout


def test_replicas_are_spread_over_the_zones(running: Running) -> None:
    prometheus = running[0].status().endpoints["prometheus"]
    _until(lambda: _value(prometheus, 'count(count by (node) (kube_pod_info{namespace="ml"}))') == 3)


def test_up_again_says_that_it_is_up(running: Running) -> None:
    platform, _ = running
    before = platform.status()
    again = platform.up(progress=Quiet(), cancellation=Cancellation())
    assert again.already_up
    assert (again.id, again.supervisor_pid) == (before.id, before.supervisor_pid)


def test_logs_of_a_part(running: Running) -> None:
    platform, _ = running
    lines = list(platform.logs("prometheus", tail=5, follow=False, cancellation=Cancellation()))
    assert len(lines) == 5
    for name in ("promethus", "../platform", "/etc/passwd"):
        with pytest.raises(NotFound):
            platform.logs(name, tail=5, follow=False, cancellation=Cancellation())


def test_an_unknown_identity_has_no_kubeconfig(running: Running) -> None:
    with pytest.raises(NotFound, match="nobody"):
        running[0].kubeconfig("nobody")
    assert running[0].kubeconfig("viewer").stat().st_mode & 0o777 == 0o600
