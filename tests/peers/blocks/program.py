"""What writes blocks of Prometheus' storage: built once, in a second, into the cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maestro_cli.config.locations import cache_dir

HERE = Path(__file__).resolve().parent
_SOURCES = sorted([HERE / "go.mod", *HERE.glob("*.go")])
_MADE_OF = hashlib.sha256(b"".join(file.read_bytes() for file in _SOURCES)).hexdigest()
BUILT = cache_dir() / "peers" / f"blocks-{_MADE_OF[:12]}"  # of whoever imports this: tests have other folders


class NotBuilt(Exception):
    """There is no Go, or it does not compile."""


def write_blocks(folder: Path, block_seconds: int, series: Iterable[dict[str, Any]]) -> None:
    """The blocks of these series into an empty folder. Raises NotBuilt, CalledProcessError."""
    lines = "\n".join(json.dumps(one) for one in series)
    subprocess.run([str(_program()), str(folder), str(block_seconds)], input=lines.encode(), check=True)


def _program() -> Path:
    if BUILT.is_file():
        return BUILT
    go = shutil.which("go")
    if go is None:
        raise NotBuilt("what writes blocks is built with Go, which is not on the path")
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    unfinished = BUILT.with_name(f".{BUILT.name}.{os.getpid()}")
    words = [go, "build", "-buildvcs=false", "-o", str(unfinished), "."]
    environment = {**os.environ, "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(words, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotBuilt(f"what writes blocks was not built: {done.stderr.strip()[-400:]}")
    unfinished.rename(BUILT)
    return BUILT
