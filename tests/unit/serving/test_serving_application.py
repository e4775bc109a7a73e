"""The application without a process: its contract checks, logs, options and error border."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
from collections import Counter
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest

from maestro_cli.serving import options
from maestro_cli.serving.errors import ModelError, RequestError
from maestro_cli.serving.execution import inference
from maestro_cli.serving.execution.batching import Feed
from maestro_cli.serving.models.artefact import Halt
from maestro_cli.serving.protocol.http import ClientGone
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routes import Call
from maestro_cli.serving.server import listen
from maestro_cli.serving.telemetry.logs import LINES_A_SECOND, MAX_TEXT_CHARACTERS, WAITING_LINES, Log
from tests.unit.serving.served import FEATURES, MODELS, Served, request


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


def test_answers(served: Served) -> None:
    answer = served.infer(request(id="7", outputs=[{"name": "flagged"}, {"name": "score"}]))
    assert answer.status_code == 200
    assert answer.json()["id"] == "7"
    assert [(o["name"], o["datatype"], o["shape"]) for o in answer.json()["outputs"]] == [
        ("flagged", "INT64", [1]),
        ("score", "FP32", [1]),
    ]


def test_an_answer_to_a_request_without_id_has_that_of_its_decision(served: Served) -> None:
    answers = [served.infer(request()) for _ in range(2)]
    decisions = [answer.headers["x-maestro-decision"] for answer in answers]
    assert [answer.json()["id"] for answer in answers] == decisions
    assert len(set(decisions)) == 2


def test_a_batch_answers_row_by_row_what_single_requests_answer(served: Served) -> None:
    rows = json.loads((MODELS / "fraud" / "traffic.json").read_text())["rows"][:20]
    single = [
        served.infer(request({"data": row["features"]}, {"data": row["purpose"]})).json()["outputs"][0][
            "data"
        ][0]
        for row in rows
    ]
    batch = served.infer(
        request(
            {"shape": [20, 9], "data": [row["features"] for row in rows]},
            {"shape": [20, 1], "data": [row["purpose"] for row in rows]},
        )
    )
    assert batch.json()["outputs"][0]["data"] == single


@pytest.mark.parametrize(
    ("features", "purpose", "says"),
    [
        ({"name": "other"}, {}, "unknown input 'other'"),
        ({"datatype": "FP64"}, {}, "must be FP32"),
        ({"shape": [9]}, {}, "must have shape [-1, 9], got [9]"),
        ({"shape": [3, 3]}, {}, "got [3, 3]"),
        ({"shape": [0, 9], "data": []}, {}, "is empty"),
        ({"data": [-1.0, *FEATURES[1:]]}, {}, "outside 0..1e+06"),
        ({}, {"data": [11]}, "outside 0..10"),
        ({}, {"data": [-1]}, "outside 0..10"),
        ({"shape": [2, 9], "data": FEATURES * 2}, {}, "rows"),
        (
            {"shape": [5000, 9], "data": FEATURES * 5000},
            {"shape": [5000, 1], "data": [1] * 5000},
            "at most 4096",
        ),
    ],
)
def test_a_broken_contract_is_the_clients_fault(
    served: Served, features: dict[str, Any], purpose: dict[str, Any], says: str
) -> None:
    answer = served.infer(request(features, purpose))
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_missing_inputs_and_unknown_outputs(served: Served) -> None:
    short = request()
    del short["inputs"][1]
    assert served.infer(short).json() == {"error": "input 'purpose' is missing"}
    answer = served.infer(request(outputs=[{"name": "\x1b[2J"}]))
    assert answer.status_code == 400
    assert "\x1b" not in answer.json()["error"]


def test_an_error_of_our_own_is_a_500_that_is_counted_and_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> bytes:
        raise KeyError("a bug")

    server = Served()
    monkeypatch.setattr(inference, "run", broken)
    answer = server.infer(request())
    assert (answer.status_code, answer.json()) == (500, {"error": "internal error"})
    assert server.lines[-1]["message"] == "internal error"
    assert "a bug" in server.lines[-1]["error"]
    page = server.application.replica.metrics.exposition("")[0].decode()
    assert 'requests_total{code="500",model="fraud",route="direct",version="1"} 1.0' in page


def test_log_lines_are_ascii_json_whatever_is_in_them() -> None:
    server = Served()
    hostile = '\x1b[31m\n{"level":"error"}\u202e\u2028' + "x" * 5000
    server.post("/v2/models/" + "y" * 300 + "%0A%1B/infer", content=b"{}")
    server.application.replica.log.error("x", error=hostile, nothing=None, count=3)
    assert server.log.getvalue().isascii()
    assert all(character >= " " for character in server.log.getvalue().replace("\n", ""))
    last = server.lines[-1]
    assert [line["message"] for line in server.lines[:2]] == ["model loaded", "request refused"]
    assert len(server.lines) == 3
    assert len(last["error"]) == MAX_TEXT_CHARACTERS
    assert last["error"].startswith('\x1b[31m\n{"level"')
    assert set(last) == {"time", "level", "message", "error", "count"}


def test_a_body_that_is_too_large_is_read_to_its_end() -> None:
    """Answering earlier and closing would reset the connection before the client has read the 413."""
    server = Served()
    parts = [
        {"type": "http.request", "body": b" " * 2**20, "more_body": left > 0} for left in range(6, -1, -1)
    ]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return parts.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    path = "/v2/models/fraud/infer"
    asyncio.run(
        server.application({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
    )
    assert (sent[0]["status"], parts) == (413, [])
    assert (b"connection", b"close") in sent[0]["headers"]


def test_answers_are_not_held_back_by_nagle() -> None:
    async def accepted_option() -> int:
        options: asyncio.Queue[int] = asyncio.Queue()

        def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sock = writer.get_extra_info("socket")
            options.put_nowait(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(on_client, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            option = await options.get()
            writer.close()
            await writer.wait_closed()
            return option

    assert asyncio.run(accepted_option()) != 0


def test_a_closed_log_does_not_stop_the_server() -> None:
    stream = io.StringIO()
    stream.close()
    Log(stream).error("nobody reads this")


class StalledStream(io.StringIO):
    """A pipe that is full: who writes to it waits until it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_written = threading.Event()
        self.is_read = threading.Event()

    def write(self, text: str) -> int:
        self.is_written.set()
        assert self.is_read.wait(60)
        return super().write(text)


def test_a_log_that_nobody_reads_holds_nobody_up_and_counts_what_it_lost() -> None:
    stream = StalledStream()
    log = Log(stream)
    log.start()
    log.error("nobody reads this", number=0)
    assert stream.is_written.wait(60)  # the first is in the stream's hands, and waits in no line
    for number in range(1, 1 + WAITING_LINES + 100):
        log.error("nobody reads this", number=number)
    assert log.lost["full"] == 100
    stream.is_read.set()
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["number"] for line in lines] == list(range(1 + WAITING_LINES))


def test_what_clients_do_wrong_fills_no_log_and_failures_are_all_told() -> None:
    server = Served()
    log = server.application.replica.log
    for _ in range(3 * LINES_A_SECOND):
        log.refusal(RequestError("no"), path="/")
        log.refusal(ModelError("failed"), path="/")
    told = Counter(line["message"] for line in server.lines)
    assert told["inference failed"] == 3 * LINES_A_SECOND
    assert told["request refused"] + log.lost["limited"] == 3 * LINES_A_SECOND
    assert log.lost["limited"] > 0
    lost = f'maestro_log_lines_lost_total{{why="limited"}} {log.lost["limited"]:.1f}'
    assert lost in server.get("/metrics").text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--serve", "fraud"],
        ["--serve", "fraud=0"],
        ["--serve", "fraud=x"],
        ["--serve", "../fraud=1"],
        ["--serve", "fraud=1", "--port", "65536"],
        ["--serve", "fraud=1", "--drain-seconds", "nan"],
        ["--serve", "fraud=1", "--drain-seconds", "-1"],
        ["--serve", "fraud=1", "--announce", "/proc/none/file"],
        [],
    ],
)
def test_refuses_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options.parse(["--models", str(MODELS), *arguments])
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_reads_the_command_line() -> None:
    found = options.parse(
        ["--models", str(MODELS), "--serve", "fraud=2", "--serve", "fraud=1", "--port", "0"]
    )
    assert found.serve == (("fraud", 2), ("fraud", 1))
    assert (found.host, found.port, found.drain_seconds, found.announce) == ("127.0.0.1", 0, 2.0, None)


def slow(server: Served) -> Served:
    """From now on the server takes its model for one that is too slow for the event loop."""
    model = server.application.replica.repository.entries[0].model
    assert model is not None
    model.row_seconds = 0.002
    return server


def holding(server: Served) -> threading.Event:
    """From now on its model waits for this before it answers."""
    model = server.application.replica.repository.entries[0].model
    assert model is not None
    run, held = model.run, threading.Event()

    def hold(feed: Feed, outputs: Sequence[str], halt: Halt | None = None) -> list[Array]:
        return run(feed, outputs) if held.wait(20) else []

    model.run = hold  # type: ignore[method-assign]
    return held


def test_a_slow_model_answers_the_same_in_batches() -> None:
    fast = Served().infer(request(id="1"))
    server = slow(Served())
    assert server.infer(request(id="1")).json()["outputs"] == fast.json()["outputs"]
    page = server.application.replica.metrics.exposition("")[0].decode()
    queued = [line for line in page.splitlines() if 'seconds_sum{model="fraud",stage="queue"' in line]
    assert len(queued) == 1
    assert float(queued[0].split()[-1]) > 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"json": request(parameters={"timeout": 1})}, 504),
        ({"json": request(), "headers": {"x-envoy-expected-rq-timeout-ms": "1"}}, 504),
        ({"json": request(parameters={"timeout": 20_000_000})}, 200),
        ({"json": request(), "headers": {"x-envoy-expected-rq-timeout-ms": "0"}}, 200),
        ({"json": request(), "headers": {"x-envoy-expected-rq-timeout-ms": "-1"}}, 200),
        ({"json": request(parameters={"timeout": 10**400})}, 200),
        ({"json": request(parameters={"timeout": 0})}, 400),
        ({"json": request(parameters={"timeout": True})}, 400),
        ({"json": request(parameters={"timeout": "soon"})}, 400),
    ],
)
def test_a_caller_is_kept_no_longer_than_it_can_wait(arguments: dict[str, Any], status: int) -> None:
    server = slow(Served())
    held = holding(server)
    if status != 504:
        held.set()
    try:
        assert server.post("/v2/models/fraud/infer", **arguments).status_code == status
    finally:
        held.set()


def test_a_run_is_given_up_when_its_caller_goes_away() -> None:
    async def gone() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def ask() -> None:
        call = Call({"path": "/"}, gone)
        with pytest.raises(ClientGone):
            await call.while_connected(work())
        await asyncio.sleep(0)

    ended: list[bool] = []
    asyncio.run(ask())
    assert ended == [True]
