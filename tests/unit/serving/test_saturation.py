"""How full a server is can be seen in its metrics, and docs/serving.md names every one of them."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maestro_cli.serving.background import watch_lag
from maestro_cli.serving.execution.predictor import Predictor
from maestro_cli.serving.telemetry.export import SpanExport
from tests.unit.serving.served import FEATURES, MODELS, Served, request
from tests.unit.serving.test_predictions import Slow, ask, begun

DOCS = MODELS.parents[1] / "docs" / "serving.md"
FRAUD = '{model="fraud",version="1"}'


def page(server: Served) -> dict[str, float]:
    """Every sample of the page, by its name with labels."""
    text = server.application.replica.metrics.exposition("", with_faults=True)[0].decode()
    samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def test_rows_are_counted_by_answer_and_by_run() -> None:
    server = Served()
    assert page(server)[f"maestro_inference_rows_total{FRAUD}"] == 0
    three = request({"shape": [3, 9], "data": FEATURES * 3}, {"shape": [3, 1], "data": [3, 3, 3]})
    for _ in range(2):  # the second time from the prediction cache
        assert server.infer(three).status_code == 200
    found = page(server)
    assert found[f"maestro_inference_rows_total{FRAUD}"] == 6
    assert found[f"maestro_inference_run_rows_count{FRAUD}"] == 1
    assert found[f"maestro_inference_run_rows_sum{FRAUD}"] == 3
    assert found['maestro_inference_run_rows_bucket{le="2.0",model="fraud",version="1"}'] == 0
    assert found['maestro_inference_run_rows_bucket{le="4.0",model="fraud",version="1"}'] == 1


def test_what_was_refused_answered_no_rows() -> None:
    server = Served()
    assert server.infer(request(outputs=[{"name": "nope"}])).status_code == 400
    assert page(server)[f"maestro_inference_rows_total{FRAUD}"] == 0


def test_rows_that_wait_for_a_run_are_told_while_they_do() -> None:
    async def body() -> None:
        first = ask(predictor, slow)
        await begun(slow)
        waiting = [ask(predictor, slow, (5.0, number)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert predictor.waiting_rows() == {("slow", "1"): 3}
        slow.gate.set()
        await asyncio.gather(first, *waiting)
        assert predictor.waiting_rows() == {("slow", "1"): 0}

    slow = Slow()
    with ThreadPoolExecutor(1) as executor:
        predictor = Predictor(executor)
        try:
            asyncio.run(body())
        finally:
            slow.gate.set()


def test_requests_in_flight_are_told_and_gone_when_they_are_answered() -> None:
    server = Served()
    server.application.replica.flights.count += 2
    assert page(server)["maestro_inference_in_flight"] == 2
    server.infer(request())
    server.infer({})
    assert page(server)["maestro_inference_in_flight"] == 2


def test_what_holds_up_the_event_loop_is_its_lag() -> None:
    observed: list[float] = []

    async def body() -> None:
        watching = asyncio.create_task(watch_lag(observed.append))
        await asyncio.sleep(0)
        threading.Event().wait(0.3)  # holds up the loop, past the timer of 0.1 s
        while not observed:
            await asyncio.sleep(0)
        watching.cancel()

    asyncio.run(body())
    assert observed[0] > 0.15


def test_the_docs_name_every_series_and_no_other(tmp_path: Path) -> None:
    journal = ["--enable-faults", "--fault-journal", str(tmp_path / "faults.jsonl")]
    server = Served("--memory-bytes", "1000000000", *journal)
    server.application.replica.metrics.watch_spans(SpanExport("http://127.0.0.1:1"))
    text = server.application.replica.metrics.exposition("", with_faults=True)[0].decode()
    told = {name for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE) if name.startswith("maestro_")}
    section = DOCS.read_text(encoding="utf-8").partition("\n## Metrics\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `maestro_")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == told
