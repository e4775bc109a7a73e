"""Faults go into one ready replica, come out of all, and an answer that is missing is never passed over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.chaos.drills.model import ReplicaFault
from maestro_cli.core.errors import GateNotMet, MaestroError, OutcomeUnknown, Refused, Unreachable
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.sources.serving_faults import PodFaults, ReplicaFaults

FRAUD = WorkloadRef("Deployment", "ml", "fraud")
FAULT = ReplicaFault("latency", {"milliseconds": 800.0}, "fraud", 1, seconds=900.0)


def pod(name: str, *, ready: bool = True, deleting: bool = False) -> Pod:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    return Pod("ml", name, name, "Running", ready, "node-a", f"10.0.0.{name[-1]}", at, deleting, "", {}, ())


class Replicas:
    """Pods whose servers answer as a test says, and what they were asked."""

    def __init__(self, *pods: Pod, journals: tuple[Path, ...] = ()) -> None:
        self.pods = pods
        self.answers: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []
        self.faults = ReplicaFaults(
            lambda ref: self.pods,
            lambda one: f"http://{one.ip}:8080",
            lambda: "mk_chaos_x",
            lambda: journals,
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.get(request.url.host, 200)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"error": "no"})

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.asked]


def test_a_fault_goes_into_the_first_ready_replica_with_its_scope_and_note() -> None:
    replicas = Replicas(
        pod("fraud-3"), pod("fraud-1", ready=False), pod("fraud-0", deleting=True), pod("fraud-2")
    )
    assert replicas.faults.inject(FRAUD, FAULT, "drl-1") == "fraud-2"
    (asked,) = replicas.asked
    assert (asked.method, asked.url.path, asked.headers["x-api-key"]) == ("POST", "/v2/faults", "mk_chaos_x")
    assert json.loads(asked.content) == {
        "kind": "latency",
        "seconds": 900.0,
        "parameters": {"milliseconds": 800.0},
        "scope": {"model": "fraud", "version": 1, "share": 1.0},
        "note": "drl-1",
    }


def test_a_fault_for_everybody_goes_into_every_ready_replica() -> None:
    replicas = Replicas(pod("fraud-3"), pod("fraud-1", ready=False), pod("fraud-2"))
    assert replicas.faults.inject_everywhere(FRAUD, FAULT, "drl-1") == ("fraud-2", "fraud-3")
    assert replicas.hosts == ["10.0.0.2", "10.0.0.3"]


def test_without_a_ready_replica_nothing_is_asked() -> None:
    replicas = Replicas(pod("fraud-1", ready=False))
    with pytest.raises(GateNotMet):
        replicas.faults.inject(FRAUD, FAULT, "drl-1")
    assert replicas.asked == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (404, Refused), (400, Refused), (403, Refused), (401, Refused), (429, Refused), (500, OutcomeUnknown),
        (httpx.ReadTimeout("silent"), OutcomeUnknown), (httpx.ConnectError("gone"), Unreachable),
    ],
)  # fmt: skip
def test_what_was_refused_is_told_from_what_may_be_on(answer: Any, kind: type[MaestroError]) -> None:
    replicas = Replicas(pod("fraud-1"))
    replicas.answers["10.0.0.1"] = answer
    with pytest.raises(kind) as caught:
        replicas.faults.inject(FRAUD, FAULT, "drl-1")
    assert type(caught.value) is kind


def test_every_replica_is_asked_to_end_its_faults() -> None:
    replicas = Replicas(pod("fraud-1"), pod("fraud-2"), pod("fraud-3", deleting=True))
    replicas.answers["10.0.0.3"] = httpx.ConnectError("gone")  # with its faults
    replicas.faults.end_all(FRAUD)
    assert set(replicas.hosts) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert {request.method for request in replicas.asked} == {"DELETE"}
    replicas.answers["10.0.0.1"] = httpx.ConnectError("silent")
    with pytest.raises(Unreachable):
        replicas.faults.end_all(FRAUD)


def test_a_pod_that_was_never_started_has_no_fault_to_end() -> None:
    waiting = replace(pod("fraud-2", ready=False), ip="")
    replicas = Replicas(pod("fraud-1"), waiting)
    replicas.faults.end_all(FRAUD)
    assert replicas.hosts == ["10.0.0.1"]


def test_what_servers_recorded_is_read_also_of_those_that_are_gone(tmp_path: Path) -> None:
    journal = tmp_path / "fraud-9.jsonl"
    began = {
        "schema": "maestro.fault/1", "event": "began", "id": "flt-1", "kind": "latency",
        "began": "2027-01-01T00:00:00Z", "ends": "2027-01-01T00:15:00Z", "parameters": {},
        "scope": {"model": "fraud", "version": 1}, "by": "chaos", "seed": 1, "note": "drl-1",
    }  # fmt: skip
    journal.write_text(json.dumps(began) + "\n", encoding="utf-8")
    (fault,) = Replicas(journals=(journal,)).faults.recorded()
    assert (fault.id, fault.note, fault.ended) == ("flt-1", "drl-1", None)


@pytest.mark.parametrize("body", [b"<html>", b'{"detail": 1}', b"[" * 200_000])
def test_an_answer_that_no_model_server_gives_is_no_model_server(body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    faults = PodFaults(lambda one: f"http://{one.ip}:8080", lambda: "mk_chaos_x", transport=transport)
    with pytest.raises(Unreachable, match="does not answer like"):
        faults.active(pod("fraud-1"))
