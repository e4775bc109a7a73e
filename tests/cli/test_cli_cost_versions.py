"""`maestro cost unit --by version`, against recorded answers of Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import Result, check_golden, maestro
from tests.cli.test_cli_cost import EVIL, INSTANT

FORMATS = ("table", "wide", "json", "csv", "md", "jsonpath={.items[*].verdict}")
ONE, TWO = {"model": "fraud", "version": "1"}, {"model": "fraud", "version": EVIL}
# a piece of the query → what the series say that it answers with
ANSWERS: Mapping[str, tuple[tuple[Mapping[str, str], float], ...]] = {
    "maestro_inference_requests_total": (
        ({**ONE, "code": "200"}, 180_000),
        ({**ONE, "code": "500"}, 20_000),
        ({**TWO, "code": "200"}, 20_000),
    ),
    "duration_seconds_sum": ((ONE, 3_000), (TWO, 1_000)),
    "duration_seconds_bucket": ((ONE, 0.034), (TWO, 0.21)),
    "judged_answers": (({**ONE, "verdict": "right"}, 950), ({**ONE, "verdict": "wrong"}, 50)),
    "fallbacks": ((ONE, 4_000),),
    "inference_rows": (({}, 300_000),),
    "shadow_rows": (({}, 100_000),),
}


@contextmanager
def recorded(costs: str) -> Iterator[None]:
    """The context `lab`, where three replicas served all the window."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = json.dumps({"status": "success", "data": _data(url.path, parameters)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    endpoint = f'prometheus: {{url: "http://127.0.0.1:{server.server_port}"}}'
    file.write_text(
        f"current_context: lab\ncontexts: {{lab: {{namespace: ml, {endpoint}, costs: {costs}}}}}\n",
        encoding="utf-8",
    )
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _data(path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    service: dict[str, str] = {"namespace": "ml", "deployment": "fraud"}
    if path.endswith("/query"):
        found = next(found for piece, found in ANSWERS.items() if piece in parameters["query"])
        vector = [
            {"metric": service | dict(labels), "value": [1_767_225_600.0, str(value)]}
            for labels, value in found
        ]
        return {"resultType": "vector", "result": vector}
    start, step = float(parameters["start"]), float(parameters["step"])
    values = [[start + number * step, "3"] for number in range(120)]
    return {"resultType": "matrix", "result": [{"metric": service, "values": values}]}


def cost(*arguments: str) -> Result:
    return maestro("cost", "unit", "--by", "version", *arguments)


@pytest.mark.parametrize("form", FORMATS)
def test_the_report_by_version_is_the_same_in_every_format(form: str) -> None:
    with recorded("{replica_hourly_rate: 0.05, value_per_request: 0.02, currency: EUR}"):
        result = cost("--budget", "1", "-o", form)
    assert (result.code, result.err) == (10, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"cost-unit-version.{form.partition('=')[0]}", INSTANT.sub("INSTANT", result.out))


@pytest.mark.parametrize(
    ("costs", "budget", "code"),
    [
        ("{replica_hourly_rate: 0.05}", ["--budget", "5"], 0),
        ("{replica_hourly_rate: 0.05}", [], 0),
        ("{replica_hourly_rate: 0.05, budget_per_million: 0.01}", [], 10),
        ("{replica_hourly_rate: 0.05, budget_per_million: 0.01}", ["--budget", "5"], 0),
        ("{replica_hourly_rate: 0}", [], 15),
        ("{}", ["--budget", "5"], 15),
    ],
)
def test_the_exit_code_is_the_worst_verdict_of_a_version(costs: str, budget: list[str], code: int) -> None:
    with recorded(costs):
        assert cost(*budget).code == code


@pytest.mark.parametrize("wrong", ["route", "a-b=c", "route=", "=x"])
def test_probes_that_are_no_label_and_value_are_refused(wrong: str) -> None:
    with recorded("{}"):
        result = cost("--probes", wrong)
    assert (result.code, result.out) == (2, "")
    assert "--probes route=NAME" in result.err
