"""Faults in a real server process: what ends it, what outlives it (nothing), and what is recorded."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from maestro_cli.serving.faults.journal import FaultRecord, read_journal
from tests.contract.serving.process import GOOD, Server, until

pytestmark = pytest.mark.contract

INFER = "/v2/models/fraud/infer"


def drilled(start: Callable[..., Server], folder: Path, *arguments: str) -> Server:
    (folder / "announce.json").unlink(missing_ok=True)
    journal = str(folder / "faults.jsonl")
    return start("--serve", "fraud=1", "--enable-faults", "--fault-journal", journal, *arguments)


def order(server: Server, kind: str, seconds: float = 120, **members: Any) -> dict[str, Any]:
    answer = server.http.post("/v2/faults", json={"kind": kind, "seconds": seconds, **members})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def records(folder: Path) -> list[FaultRecord]:
    return read_journal(folder / "faults.jsonl")


def children(server: Server) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(server.process.pid).children()
    return found


def test_a_crash_ends_the_process_at_the_first_request_and_is_recorded_first(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = drilled(start, tmp_path)
    order(server, "crash", parameters={"code": 71}, scope={"header": {"name": "x-drill", "value": "1"}})
    assert server.http.post(INFER, json=GOOD).status_code == 200
    with pytest.raises(httpx.HTTPError):
        server.http.post(INFER, json=GOOD, headers={"x-drill": "1"})
    assert server.process.wait(60) == 71
    [record] = records(tmp_path)
    assert (record.kind, record.ended_because, record.hits) == ("crash", "crash", 1)


def test_nothing_outlives_a_server_that_was_killed_and_the_next_one_records_the_end(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = drilled(start, tmp_path)
    order(server, "cpu", parameters={"processes": 2})
    burning = children(server)
    assert len(burning) == 2
    server.process.kill()
    server.process.wait(60)
    until(lambda: not any(child.is_running() and child.status() != "zombie" for child in burning))
    assert [record.ended for record in records(tmp_path)] == [None]
    again = drilled(start, tmp_path)
    assert [record.ended_because for record in records(tmp_path)] == ["process-ended"]
    assert again.http.get("/v2/faults").json()["faults"] == []
    assert again.http.post(INFER, json=GOOD).status_code == 200


def test_cpu_time_is_burnt_beside_the_server_and_stops_at_the_end(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = drilled(start, tmp_path)
    order(server, "cpu", seconds=5)
    [child] = children(server)
    until(lambda: child.cpu_times().user > 0.2)
    until(lambda: not children(server))
    until(lambda: [record.ended_because for record in records(tmp_path)] == ["time"])


def test_memory_is_resident_and_comes_back(start: Callable[..., Server], tmp_path: Path) -> None:
    server = drilled(start, tmp_path)
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    order(server, "memory", parameters={"mebibytes_per_second": 256, "ceiling_mebibytes": 96})
    until(lambda: process.memory_info().rss - before > 90 * 2**20)
    assert server.http.post(INFER, json=GOOD).status_code == 200
    assert server.http.delete("/v2/faults").status_code == 200
    until(lambda: process.memory_info().rss - before < 40 * 2**20)


def test_a_hung_caller_is_answered_when_the_fault_ends_and_health_meanwhile(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = drilled(start, tmp_path)
    fault = order(server, "hang")
    codes: list[int] = []

    def ask() -> None:
        codes.append(httpx.post(server.url + INFER, json=GOOD, timeout=120, trust_env=False).status_code)

    caller = threading.Thread(target=ask)
    caller.start()
    until(lambda: server.http.get("/v2/faults").json()["faults"][0]["hits"] == 1)
    assert server.is_ready()
    assert codes == []
    server.http.delete(f"/v2/faults/{fault['id']}")
    caller.join(90)
    assert codes == [200]


def test_a_slow_drain_takes_its_time_longer_and_serves_meanwhile(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = drilled(start, tmp_path, "--drain-seconds", "0")
    order(server, "slow-drain", parameters={"drain_seconds": 4})
    order(server, "memory", parameters={"ceiling_mebibytes": 512})
    began = time.monotonic()
    server.tell(signal.SIGTERM)
    until(lambda: not server.is_ready())
    assert server.http.post(INFER, json=GOOD).status_code == 200
    assert server.process.wait(60) == 0
    assert time.monotonic() - began >= 4
    assert [record.ended_because for record in records(tmp_path)] == ["stopped", "stopped"]


def test_a_hang_does_not_hold_up_the_end_beyond_the_grace_time(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = drilled(start, tmp_path, "--drain-seconds", "0", "--grace-seconds", "1")
    order(server, "hang")

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(server.url + INFER, json=GOOD, timeout=120, trust_env=False)

    caller = threading.Thread(target=ask)
    caller.start()
    until(lambda: server.http.get("/v2/faults").json()["faults"][0]["hits"] == 1)
    server.tell(signal.SIGTERM)
    assert server.process.wait(60) == 0
    caller.join(90)
    assert [record.ended_because for record in records(tmp_path)] == ["stopped"]


def test_a_journal_that_another_server_writes_is_refused_with_12(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    drilled(start, tmp_path)
    with pytest.raises(AssertionError, match="another server"):
        drilled(start, tmp_path)


def test_the_journal_is_json_lines_for_whoever_scores(start: Callable[..., Server], tmp_path: Path) -> None:
    server = drilled(start, tmp_path)
    fault = order(server, "error", scope={"model": "fraud", "share": 0.5}, seed=3, note="drill 12")
    server.http.delete("/v2/faults")
    lines = [json.loads(line) for line in (tmp_path / "faults.jsonl").read_text().splitlines()]
    assert [(line["event"], line["id"]) for line in lines] == [("began", fault["id"]), ("ended", fault["id"])]
    assert (lines[0]["seed"], lines[0]["note"], lines[0]["by"]) == (
        3, "drill 12", "generated from 127.0.0.1",
    )  # fmt: skip
    assert (lines[0]["scope"]["share"], lines[1]["ended_because"]) == (0.5, "kill-all")
