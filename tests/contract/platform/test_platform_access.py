"""Who may do what with the model servers of the embedded platform, and where its keys are not."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from maestro_cli.chaos.drills.faults import read_faults
from maestro_cli.config.settings import Context, Endpoint
from maestro_cli.config.strict import read_yaml
from maestro_cli.local.addresses import listening_address
from maestro_cli.local.keys import faults_folder, key_file, key_files
from maestro_cli.local.platform import EmbeddedPlatform
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.sources.serving import InferenceServer
from tests.contract.platform.test_platform import _until, _value

pytestmark = pytest.mark.e2e
Running = tuple[EmbeddedPlatform, Path]
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
QUESTION = {"inputs": [{"name": "nothing", "shape": [1], "datatype": "FP32", "data": [0]}]}


def ask(url: str, path: str, key: str = "", body: Any = None, method: str | None = None) -> tuple[int, Any]:
    headers = {"x-api-key": key} if key else {}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}{path}", content, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def key(state: Path, caller: str) -> str:
    return key_file(state, caller).read_text(encoding="ascii").strip()


def objects(platform: EmbeddedPlatform, identity: str, *words: str) -> str:
    command = [KUBECTL, "--kubeconfig", str(platform.kubeconfig(identity)), "-n", "ml", "get", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def test_each_caller_may_do_its_own_work_and_nobody_more(running: Running) -> None:
    platform, state = running
    url = platform.status().endpoints["serving"]
    infer = "/v2/models/fraud/infer"
    assert ask(url, infer, body=QUESTION)[0] == 401
    assert ask(url, infer, key(state, "prometheus"), QUESTION)[0] == 403
    assert ask(url, infer, key(state, "load"), QUESTION)[0] == 400  # let in: the question is at fault
    assert ask(url, "/v2/models", key(state, "load"))[0] == 403
    assert ask(url, "/v2/models", key(state, "prometheus"))[0] == 200
    load = "/v2/repository/models/fraud/load"
    assert ask(url, load, key(state, "chaos"), {}, "POST")[0] == 403
    assert ask(url, "/v2/faults", key(state, "operator"))[0] == 403
    assert ask(url, "/v2/faults", key(state, "chaos"))[0] == 200


def test_the_context_operates_with_its_own_key(running: Running) -> None:
    platform, state = running
    context = read_yaml(state / "context.json").decode(Context)
    assert context.serving is not None
    assert context.serving.token == f"file:{key_file(state, 'operator')}"
    with closing(InferenceServer(context.serving)) as server:
        assert ("fraud", "1") in {(str(one.name), str(one.version)) for one in server.index()}
    with closing(InferenceServer(Endpoint(platform.status().endpoints["serving"]))) as server:
        assert server.check().ok  # health and name are nobody's secret


def test_load_and_metrics_get_through(running: Running) -> None:
    prometheus = running[0].status().endpoints["prometheus"]
    _until(lambda: (_value(prometheus, 'sum(rate(maestro_load_requests_total{code="200"}[10s]))') or 0) > 0)
    _until(lambda: _value(prometheus, 'sum(up{job="pods"})') == 3)
    assert _value(prometheus, "maestro_fault_active") is None


def test_no_key_is_in_arguments_environments_logs_objects_or_records(running: Running) -> None:
    platform, state = running
    secrets = [path.read_text(encoding="ascii").strip().split("_", 2)[2] for path in key_files(state)]
    assert len(set(secrets)) == len(key_files(state))  # one each
    told = [objects(platform, "admin", "pods,deployments,replicasets,configmaps,events", "-o", "yaml")]
    mine = 0
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if str(state.parent.parent) in str(environment.get("XDG_STATE_HOME")):
                mine += PLATFORM_VARIABLE in environment
                told += [*process.cmdline(), *environment.values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    assert mine > 5
    told += [path.read_text(encoding="utf-8", errors="replace") for path in state.rglob("*.log")]
    told += [path.read_text(encoding="utf-8") for path in (state / "config").iterdir()]
    told += [(state / name).read_text(encoding="utf-8") for name in ("context.json", "platform.json")]
    for journal in (state.parent / "journal").glob("*.sqlite"):
        with closing(sqlite3.connect(journal)) as opened:
            told += opened.iterdump()
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


def test_a_fault_of_the_chaos_key_is_recorded_apart_from_what_responders_read(running: Running) -> None:
    platform, state = running
    pods = json.loads(objects(platform, "admin", "pods", "-l", "app=fraud", "-o", "json"))["items"]
    pod = next(one for one in pods if one["status"].get("podIP"))
    url = f"http://{listening_address(pod['status']['podIP'])}:8080"
    order = {"kind": "latency", "seconds": 60, "parameters": {"milliseconds": 5}, "note": "rehearsal"}
    status, fault = ask(url, "/v2/faults", key(state, "chaos"), order)
    assert status == 200, fault
    assert ask(url, "/v2/faults", key(state, "chaos"), method="DELETE")[1] == {"ended": [fault["id"]]}
    journal = faults_folder(state) / f"{pod['metadata']['name']}.jsonl"
    (found,) = read_faults([journal])
    assert (found.id, found.kind, found.ended_because, found.note) == (
        fault["id"], "latency", "kill-all", "rehearsal",
    )  # fmt: skip
    assert os.stat(journal).st_mode & 0o077 == 0
