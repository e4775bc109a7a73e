"""`maestro rollback plan` as a person or a script calls it, on recorded answers."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.api import EVIL, Answers, api_server, listing
from tests.cli.program import Result, check_golden, maestro
from tests.cli.test_cli_changes import OWNER, PLACE, answers

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].standing}")
OBJECTIVES = Path(__file__).resolve().parents[2] / "deploy" / "objectives"
INSTANT = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)")
# of the 481 instants of two hours: from which to which each was live, and its share of bad requests
LIVES = {"fraud-2": (10, 140, 0.0), "fraud-3": (150, 300, 0.2), "fraud-4": (350, 480, 0.3)}


def recorded(evil: str = "") -> Answers:
    """Revision 2 was good, 3 was not, 4 runs."""
    made = answers()
    now: dict[str, Any] = made[PLACE]

    def revision(number: int, arguments: list[str], cause: str) -> dict[str, Any]:
        found = copy.deepcopy(now)
        notes = {"deployment.kubernetes.io/revision": str(number), "kubernetes.io/change-cause": cause}
        found["metadata"] |= {"name": f"fraud-{number}", "ownerReferences": [OWNER], "annotations": notes}
        container = found["spec"]["template"]["spec"]["containers"][0]
        if arguments:
            container["args"] = arguments
        found["status"] = {"replicas": 0}
        return found

    sets = [
        revision(2, ["--serve", "fraud=1"], f"release 2 {evil}"),
        revision(3, ["--serve", f"fraud=7{evil}"], "release 3"),
        revision(4, [], "release 4"),
    ]
    made["/apis/apps/v1/namespaces/ml/replicasets"] = listing(*sets)
    return made


@contextmanager
def prometheus(evil: str = "", *, down: bool = False) -> Iterator[None]:
    """A recorded Prometheus, and the shipped objectives, in the context `prod`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            instant = url.path.endswith("/query")
            body = {"status": "success", "data": _instant(asked, evil) if instant else _range(asked)}
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    file = config_dir() / "config.yaml"
    port = 1 if down else server.server_port
    more = f'objectives: ["{OBJECTIVES}"], prometheus: {{url: "http://127.0.0.1:{port}"}}, cluster:'
    file.write_text(file.read_text().replace("cluster:", more, 1), encoding="utf-8")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _range(asked: dict[str, str]) -> dict[str, Any]:
    query, start, step = asked["query"], float(asked["start"]), float(asked["step"])
    found = []
    for name, (begin, end, bad) in LIVES.items():
        value = 3.0
        if "rate(" in query:
            slow = "_bucket" in query
            value = 10 * bad if "5.." in query else 9.95 if slow else 10.0
        values = [[start + number * step, str(value)] for number in range(begin, end + 1)]
        found.append({"metric": {"replica_set": name}, "values": values})
    return {"resultType": "matrix", "result": found}


def _instant(asked: dict[str, str], evil: str) -> dict[str, Any]:
    at = float(1_767_225_600)
    if "maestro_model_info" not in asked["query"]:
        value = [at, "0.0425"]
        return {
            "resultType": "vector",
            "result": [{"metric": {"replica_set": name}, "value": value} for name in LIVES],
        }
    labels = {
        "replica_set": "fraud-2",
        "model": f"fraud{evil}",
        "version": "1",
        "digest": "sha256:" + "a" * 64,
    }
    return {"resultType": "vector", "result": [{"metric": labels, "value": [at, "1"]}]}


def plan(*arguments: str, evil: str = "", down: bool = False) -> Result:
    with api_server(recorded(evil)), prometheus(evil, down=down):
        return maestro("rollback", "plan", "deploy/fraud", *arguments)


@pytest.mark.parametrize("form", FORMATS)
def test_the_candidates_are_the_same_in_every_format(form: str) -> None:
    result = plan("-o", form, evil=EVIL)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"rollback-plan.{form.partition('=')[0]}", INSTANT.sub("INSTANT", result.out))


def test_a_rollback_goes_where_the_plan_says() -> None:
    with api_server(recorded()), prometheus():
        (target,) = [
            one
            for one in json.loads(maestro("rollback", "plan", "deploy/fraud", "-o", "json").out)["items"]
            if one["is_target"]
        ]
        rehearsed = maestro("rollback", "deploy/fraud", "--dry-run", "-o", "json")
    assert json.loads(rehearsed.out)["plan"]["parameters"]["to_revision"] == target["revision"] == 2


def test_without_metrics_nothing_is_good_and_it_says_why() -> None:
    result = plan("-o", "json", down=True)
    items = json.loads(result.out)["items"]
    assert result.code == 0
    assert {item["standing"] for item in items} == {"not proved"}
    assert all("Prometheus" in item["reason"] for item in items)
    assert [item["revision"] for item in items if item["is_target"]] == [3]


def test_options_may_stand_before_the_workload_as_ever() -> None:
    with api_server(answers()):
        result = maestro("rollback", "--dry-run", "deploy/fraud")
    assert (result.code, result.err) == (0, "")
