"""Programs of others, as peers in benchmarks and as oracles in tests: built once into the cache folder.

`tests/peers/go.mod` names each with a `tool` line and pins all that they are made of. Another peer is one
more `tool` line (`go get -tool PACKAGE@VERSION`) and one more entry here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from maestro_cli.config.locations import cache_dir

HERE = Path(__file__).resolve().parent
PACKAGES = {"k9s": "github.com/derailed/k9s"}


class NoPeer(Exception):
    """It cannot be built here."""


def peer(name: str) -> Path:
    """The program, built now where the cache has none of these versions; that can take half an hour.

    Raises NoPeer without Go, without the modules, or when it does not compile.
    """
    pinned = hashlib.sha256(b"".join((HERE / file).read_bytes() for file in ("go.mod", "go.sum")))
    folder = cache_dir() / "peers" / pinned.hexdigest()[:12]
    built = folder / name
    if built.exists():
        return built
    go = shutil.which("go")
    if go is None:
        raise NoPeer(f"{name} is built with Go, which is not on the path")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{name}.{os.getpid()}"
    words = [
        "nice",
        "-n",
        "19",
        go,
        "build",
        "-buildvcs=false",
        "-o",
        str(unfinished),
        PACKAGES[name],
    ]
    environment = {**os.environ, "GOTOOLCHAIN": "auto", "GOFLAGS": "-mod=readonly"}
    try:
        done = subprocess.run(words, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoPeer(f"{name} was not built: {done.stderr.strip()[-400:]}")
        unfinished.rename(built)
    finally:
        unfinished.unlink(missing_ok=True)
    return built
