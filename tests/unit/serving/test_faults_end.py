"""Faults end whole: whoever waits in one is let go, and nothing of it goes on."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.serving.faults.encounter import Fault
from maestro_cli.serving.faults.journal import read_journal
from tests.unit.serving.drilled import Client, Drilled


@pytest.fixture
def server(tmp_path: Path) -> Drilled:
    return Drilled(tmp_path / "faults.jsonl")


async def in_flight(client: Client, fault: Fault) -> asyncio.Task[httpx.Response]:
    """A request that the fault has met and holds."""
    waiting = asyncio.ensure_future(client.infer())
    async with asyncio.timeout(60):
        while not fault.hits:
            await asyncio.sleep(0)
    return waiting


@pytest.mark.parametrize(
    ("kind", "stages"),
    [("latency", ["parse", "features", "route", "infer", "encode"]), ("dependency", [None])],
)
def test_kill_all_lets_go_of_who_waits_and_nothing_that_ended_happens_to_them(
    server: Drilled, kind: str, stages: list[str | None]
) -> None:
    async def scenario(client: Client) -> None:
        for stage in stages:
            at = {} if stage is None else {"at": stage}
            fault = await client.order(kind, {"milliseconds": 60_000, **at})
            after = await client.order("error", at)
            waiting = await in_flight(client, fault)
            await client.http.delete("/v2/faults")
            assert (await asyncio.wait_for(waiting, 20)).status_code == 200
            assert after.hits == 0

    server.run(scenario)


def test_a_crash_that_ended_before_it_struck_is_none(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("latency", {"milliseconds": 60_000})
        await client.order("crash")
        waiting = await in_flight(client, fault)
        client.injector.end_all("kill-all")
        assert (await asyncio.wait_for(waiting, 20)).status_code == 200

    server.run(scenario)


def test_a_probe_that_waits_in_a_fault_is_let_go_when_it_ends(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        health = {"health": True}
        fault = await client.order("latency", {"milliseconds": 60_000}, scope=health)
        error = await client.order("error", scope=health)
        waiting = asyncio.ensure_future(client.http.get("/v2/health/live"))
        async with asyncio.timeout(60):
            while not fault.hits:
                await asyncio.sleep(0)
        await client.http.delete("/v2/faults")
        assert (await asyncio.wait_for(waiting, 20)).status_code == 200
        assert error.hits == 0

    server.run(scenario)


@pytest.mark.parametrize("stage", ["parse", "features", "route", "infer", "encode"])
def test_no_stage_holds_a_request_beyond_its_deadline(tmp_path: Path, stage: str) -> None:
    async def scenario(client: Client) -> None:
        await client.order("latency", {"milliseconds": 60_000, "at": stage})
        assert (await asyncio.wait_for(client.infer(), 20)).status_code == 504

    Drilled(tmp_path / "journal", "--timeout-seconds", "0.05").run(scenario)


def test_a_drain_is_slow_only_while_its_fault_is_on(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        faults = [await client.order("slow-drain", {"drain_seconds": 300}) for _ in range(2)]
        draining = asyncio.ensure_future(client.injector.slow_drain())
        async with asyncio.timeout(60):
            while not faults[0].hits:
                await asyncio.sleep(0)
        assert not draining.done()
        client.injector.end_all("kill-all")
        await asyncio.wait_for(draining, 20)
        assert faults[1].hits == 0

    server.run(scenario)


def test_processes_that_cannot_all_be_started_leave_none(
    server: Drilled, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        if len(started) == 2:
            raise OSError(11, "Resource temporarily unavailable")
        started.append(real(*arguments, **options))
        return started[-1]

    async def scenario(client: Client) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", popen)
            body = {"kind": "cpu", "seconds": 60, "parameters": {"processes": 3}}
            answer = await client.http.post("/v2/faults", json=body)
        assert answer.status_code == 503
        assert client.injector.active == []
        assert [child.returncode for child in started] == [-9, -9]

    server.run(scenario)
    assert [record.ended_because for record in read_journal(server.journal)] == ["failed"]


def test_faults_of_one_kind_take_no_more_together_than_one_may(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        await client.order("memory", {"mebibytes_per_second": 1, "ceiling_mebibytes": 1000})
        body = {"kind": "memory", "seconds": 5, "parameters": {"ceiling_mebibytes": 25}}
        refused = await client.http.post("/v2/faults", json=body)
        assert (refused.status_code, "at most 1024" in refused.json()["error"]) == (429, True)
        await client.order("memory", {"mebibytes_per_second": 1, "ceiling_mebibytes": 24})

    server.run(scenario)


def test_what_the_end_of_a_drain_gives_up_is_answered_counted_and_told(server: Drilled) -> None:
    """uvicorn cancels it, and would say so in plain text."""

    async def scenario(client: Client) -> None:
        fault = await client.order("hang", scope={"admin": True})
        asked = [asyncio.ensure_future(client.infer()), asyncio.ensure_future(client.http.get("/v2/models"))]
        while fault.hits < len(asked):
            await asyncio.sleep(0)
        server.application.replica.draining = True
        for one in asked:
            one.cancel()
        for one in asked:
            answer = await one
            assert (answer.status_code, answer.headers["connection"]) == (503, "close")
            assert answer.json() == {"error": "the server ends, and this was not answered in time"}

    server.run(scenario)
    assert 'code="503",model="fraud"' in server.page()
    assert [line["message"] for line in server.lines].count("inference failed") == 2
