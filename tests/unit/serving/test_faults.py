"""Each kind of fault does what it says, within its scope, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.serving import options
from maestro_cli.serving.faults.effects import Balloon, CpuBurn
from maestro_cli.serving.faults.journal import read_journal
from maestro_cli.serving.faults.model import MAX_ACTIVE
from tests.unit.serving.drilled import Client, Drilled
from tests.unit.serving.served import FEATURES, MODELS

INFER = "/v2/models/fraud/infer"
DRILL = {"header": {"name": "X-Drill", "value": "on"}}
OTHER = [24.0, 9000.0, 1.0, 2.0, 1.0, 0.0, 1.0, 1.0, 2.0]


@pytest.fixture
def server(tmp_path: Path) -> Drilled:
    return Drilled(tmp_path / "faults.jsonl")


def test_without_the_option_there_is_no_such_route_and_nothing_is_loaded() -> None:
    code = (
        "import sys; from tests.unit.serving.served import Served, request; s = Served(); s.infer(request());"
        "print(s.get('/v2/faults').status_code, s.post('/v2/faults').status_code);"
        "print(s.get('/v2').json()['extensions']);"
        "print([name for name in sys.modules if '.faults' in name])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[0] == "404 404"
    assert "maestro_chaos" not in found.stdout
    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("stage", ["parse", "features", "route", "infer", "encode"])
def test_latency_delays_its_stage_and_is_seen_there(server: Drilled, stage: str) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("latency", {"milliseconds": 80, "jitter_milliseconds": 5, "at": stage})
        began = time.perf_counter()
        assert (await client.infer()).status_code == 200
        assert time.perf_counter() - began >= 0.079
        assert fault.hits == 1

    server.run(scenario)
    if stage in ("features", "infer", "encode"):
        [line] = [one for one in server.page().splitlines() if f'_sum{{model="fraud",stage="{stage}"' in one]
        assert float(line.split()[-1]) >= 0.079


def test_latency_beyond_the_deadline_is_a_504(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await client.order("latency", {"milliseconds": 60_000})
        assert (await client.infer()).status_code == 504

    Drilled(tmp_path / "journal", "--timeout-seconds", "0.05").run(scenario)


@pytest.mark.parametrize("stage", ["parse", "features", "route", "infer", "encode"])
def test_errors_have_their_status_and_text_and_count_as_the_servers(server: Drilled, stage: str) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("error", {"status": 502, "text": "boom", "at": stage})
        answer = await client.infer()
        assert (answer.status_code, answer.json()) == (502, {"error": "boom"})
        await client.end(fault)
        assert (await client.infer()).status_code == 200

    server.run(scenario)


@pytest.mark.parametrize(
    ("scope", "met", "spared"),
    [
        (DRILL, {"headers": {"x-drill": "on"}}, {}),
        (DRILL, {"headers": {"x-drill": "on"}}, {"headers": {"x-drill": "off"}}),
        ({"model": "fraud", "version": 2}, {"version": "2"}, {"version": "1"}),
        ({"model": "fraud", "version": 2}, {}, {"version": "1"}),
    ],
)  # fmt: skip
def test_only_what_is_in_scope_is_met(tmp_path: Path, scope: Any, met: Any, spared: Any) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("error", scope=scope)
        assert (await client.infer(**spared)).status_code == 200
        assert fault.hits == 0
        assert (await client.infer(**met)).status_code == 500
        assert fault.hits == 1

    Drilled(tmp_path / "journal", "--serve", "fraud=2").run(scenario)


def test_a_share_is_drawn_by_decision_and_seed(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("error", scope={"share": 0.3}, seed=7)
        for _ in range(200):
            answer = await client.infer()
            drawn = fault.draws(answer.headers["x-maestro-decision"]) < 0.3
            assert answer.status_code == (500 if drawn else 200)
        assert 25 <= fault.hits <= 100

    server.run(scenario)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"mode": "invert"}, lambda score, flagged: (1 - score, 1 - flagged)),
        ({"mode": "scale", "factor": 10}, lambda score, flagged: (10 * score, flagged)),
    ],
)
def test_wrong_answers_are_plausible_wrong_and_gone_with_the_fault(
    server: Drilled, parameters: Any, expected: Any
) -> None:
    async def scenario(client: Client) -> None:
        right = await client.outputs()
        fault = await client.order("wrong-answer", parameters)
        wrong = await client.outputs()
        given = expected(right["score"][0], right["flagged"][0])
        assert (wrong["score"][0], wrong["flagged"][0]) == pytest.approx(given)
        await client.end(fault)
        assert await client.outputs() == right  # the cache of answers has not kept the wrong one

    server.run(scenario)


def test_frozen_answers_are_the_first_one_for_everybody(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        first, second = await client.outputs(), await client.outputs(OTHER)
        assert first["score"] != second["score"]
        await client.order("wrong-answer", {"mode": "frozen"})
        assert await client.outputs() == first
        assert await client.outputs(OTHER) == first

    server.run(scenario)


def test_stale_features_answer_everybody_for_the_first(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        first, second = await client.outputs(), await client.outputs(OTHER)
        fault = await client.order("stale-features")
        assert await client.outputs() == first
        assert await client.outputs(OTHER) == first
        await client.end(fault)
        assert await client.outputs(OTHER) == second

    server.run(scenario)


def test_swapped_features_answer_for_two_columns_exchanged(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        swapped = [FEATURES[1], FEATURES[0], *FEATURES[2:]]
        expected = await client.outputs(swapped)
        assert expected != await client.outputs()
        fault = await client.order("swapped-features", {"first": 0, "second": 1})
        assert await client.outputs() == expected
        assert fault.hits == 1

    server.run(scenario)


def test_a_dependency_that_does_not_answer_is_a_503(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        await client.order("dependency", {"milliseconds": 1})
        answer = await client.infer()
        assert answer.status_code == 503
        assert "store does not answer" in answer.json()["error"]

    server.run(scenario)


def test_a_hang_answers_nobody_until_it_ends_and_health_all_the_while(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("hang")
        waiting = asyncio.ensure_future(client.infer())
        while not fault.hits:
            await asyncio.sleep(0)
        assert (await client.http.get("/v2/health/ready")).status_code == 200
        assert not waiting.done()
        await client.end(fault)
        assert (await waiting).status_code == 200

    server.run(scenario)


def test_health_and_admin_are_met_only_if_asked_and_faults_never(server: Drilled) -> None:
    async def statuses(client: Client) -> list[int]:
        paths = ("/v2/health/live", "/v2/models", "/v2/faults")
        return [(await client.http.get(path)).status_code for path in paths]

    async def scenario(client: Client) -> None:
        fault = await client.order("error")
        assert await statuses(client) == [200, 200, 200]
        await client.end(fault)
        for scope, expected in (({"health": True}, [500, 200, 200]), ({"admin": True}, [200, 500, 200])):
            fault = await client.order("error", scope=scope)
            assert await statuses(client) == expected
            await client.end(fault)
        fault = await client.order("hang", scope={"health": True})
        waiting = asyncio.ensure_future(client.http.get("/v2/health/live"))
        while not fault.hits:
            await asyncio.sleep(0)
        await client.end(fault)
        assert (await waiting).status_code == 200

    server.run(scenario)


def test_memory_grows_to_its_ceiling_no_further_and_is_given_back(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("memory", {"mebibytes_per_second": 256, "ceiling_mebibytes": 40})
        balloon = fault.effect
        assert isinstance(balloon, Balloon)
        async with asyncio.timeout(60):
            await asyncio.wait({balloon._growing})
        assert balloon.held_bytes == 40 * 2**20
        await client.end(fault)
        assert (balloon.held_bytes, balloon._held) == (0, [])

    server.run(scenario)


def test_cpu_is_burnt_by_children_that_end_with_the_fault(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("cpu", {"processes": 2})
        burn = fault.effect
        assert isinstance(burn, CpuBurn)
        assert [child.poll() for child in burn.children] == [None, None]
        await client.end(fault)
        assert None not in [child.poll() for child in burn.children]

    server.run(scenario)


def test_a_fault_ends_by_itself_and_is_recorded(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("error", seconds=0.05, note="the first drill")
        async with asyncio.timeout(60):
            await fault.over.wait()
        assert (await client.infer()).status_code == 200
        assert client.injector.active == []

    server.run(scenario)
    [record] = read_journal(server.journal)
    assert (record.kind, record.ended_because, record.note) == ("error", "time", "the first drill")
    assert record.ended is not None
    assert (record.ended - record.began).total_seconds() >= 0.05


def test_who_has_no_key_can_see_start_and_end_nothing(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        fault = await client.order("error")
        del client.http.headers["x-api-key"]
        for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("DELETE", f"/{fault.id}")):
            assert (await client.http.request(method, "/v2/faults" + path)).status_code == 401
        assert client.injector.active == [fault]

    server.run(scenario)


def test_kill_all_ends_everything_and_metrics_say_so(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        burn = (await client.order("cpu")).effect
        await client.order("memory", {"ceiling_mebibytes": 2})
        await client.order("error")
        assert 'maestro_fault_active{kind="cpu"} 1.0' in server.page()
        listed = (await client.http.get("/v2/faults")).json()["faults"]
        assert [one["kind"] for one in listed] == ["cpu", "memory", "error"]
        ended = (await client.http.delete("/v2/faults")).json()["ended"]
        assert ended == [one["id"] for one in listed]
        assert isinstance(burn, CpuBurn)
        assert burn.children[0].poll() is not None
        assert (await client.infer()).status_code == 200
        assert (await client.http.get("/v2/faults")).json()["faults"] == []
        assert not [line for line in server.page().splitlines() if "fault_active{" in line and " 1" in line]

    server.run(scenario)
    assert {record.ended_because for record in read_journal(server.journal)} == {"kill-all"}


def test_what_cannot_be_recorded_does_not_happen(server: Drilled, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async def scenario(client: Client) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            refused = await client.http.post("/v2/faults", json={"kind": "error", "seconds": 5})
        assert refused.status_code == 503
        assert client.injector.active == []
        assert (await client.infer()).status_code == 200

    server.run(scenario)


def test_there_is_a_bound_to_how_many_are_on(server: Drilled) -> None:
    async def scenario(client: Client) -> None:
        for _ in range(MAX_ACTIVE):
            await client.order("latency", {"milliseconds": 1})
        answer = await client.http.post("/v2/faults", json={"kind": "error", "seconds": 5})
        assert (answer.status_code, "retry-after" in answer.headers) == (429, True)

    server.run(scenario)


@pytest.mark.parametrize("scope", [{"model": "none"}, {"model": "fraud", "version": 9}])
def test_a_fault_in_what_is_not_served_is_refused(server: Drilled, scope: Any) -> None:
    async def scenario(client: Client) -> None:
        body = {"kind": "error", "seconds": 5, "scope": scope}
        assert (await client.http.post("/v2/faults", json=body)).status_code == 404
        assert (await client.http.delete("/v2/faults/flt-none")).status_code == 404

    server.run(scenario)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--enable-faults"],
        ["--fault-journal", "faults.jsonl"],
        ["--enable-faults", "--fault-journal", "faults.jsonl"],  # and no keys: nobody could end one
    ],
)
def test_faults_need_a_journal_and_somebody_with_a_key(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        options.parse(["--models", str(MODELS), "--serve", "fraud=1", *arguments])
    assert caught.value.code == 2
    assert "--enable-faults" in capsys.readouterr().err
