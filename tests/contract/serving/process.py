"""A real model server as a child process, and a good request for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families as parse_text

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "deploy" / "models"
TRAFFIC = json.loads((MODELS / "fraud" / "traffic.json").read_text())
NEWEST = str(max(int(one.name) for one in (MODELS / "fraud").iterdir() if one.name.isdecimal()))


def until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for a condition; fails after that time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.01)


class Server:
    """One real server process on a port of the system's choosing; stderr goes to a file."""

    def __init__(self, folder: Path, *arguments: str, models: Path = MODELS) -> None:
        self.announcement = folder / "announce.json"
        self.stderr = folder / "stderr.log"
        self.key = folder / "key"
        command = [sys.executable, "-m", "maestro_cli.serving", "--port", "0", "--models", str(models)]
        with self.stderr.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--announce", str(self.announcement), "--generate-key", str(self.key), *arguments],
                cwd=ROOT,
                stderr=log,
            )
        try:
            until(lambda: self.announcement.exists() or self.process.poll() is not None)
            assert self.process.poll() is None, self.stderr.read_text()
            facts = json.loads(self.announcement.read_text())
        except BaseException:
            self.end()
            raise
        assert facts["pid"] == self.process.pid
        self.port: int = facts["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(
            base_url=self.url, timeout=10, headers={"x-api-key": self.key.read_text().strip()}
        )

    def end(self) -> None:
        if hasattr(self, "http"):
            self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)

    def tell(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stderr.read_text().splitlines()]

    def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        page = self.http.get("/metrics").text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parse_text(page)
            for sample in family.samples
            if sample.name.startswith("maestro_")
        }

    def is_ready(self) -> bool:
        return self.http.get("/v2/health/ready").status_code == 200


def body_of(row: dict[str, list[float]], **members: Any) -> dict[str, Any]:
    inputs = [{**tensor, "data": row[tensor["name"]]} for tensor in TRAFFIC["inputs"]]
    return {"inputs": inputs, **members}


GOOD = body_of(next(row for row in TRAFFIC["rows"] if row["purpose"] == [3]))
