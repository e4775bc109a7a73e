"""The sample experiments that Chaos Toolkit publishes give the steady states that Chaos Toolkit itself gives.

Nothing of theirs is kept here: CHAOS_SAMPLES names a folder with checkouts of chaostoolkit-samples and
chaostoolkit-documentation-code. Each is judged where its services are down, and does nothing there. The
tutorial, of processes and HTTP alone, is performed as well, on a FAKE of its service.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.chaos.performed import Performed
from tests.contract.chaos.test_chaos_toolkit_agrees import ITSELF, told

SERVICE = """
import http.server, os, pathlib, signal, ssl, sys
here, state = pathlib.Path(sys.argv[1]), {"code": 200}
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(state["code"]); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *told): pass
def read_again(*_):
    same = (here / "cert.pem").read_bytes() == (here / "expired-cert.pem").read_bytes()
    state["code"] = 500 if same else 200
signal.signal(signal.SIGHUP, read_again)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(here / "cert.pem", here / "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
for name in ("astre", "sunset"):
    (here / f"{name}.pid").write_text(str(os.getpid()))
print(server.server_address[1], flush=True)
server.serve_forever()
"""
FOLDER = os.environ.get("CHAOS_SAMPLES", "")
INVALID = 3
VALIDATED = f"""
import json, sys
from chaoslib.exceptions import ChaosException
from chaoslib.experiment import ensure_experiment_is_valid
try:
    ensure_experiment_is_valid(json.load(open(sys.argv[1])))
except ChaosException as error:
    sys.exit({INVALID})
{ITSELF}
"""
TUTORIAL = "a-simple-walkthrough"
pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not FOLDER, reason="CHAOS_SAMPLES names no folder with Chaos Toolkit's samples"),
]


def samples() -> Iterator[Path]:
    """Every file that is an experiment by its name."""
    if FOLDER:
        yield from sorted(path for path in Path(FOLDER).rglob("experiment.*") if path.suffix != ".html")


def test_there_are_samples() -> None:
    assert list(samples()), f"there is no experiment below {FOLDER}"


@pytest.mark.parametrize("path", list(samples()), ids=lambda path: path.parent.name + path.suffix)
def test_a_sample_gives_the_steady_states_that_chaos_toolkit_gives(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = document(path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-cluster"))
    for name in ("WEBAPP_SERVICE_ADDR", "PROMETHEUS_ADDR"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("GREMLIN_EMAIL", "GREMLIN_PWD", "GREMLIN_ORG_NAME"):
        monkeypatch.setenv(name, "nobody")
    itself, performed = by_itself(given, tmp_path), Performed(tmp_path, copy.deepcopy(given))
    found = told(dict(performed.journal()))
    if itself is None:  # it calls what the extension of today has not, and both refuse it
        performed.until("invalid")
        assert (found["before"], found["run"]) == (None, [])
        return
    assert itself["before"] is not None
    assert not itself["run"], "it would harm what is there"
    assert found == itself


@pytest.mark.parametrize(
    "path", [one for one in samples() if TUTORIAL in one.parts], ids=lambda path: path.suffix
)
def test_the_tutorial_deviates_as_by_chaos_toolkit(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[dict[str, Any] | None] = []
    for way in ("itself", "maestro"):
        folder = tmp_path / way
        shutil.copytree(path.parent, folder)
        shutil.copy(folder / "valid-cert.pem", folder / "cert.pem")
        monkeypatch.chdir(folder)
        with subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(folder)], stdout=subprocess.PIPE, text=True
        ) as service:
            try:
                assert service.stdout is not None
                port = service.stdout.readline().strip()
                given = json.loads(json.dumps(document(path)).replace("localhost:8443", f"127.0.0.1:{port}"))
                if way == "itself":
                    results.append(by_itself(given, folder))
                else:
                    results.append(told(dict(Performed(folder, given).journal())))
            finally:
                service.kill()
    assert results[1] == results[0]
    assert results[0] is not None
    is_meant = path.suffix == ".json"  # in the YAML an en dash stands before `echo`, and no signal is sent
    assert (results[0]["before"][0], results[0]["after"][0]) == (True, not is_meant)
    assert results[0]["deviated"] is is_meant


def document(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return found


def by_itself(given: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """What Chaos Toolkit tells of it; None where `chaos run` would not begin, for the file is invalid."""
    asked, answer = folder / "asked.json", folder / "answer.json"
    asked.write_text(json.dumps(given))
    done = subprocess.run(
        [sys.executable, "-c", VALIDATED, str(asked), str(answer)],
        cwd=folder, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode in (0, INVALID), done.stderr
    return None if done.returncode == INVALID else told(json.loads(answer.read_text()))
