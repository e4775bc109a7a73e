"""The cells people read: ages, pod states, restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.local.cluster.columns import human_duration
from maestro_cli.local.cluster.defaults import quality_of_service
from maestro_cli.local.cluster.pod_columns import POD, pod_state

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "<invalid>"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (600, "10m"), (7200, "120m"),
        (10800, "3h"), (11100, "3h5m"), (28800, "8h"), (172800, "2d"), (176400, "2d1h"), (691200, "8d"),
        (31536000, "365d"), (63072000, "2y"), (63158400, "2y1d"),
    ],
)  # fmt: skip
def test_ages_as_kubectl_writes_them(seconds: float, told: str) -> None:
    assert human_duration(seconds) == told


def _pod(status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "spec": {"containers": [{"name": "c"}]}, "status": status}


def _container(**state: Any) -> dict[str, Any]:
    return {"name": "c", "ready": False, "restartCount": 2, "state": state}


def _held(**state: Any) -> dict[str, Any]:
    return _pod({"phase": "Running", "containerStatuses": [_container(**state)]})


@pytest.mark.parametrize(
    ("pod", "told"),
    [
        (_pod({"phase": "Pending"}), "Pending"),
        (_held(running={}), "Running"),
        (_held(waiting={"reason": "CrashLoopBackOff"}), "CrashLoopBackOff"),
        (_held(terminated={"exitCode": 3}), "ExitCode:3"),
        (_held(terminated={"signal": 9}), "Signal:9"),
        (_pod({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
        (_pod({"phase": "Running"}, deletionTimestamp="2026-01-01T00:00:00Z"), "Terminating"),
        (_pod({"phase": "Pending", "initContainerStatuses": [_container(running={})]}), "Init:0/0"),
    ],
)
def test_pod_states(pod: dict[str, Any], told: str) -> None:
    assert pod_state(pod, NOW) == told


def test_restarts_tell_when() -> None:
    status = _container(running={})
    status["lastState"] = {"terminated": {"finishedAt": "2026-01-01T11:59:00Z"}}
    restarts = next(column for column in POD if column.name == "Restarts")
    assert restarts.read(_pod({"containerStatuses": [status]}), NOW) == "2 (60s ago)"


def test_quality_of_service() -> None:
    def spec(**resources: Any) -> dict[str, Any]:
        return {"containers": [{"resources": resources}]}

    both = {"cpu": "1", "memory": "1Gi"}
    assert quality_of_service(spec()) == "BestEffort"
    assert quality_of_service(spec(limits=both, requests={"cpu": "1000m", "memory": "1Gi"})) == "Guaranteed"
    assert quality_of_service(spec(requests={"cpu": "1"})) == "Burstable"
