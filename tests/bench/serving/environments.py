"""The peers, installed from PyPI into environments of their own in maestro's cache folder.

Invariant: an environment is what its list of requirements says, or it is made anew.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from maestro_cli.config.locations import cache_dir
from tests.bench.terminal import Failed

_RUNTIME = ("onnxruntime", "numpy")  # the very versions that maestro runs with
MLSERVER = ("mlserver==1.7.1", "httptools")  # which it does not ask for; uvicorn is faster with it
FASTAPI = ("fastapi", "uvicorn[standard]", "orjson")
_SECONDS = 1200.0


def installed(name: str, requirements: Sequence[str], runtime: Sequence[str] = _RUNTIME) -> Path:
    """The folder of programs of that environment, made when it is not there; raises Failed."""
    wanted = [*requirements, *(f"{package}=={version(package)}" for package in runtime)]
    where = cache_dir() / "bench" / name
    stamp = where / "installed.json"
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8"))["wanted"] == wanted:
        return where / "bin"
    shutil.rmtree(where, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(where)])
    _run([str(where / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted])
    stamp.write_text(json.dumps({"wanted": wanted}) + "\n", encoding="utf-8")
    return where / "bin"


def versions(programs: Path) -> dict[str, str]:
    """What is installed there, by package; raises Failed."""
    words = [str(programs / "python"), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    return {one["name"].lower(): one["version"] for one in json.loads(_run(words))}


def _run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{words[0]}: {error}") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout
