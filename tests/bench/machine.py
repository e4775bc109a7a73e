"""Where a run was measured: figures without the machine, its load and the versions mean nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

from maestro_cli import __version__
from maestro_cli.journal.store import journal_mode
from tests.bench.terminal import ROOT


def machine() -> dict[str, Any]:
    """Processor, memory, system, versions and the commit, as a flat JSON object."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "file_system": _file_system(),
        "python": platform.python_version(),
        "sqlite": f"{sqlite3.sqlite_version}, {journal_mode()} journal",
        "maestro": __version__,
        "commit": _git("rev-parse", "--short", "HEAD"),
        "modified": bool(_git("status", "--porcelain", "--", "maestro_cli")),
    }


def load_average() -> float:
    """Runnable processes over the last minute; above the number of cores, times are too long."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _file_system() -> str:
    """The type of the file system under the checkout; it decides what fsync costs."""
    try:
        done = subprocess.run(
            ["stat", "-f", "-c", "%T", str(ROOT)], capture_output=True, text=True, timeout=5, check=False
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()
