"""The console while 500 of 10,000 pods change a second: what becomes of its memory, and of the keys.

`SOAK_SECONDS` is how long, a minute unless told; an hour is the budget's. Keys are pressed in its pane all
the while, and each must be seen to do what it does. `SOAK_LOG` is a file that gets a line a minute.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.cluster import configure
from tests.bench.console import remembering
from tests.bench.figures import Figure
from tests.bench.pane import Pane, pane
from tests.bench.population import NAMESPACES
from tests.bench.terminal import BIN, ROOT, Failed, environment, folder

PODS, RATE = 10_000, 500.0
KEY_MS, MEMORY_MB = 50.0, 200.0
WARM_SECONDS = 20.0
LOST_SECONDS = 60.0  # a key that has done nothing until then is lost
PAUSE_SECONDS = 0.4  # between two keys, and a part that differs
SAMPLE_SECONDS = 60.0
_TURN = 120  # rows down before it goes up again: more than two screens
_CURSOR = re.compile(r"▸\s+\S+\s+(model-\d{5})")


@dataclass
class Endured:
    """What was seen: milliseconds a key, and resident megabytes over time."""

    key_ms: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    core_percent: float = 0.0
    kept_mb: float = 0.0
    seconds: float = 0.0


def measure() -> list[Figure]:
    """One console; every key in turn down and up."""
    seconds = float(os.environ.get("SOAK_SECONDS", "60"))
    with folder() as home, event_server() as url:
        kubeconfig = home / "kubeconfig"
        kubeconfig.write_text(json.dumps(_kubeconfig(url)), encoding="utf-8")
        configure(home, kubeconfig)
        remembering(home)
        words = [str(BIN / "maestro"), "tui", "--screen", "pods"]
        with pane(words, environment(home)) as opened:
            opened.await_text("model-00000", "10,000", since=opened.started)
            time.sleep(WARM_SECONDS)
            endured = endure(opened, seconds)
        state = (home / "state").rglob("*")
        endured.kept_mb = sum(one.stat().st_size for one in state if one.is_file()) / 2**20
    return figures(endured)


@contextmanager
def event_server() -> Iterator[str]:
    """Its address, from when it answers until the end."""
    words = [sys.executable, "-m", "tests.bench.event_server", str(PODS), str(RATE)]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise Failed("the server of changes did not start")
        yield url
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "soak",
        "clusters": [{"name": "soak", "cluster": {"server": url}}],
        "users": [{"name": "soak", "user": {"token": "none"}}],
        "contexts": [{"name": "soak", "context": {"cluster": "soak", "user": "soak"}}],
    }


def row_name(row: int) -> str:
    """Rows stand by namespace, then by name."""
    each = PODS // NAMESPACES
    return f"model-{row % each * NAMESPACES + row // each:05d}"


def endure(opened: Pane, seconds: float) -> Endured:
    """Press keys until the time is over."""
    endured, at, step = Endured(), 0, 1
    opened.press("g")
    opened.await_text(_CURSOR.pattern.replace(r"model-\d{5}", row_name(0)))
    started, cpu, sampled = time.perf_counter(), opened.cpu_seconds(), 0.0
    while (elapsed := time.perf_counter() - started) < seconds or not endured.key_ms:
        if elapsed >= sampled:
            endured.memory_mb.append(opened.memory_mb())
            _log(endured, elapsed)
            sampled += SAMPLE_SECONDS
        step = 1 if at == 0 else -1 if at == _TURN else step
        opened.press("j" if step > 0 else "k")
        taken = _await_cursor(opened, row_name(at + step))
        if taken is None:
            endured.lost.append(f"{row_name(at)} {'j' if step > 0 else 'k'}")
            at = _where(opened, at)
        else:
            endured.key_ms.append(taken * 1e3)
            at += step
        time.sleep(PAUSE_SECONDS + len(endured.key_ms) % 7 * 0.013)
    endured.seconds = time.perf_counter() - started
    endured.memory_mb.append(opened.memory_mb())
    endured.core_percent = (opened.cpu_seconds() - cpu) / endured.seconds * 100
    return endured


def _await_cursor(opened: Pane, name: str) -> float | None:
    """Seconds until the cursor is there; None when it does not come."""
    started = time.perf_counter()
    while time.perf_counter() - started < LOST_SECONDS:
        found = _CURSOR.search(opened.text())
        if found is not None and found[1] == name:
            return time.perf_counter() - started
        time.sleep(0.002)
    return None


def _where(opened: Pane, believed: int) -> int:
    found = _CURSOR.search(opened.text())
    names = {row_name(row): row for row in range(_TURN + 1)}
    return names.get(found[1], believed) if found is not None else believed


def _log(endured: Endured, elapsed: float) -> None:
    if file := os.environ.get("SOAK_LOG"):
        line = (
            f"{elapsed:.0f} s  {endured.memory_mb[-1]:.1f} MB  "
            f"{len(endured.key_ms)} keys  {len(endured.lost)} lost\n"
        )
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(line)


def figures(endured: Endured) -> list[Figure]:
    keys = endured.key_ms
    notes = {
        "seconds": endured.seconds,
        "keys": len(keys),
        "lost": endured.lost,
        "median_ms": statistics.median(keys),
        "max_ms": max(keys),
        "memory_mb": endured.memory_mb,
    }
    ninety_nine = statistics.quantiles(keys, n=100)[98] if len(keys) > 1 else keys[0]
    grown = endured.memory_mb[-1] - endured.memory_mb[0]
    return [
        Figure(
            "console, 500 changes/s: key until it is seen, p99", "ms", (ninety_nine,), KEY_MS, notes=notes
        ),
        Figure("  median", "ms", (statistics.median(keys),)),
        Figure("  keys that were lost", "keys", (float(len(endured.lost)),), 0, True),
        Figure("  keys", "keys", (float(len(keys)),)),
        Figure("  seconds", "s", (endured.seconds,)),
        Figure("  memory at the end", "MB", (endured.memory_mb[-1],), MEMORY_MB),
        Figure("  more than at the start", "MB", (grown,)),
        Figure("  core", "%", (endured.core_percent,)),
        Figure("  written to the state folder", "MB", (endured.kept_mb,)),
    ]
