"""Phases, conditions, back-off and probe hysteresis as pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.local.kubelet.backoff import Backoff, whole_seconds
from maestro_cli.local.kubelet.probes import Tally
from maestro_cli.local.kubelet.record import Record, Started, State, Terminated, Waiting, recall
from maestro_cli.local.kubelet.status import (
    build_status,
    initialized,
    phase_of,
    quality_of_service,
    status_patch,
)
from maestro_cli.local.objects import condition, timestamp

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ended(code: int) -> Terminated:
    return Terminated(code, "Error" if code else "Completed", NOW, NOW)


def record(
    state: State, *, last: Terminated | None = None, sidecar: bool = False, started: bool = False
) -> Record:
    return Record("c", "app:1", sidecar=sidecar, state=state, last=last, started=started)


@pytest.mark.parametrize(
    ("policy", "states", "phase"),
    [
        ("Always", [Waiting()], "Pending"),
        ("Always", [Started(NOW), Waiting()], "Pending"),
        ("Always", [Started(NOW)], "Running"),
        ("Always", [ended(1)], "Running"),
        ("OnFailure", [ended(1)], "Running"),
        ("OnFailure", [ended(0)], "Succeeded"),
        ("Never", [ended(0), ended(0)], "Succeeded"),
        ("Never", [ended(0), ended(1)], "Failed"),
        ("Never", [ended(1), Started(NOW)], "Running"),
    ],
)
def test_phases(policy: str, states: list[State], phase: str) -> None:
    assert phase_of(policy, [], [record(state) for state in states]) == phase


def test_a_crash_loop_is_running_but_a_first_wait_is_pending() -> None:
    waiting = Waiting("CrashLoopBackOff")
    assert phase_of("Always", [], [record(waiting, last=ended(1))]) == "Running"
    assert phase_of("Always", [], [record(waiting)]) == "Pending"


def test_init_containers_hold_the_phase_until_another_has_run() -> None:
    waiting = [record(Waiting("PodInitializing"))]
    assert phase_of("Always", [record(ended(1))], waiting) == "Pending"
    assert phase_of("Never", [record(ended(1))], waiting) == "Failed"
    assert phase_of("Always", [record(Started(NOW), sidecar=True)], waiting) == "Pending"
    running = [record(Started(NOW))]
    assert phase_of("Always", [record(Started(NOW), sidecar=True, started=True)], running) == "Running"
    assert phase_of("Never", [record(ended(0), sidecar=True)], [record(ended(0))]) == "Succeeded"
    lingering = [record(Started(NOW), sidecar=True, started=True)]
    assert phase_of("Never", lingering, [record(ended(0))]) == "Running", "its sidecar has not ended"
    assert phase_of("Never", [*lingering, record(ended(1))], waiting) == "Pending"
    assert initialized([record(ended(0), sidecar=True)], running), "a sidecar that ended was initialized"
    assert not initialized([record(ended(1))], waiting)


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}, "status": status}


def status_of(made: dict[str, Any], one: Record, at: datetime = NOW) -> dict[str, Any]:
    return build_status(made, [], [one], pod_ip="10.244.1.2", host_ip="127.0.0.1", now=at)


def test_unready_containers_are_named() -> None:
    status = status_of(pod(), record(Started(NOW)))
    found = condition({"status": status}, "Ready")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "ContainersNotReady")
    assert found["message"] == "containers with unready status: [c]"


def test_transition_times_move_with_the_status_only() -> None:
    one = record(Started(NOW))
    first = status_of(pod(), one)
    again = status_of(pod(**first), one, NOW + timedelta(minutes=1))
    assert again == first
    one.ready = True
    ready = condition({"status": status_of(pod(**first), one, NOW + timedelta(minutes=2))}, "Ready")
    assert ready is not None
    assert ready["lastTransitionTime"] == timestamp(NOW + timedelta(minutes=2))


def test_conditions_of_others_stay_and_gates_are_asked() -> None:
    made = pod(
        conditions=[{"type": "gate", "status": "False"}, {"type": "DisruptionTarget", "status": "True"}]
    )
    made["spec"]["readinessGates"] = [{"conditionType": "gate"}]
    one = record(Started(NOW))
    one.ready = True
    status = status_of(made, one)
    assert {"gate", "DisruptionTarget"} <= {entry["type"] for entry in status["conditions"]}
    ready = condition({"status": status}, "Ready")
    assert ready is not None
    assert ready["reason"] == "ReadinessGatesNotReady"


def test_a_patch_says_what_changed_and_no_more() -> None:
    old = {"phase": "Pending", "reason": "x", "podIP": "1"}
    assert status_patch(old, {"phase": "Running", "podIP": "1"}) == {"phase": "Running", "reason": None}
    assert status_patch({"podIP": "1"}, {"podIP": "1"}) == {}


def test_a_patch_leaves_the_conditions_of_others_and_drops_old_words() -> None:
    before = {"type": "Ready", "status": "False", "reason": "ContainersNotReady"}
    others = {"type": "DisruptionTarget", "status": "True"}
    after = {"type": "Ready", "status": "True"}
    patch = status_patch({"conditions": [before, others]}, {"conditions": [after, others]})
    assert patch == {"conditions": [{"type": "Ready", "status": "True", "reason": None}]}


def test_a_new_address_replaces_the_old_one() -> None:
    patch = status_patch({"podIPs": [{"ip": "1"}]}, {"podIPs": [{"ip": "2"}]})
    assert patch == {"podIPs": [{"ip": "2"}, {"ip": "1", "$patch": "delete"}]}


def test_a_pod_has_no_address_before_its_volumes() -> None:
    status = build_status(
        pod(), [], [record(Waiting())], pod_ip="10.244.1.2", host_ip="", now=NOW, has_network=False
    )
    assert "podIP" not in status
    found = condition({"status": status}, "PodReadyToStartContainers")
    assert found is not None
    assert found["status"] == "False"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: dict[str, Any], expected: str) -> None:
    made = pod()
    made["spec"]["containers"][0]["resources"] = resources
    assert quality_of_service(made) == expected


def test_what_ran_when_the_node_died_counts_as_killed() -> None:
    spec = {"name": "c", "image": "app:1"}
    told = {"restartCount": 4, "state": {"running": {"startedAt": timestamp(NOW)}}, "lastState": {}}
    found = recall(spec, told, NOW)
    assert isinstance(found.state, Terminated)
    assert (found.state.exit_code, found.restarts) == (137, 4)
    assert isinstance(recall(spec, None, NOW).state, Waiting)


def test_backoff_doubles_from_its_start_to_its_end_and_forgets() -> None:
    backoff = Backoff(10, 300, 600)
    assert [backoff.after_exit(1) for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]
    assert backoff.after_exit(599) == 300
    assert backoff.after_exit(600) == 0
    assert backoff.after_exit(1) == 10


@pytest.mark.parametrize(("seconds", "text"), [(10, "10s"), (0.5, "0.5s"), (80, "1m20s"), (300, "5m0s")])
def test_durations_are_written_as_kubernetes_does(seconds: float, text: str) -> None:
    assert whole_seconds(seconds) == text


def test_hysteresis_needs_a_row() -> None:
    tally = Tally(True, failures_needed=3, successes_needed=2)
    answers = [False, False, True, False, False, False, True, False, True, True]
    assert [tally.count(ok) for ok in answers] == [True] * 5 + [False] * 4 + [True]
