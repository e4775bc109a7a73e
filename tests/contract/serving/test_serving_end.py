"""The server's end waits for requests, and for nothing that nobody waits for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.contract.serving.process import GOOD, MODELS, ROOT, until

pytestmark = pytest.mark.contract

# The server, with models that answer nothing for ten minutes once they are loaded.
STUCK = """
import sys, threading
from maestro_cli.serving import options
from maestro_cli.serving.models import artefact
load = artefact.load

def stuck(*which):
    model = load(*which)
    model.row_seconds = 0.002
    model.run = lambda feed, outputs, halt: threading.Event().wait(600)
    return model

artefact.load = stuck
from maestro_cli.serving.server import run
sys.exit(run(options.parse(sys.argv[1:])))
"""


def test_a_run_that_nobody_waits_for_does_not_hold_up_the_end(tmp_path: Path) -> None:
    announcement = tmp_path / "announce.json"
    arguments = [
        "--port",
        "0",
        "--models",
        str(MODELS),
        "--serve",
        "fraud=1",
        "--announce",
        str(announcement),
    ]
    arguments += ["--drain-seconds", "0", "--grace-seconds", "1"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", STUCK, *arguments], cwd=ROOT, stderr=log)
    try:
        until(lambda: announcement.exists() or process.poll() is not None)
        url = f"http://127.0.0.1:{json.loads(announcement.read_text())['port']}"
        late = httpx.post(
            f"{url}/v2/models/fraud/infer", json={**GOOD, "parameters": {"timeout": 100_000}}, timeout=60
        )
        assert late.status_code == 504
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert '"stopped"' in (tmp_path / "log").read_text().splitlines()[-1]
    finally:
        process.kill()
        process.wait(60)
