"""`maestro cost unit` as a person or a script calls it, against recorded answers of Prometheus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import Result, check_golden, maestro

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].verdict}")
EVIL = "\x1b[31m\u202eevil, =1+1 | x"
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)")
Counts = Mapping[str, float]


@contextmanager
def prometheus(predictions: Counts, replicas: Counts, costs: str) -> Iterator[list[str]]:
    """The context `lab`; predictions of a window and constant replicas by service. Gives the queries."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
            asked.append(parameters["query"])
            body = json.dumps({"status": "success", "data": self._data(url.path, parameters)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _data(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
            if path.endswith("/query"):
                at = float(1_767_225_600)
                found = [
                    {"metric": _labels(name), "value": [at, str(value)]}
                    for name, value in predictions.items()
                ]
                return {"resultType": "vector", "result": found}
            counts = {"": 1.0} if parameters["query"] == "count(up)" else replicas
            start, step = float(parameters["start"]), float(parameters["step"])
            series = [
                {
                    "metric": _labels(name),
                    "values": [[start + number * step, str(value)] for number in range(120)],
                }
                for name, value in counts.items()
            ]
            return {"resultType": "matrix", "result": series}

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
        yield asked
    finally:
        server.shutdown()
        server.server_close()


def _labels(service: str) -> dict[str, str]:
    return {"namespace": "ml", "deployment": service}


PRICED = "{replica_hourly_rate: 0.05, currency: EUR}"
BUSY, REPLICAS = {"fraud": 360_000.0, "slow": 900.0, EVIL: 0.0}, {"fraud": 3.0, "slow": 1.0, EVIL: 1.0}


def cost(*arguments: str) -> Result:
    return maestro("cost", "unit", *arguments)


@pytest.mark.parametrize("form", FORMATS)
def test_the_report_is_the_same_in_every_format(form: str) -> None:
    with prometheus(BUSY, REPLICAS, PRICED):
        result = cost("--budget", "5", "-o", form)
    assert (result.code, result.err) == (10, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"cost-unit.{form.partition('=')[0]}", INSTANT.sub("INSTANT", result.out))


@pytest.mark.parametrize(
    ("predictions", "replicas", "arguments", "code"),
    [
        ({"fraud": 360_000.0}, {"fraud": 3.0}, ["--budget", "5"], 0),
        ({"fraud": 360_000.0}, {"fraud": 3.0}, ["--budget", "0.4"], 10),
        ({"fraud": 360_000.0}, {"fraud": 3.0}, [], 0),
        ({"fraud": 0.0}, {"fraud": 3.0}, ["--budget", "5"], 15),
        ({"fraud": 0.0}, {"fraud": 3.0}, [], 15),
        ({}, {"fraud": 3.0}, ["--budget", "5"], 15),
        ({"fraud": 360_000.0}, {}, ["--budget", "5"], 15),
        ({}, {}, ["--service", "fraud"], 15),
        ({"fraud": 360_000.0, "idle": 0.0}, {"fraud": 3.0, "idle": 1.0}, ["--budget", "5"], 15),
        ({"fraud": 360_000.0, "idle": 0.0}, {"fraud": 3.0, "idle": 1.0}, ["--budget", "0.4"], 10),
    ],
)
def test_the_exit_code_is_the_verdict(
    predictions: Counts, replicas: Counts, arguments: list[str], code: int
) -> None:
    with prometheus(predictions, replicas, PRICED):
        result = cost(*arguments, "-o", "json")
    assert result.code == code
    assert result.err == ""
    items = json.loads(result.out)["items"]
    assert all(item["per_million"] is None for item in items if item["predictions"] in (None, 0.0))


@pytest.mark.parametrize(
    ("own", "arguments", "code", "budget", "needed"),
    [("5", [], 0, 5.0, 2.7778), ("0.4", [], 10, 0.4, 34.722), ("0.4", ["--budget", "5"], 0, 5.0, 2.7778)],
)
def test_the_budget_of_the_context_judges_where_none_is_asked_for(
    own: str, arguments: list[str], code: int, budget: float, needed: float
) -> None:
    priced = PRICED.replace("}", f", budget_per_million: {own}}}")
    with prometheus({"fraud": 360_000.0}, {"fraud": 3.0}, priced):
        result = cost(*arguments, "-o", "json")
    told = json.loads(result.out)
    assert (result.code, told["budget"]) == (code, budget)
    assert told["rate_needed_per_replica"] == pytest.approx(needed, rel=1e-4)
    assert told["items"][0]["verdict"] == ("PASS" if code == 0 else "FAIL")


def test_a_budget_of_a_million_of_0_is_refused() -> None:
    with prometheus({"fraud": 360_000.0}, {"fraud": 3.0}, "{budget_per_million: 0}"):
        result = cost()
    assert (result.code, result.out) == (3, "")
    assert "budget_per_million" in result.err


def test_no_service_at_all_is_no_data() -> None:
    with prometheus({}, {}, PRICED):
        result = cost("--budget", "5")
    assert (result.code, result.out) == (15, "")
    assert result.error_lines[1] == "Prometheus has no maestro_inference_requests_total in ml"


def test_without_a_price_there_is_no_figure_and_a_file_can_give_one(tmp_path: Path) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("replica_hourly_rate: 0.10\n", encoding="utf-8")
    with prometheus({"fraud": 360_000.0}, {"fraud": 3.0}, "{}"):
        without = cost("--service", "fraud", "-o", "json")
        given = cost("--service", "fraud", "--prices", str(prices), "-o", "json")
        prices.write_text("replica_hourly_rat: 0.10\n", encoding="utf-8")
        misspelt = cost("--prices", str(prices))
    assert (without.code, json.loads(without.out)["items"][0]["per_million"]) == (15, None)
    assert json.loads(given.out)["items"][0]["per_million"] == pytest.approx(0.1 * 3 / 0.36)
    assert json.loads(given.out)["price"] == {"replica_hourly_rate": 0.1, "currency": "USD"}
    assert (misspelt.code, misspelt.out) == (3, "")
    assert "did you mean 'replica_hourly_rate'" in misspelt.err


@pytest.mark.parametrize("budget", [[], ["--budget", "5"]])
def test_a_price_of_nothing_passes_no_budget(budget: list[str]) -> None:
    with prometheus({"fraud": 360_000.0}, {"fraud": 3.0}, "{replica_hourly_rate: 0}"):
        result = cost(*budget, "-o", "json")
    (item,) = json.loads(result.out)["items"]
    assert (result.code, item["per_million"], item["verdict"]) == (15, None, "INDETERMINATE")


@pytest.mark.parametrize("rate", ["-0.05", ".nan"])
def test_a_rate_below_nothing_is_refused_with_its_line_before_anything_is_asked(
    tmp_path: Path, rate: str
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text(f"currency: EUR\nreplica_hourly_rate: {rate}\n", encoding="utf-8")
    with prometheus(BUSY, REPLICAS, PRICED) as asked:
        given = cost("--prices", str(prices), "--budget", "5")
    assert (given.code, given.out, asked) == (3, "", [])
    assert f"{prices}:2" in given.err
    assert "replica_hourly_rate" in given.err
    with prometheus(BUSY, REPLICAS, f"{{replica_hourly_rate: {rate}}}") as asked:
        known = cost("--budget", "5")
    assert (known.code, known.out, asked) == (3, "", [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--window", "soon"], "not a duration"),
        (["--window", "0s"], "too short"),
        (["--budget", "0"], "budget"),
        (["--budget", "nan"], "budget"),
        (["--budget=-5"], "budget"),
        (["--label", "a-b"], "not a label name"),
        (["-A", "-n", "ml"], "-n and -A exclude each other"),
        (["-o", "xml"], "not an output format"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(arguments: list[str], said: str) -> None:
    with prometheus(BUSY, REPLICAS, PRICED) as asked:
        result = cost(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert asked == []


def test_a_prometheus_that_does_not_answer_ends_4() -> None:
    with prometheus({}, {}, PRICED):
        pass
    result = cost()
    assert (result.code, result.out) == (4, "")


@pytest.mark.parametrize(
    ("arguments", "matchers"),
    [
        ([], 'namespace="ml"'),
        (["-A"], 'code="200"}'),
        (["-n", "other", "--service", "fraud"], 'deployment="fraud",namespace="other"'),
        (["--label", "job", "--service", "models"], 'job="models",namespace="ml"'),
    ],
)
def test_the_scope_is_asked_for(arguments: list[str], matchers: str) -> None:
    with prometheus(BUSY, REPLICAS, PRICED) as asked:
        cost(*arguments)
    assert matchers in asked[0]
    assert ("namespace=" in asked[0]) is ("-A" not in arguments)
