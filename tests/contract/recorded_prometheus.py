"""A real Prometheus over series that were written for it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from maestro_cli.local.ports import free_port
from tests.patience import PATIENCE_SECONDS, TRIES


@contextmanager
def recorded_prometheus(folder: Path, openmetrics: str, *flags: str, block_hours: int = 2) -> Iterator[str]:
    """Start one over a text in the OpenMetrics format, with its times, and give its URL.

    The text is read once for each block.
    """
    for name in ("prometheus", "promtool"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    (folder / "history.txt").write_text(openmetrics)
    backfill = ["promtool", "tsdb", "create-blocks-from", f"--max-block-duration={block_hours}h"]
    backfill += ["openmetrics", "history.txt", "data"]
    subprocess.run(backfill, cwd=folder, check=True, capture_output=True)
    with running_prometheus(folder, *flags) as url:
        yield url


@contextmanager
def running_prometheus(folder: Path, *flags: str, config: str = "{}") -> Iterator[str]:
    """Start one over what the folder holds as `data`, and give its URL."""
    (folder / "prometheus.yml").write_text(config)
    for _ in range(TRIES):
        with _running(folder, flags) as url:
            if url:
                yield url
                return
    raise AssertionError((folder / "log").read_text())


@contextmanager
def _running(folder: Path, flags: Sequence[str]) -> Iterator[str]:
    """Its URL; empty when it ended at once, as it does when somebody took its port meanwhile."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}", *flags],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        yield url if _is_ready(process, f"{url}/-/ready") else ""
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _is_ready(process: subprocess.Popen[bytes], url: str) -> bool:
    """Whether it came up: false once it has ended. AssertionError when it does neither."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while process.poll() is None:
        assert time.monotonic() < deadline, f"{url} did not answer"
        try:
            if httpx.get(url, trust_env=False, timeout=2).status_code == 200:
                return True
        except httpx.HTTPError:
            pass
        pause.wait(0.05)
    return False
