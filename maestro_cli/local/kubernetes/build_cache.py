"""The binaries that were built: where they are, whether they are whole, and which may go.

Invariant: a folder under its key holds a complete binary or is told to be broken; whatever else a build
makes is in a `building-*` folder, which is nobody's once the lock is free.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from maestro_cli.config.locations import cache_dir
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import write_atomically
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.local.kubernetes.build_target import NAME, Module, Target, this_machine

VARIABLE = "MAESTRO_KUBERNETES_BINARY"
BUILDING = "building-"
_RECORD = "build.json"
_POLL_SECONDS = 0.1
_SILENT_SECONDS = 1.0  # what takes longer is told
_UNUSED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Binary:
    """A control plane that can be run on its target. `origin`: environment, cache or built."""

    path: Path
    target: Target
    kubernetes: str
    etcd: str
    sources: str
    size_bytes: int
    origin: str
    build_seconds: float | None = None  # None for one that was built elsewhere
    go: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a binary may take to say what it is, unless the user cancels first; who is told of a wait."""

    seconds: float = 120.0  # a large program on a busy machine
    cancellation: Cancellation = field(default_factory=Cancellation)
    progress: Progress = field(default_factory=Quiet)


class BrokenBinary(Exception):
    """A file that should be the binary and is not; the text says why."""


def builds_folder() -> Path:
    """Where all builds of this user are."""
    return cache_dir() / "kubernetes"


def named_binary(
    environment: Mapping[str, str], module: Module, patience: Patience | None = None
) -> Binary | None:
    """The binary that MAESTRO_KUBERNETES_BINARY names, if it names one. Raises InvalidFile, Interrupted."""
    patience = patience or Patience()
    named = environment.get(VARIABLE)
    if not named:
        return None
    path = Path(named).expanduser().absolute()
    expected = Binary(
        path, this_machine(), module.kubernetes, module.etcd, module.sources, 0, origin="environment"
    )
    try:
        size = check(expected, patience)
        return replace(expected, size_bytes=size, go=str(_answer(path, patience).get("go", "")))
    except BrokenBinary as error:
        raise InvalidFile(
            "is not the control plane this maestro runs",
            file=str(path),
            key=VARIABLE,
            why=str(error),
            fix=f"build it with this version of maestro: maestro local build; or unset {VARIABLE}",
        ) from None


def cached_binary(module: Module, target: Target, patience: Patience | None = None) -> Binary | None:
    """The binary in the cache, or None. Raises BrokenBinary, Interrupted."""
    folder = builds_folder() / module.key(target)
    if not folder.is_dir():
        return None
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        binary = Binary(
            folder / NAME,
            target,
            module.kubernetes,
            module.etcd,
            module.sources,
            int(record["size_bytes"]),
            origin="cache",
            build_seconds=float(record["build_seconds"]),
            go=str(record["go"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenBinary(f"{folder / _RECORD} cannot be read ({error})") from None
    size = check(binary, patience or Patience())
    if size != binary.size_bytes:
        raise BrokenBinary(f"{binary.path} has {size} bytes instead of {binary.size_bytes}")
    with suppress(OSError):  # a cache that cannot be written is a cache all the same
        os.utime(folder / _RECORD)
    return binary


def write_record(folder: Path, binary: Binary) -> None:
    """Say beside the binary what it is."""
    record = {
        "schema": "maestro.kubernetes.build/1",
        "kubernetes": binary.kubernetes,
        "etcd": binary.etcd,
        "sources": binary.sources,
        "target": str(binary.target),
        "size_bytes": binary.size_bytes,
        "build_seconds": binary.build_seconds,
        "go": binary.go,
    }
    write_atomically(folder / _RECORD, json.dumps(record, indent=1) + "\n")


def check(binary: Binary, patience: Patience) -> int:
    """The size in bytes of a binary that can be executed and answers what is expected of it.

    One for another machine is not run. Raises BrokenBinary, Interrupted.
    """
    if not binary.path.is_file():
        raise BrokenBinary(f"there is no file {binary.path}")
    if not os.access(binary.path, os.X_OK):
        raise BrokenBinary(f"{binary.path} may not be executed")
    if binary.target == this_machine():
        answer = _answer(binary.path, patience)
        wanted = {"kubernetes": binary.kubernetes, "etcd": binary.etcd, "sources": binary.sources}
        wrong = [
            f"{name} {answer.get(name)!r} instead of {value!r}"
            for name, value in wanted.items()
            if answer.get(name) != value
        ]
        if wrong:
            raise BrokenBinary(f"{binary.path} answers {', '.join(wrong)}")
    return binary.path.stat().st_size


def other_builds(module: Module) -> list[Path]:
    """The folders of binaries that this maestro did not make."""
    folders = [record.parent for record in builds_folder().glob(f"*/{_RECORD}")]
    return sorted(
        folder
        for folder in folders
        if not folder.name.startswith(BUILDING) and not folder.name.endswith(f"-{module.sources}")
    )


def long_unused(folder: Path) -> bool:
    """Whether nobody asked for this binary for a month."""
    try:
        return time.time() - (folder / _RECORD).stat().st_mtime > _UNUSED_DAYS * 86_400
    except OSError:
        return False


def remove_builds(module: Module, wanted: Callable[[Path], bool]) -> tuple[list[Path], list[Path]]:
    """Remove other maestros' binaries that are `wanted` gone; those removed, and those that run."""
    running = _running_programs()
    removed, kept = [], []
    for folder in filter(wanted, other_builds(module)):
        if str((folder / NAME).resolve()) in running:
            kept.append(folder)
            continue
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(folder)
    return removed, kept


def _running_programs() -> set[str]:
    import psutil

    return {process.info["exe"] for process in psutil.process_iter(["exe"]) if process.info["exe"]}


def _answer(path: Path, patience: Patience) -> Mapping[str, object]:
    """What the binary says it is; raises BrokenBinary, Interrupted."""
    try:
        process = subprocess.Popen(
            [path, "version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in a terminal is for us: it must not look like a broken binary
        )
    except OSError as error:
        raise BrokenBinary(f"{path} does not run ({error})") from None
    with process:
        try:
            out, err = _said(process, path, patience)
        except TimeoutError:
            why = f"{path} does not answer `version` within {patience.seconds:g} s"
            raise BrokenBinary(why) from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    try:
        answer = json.loads(out)
    except ValueError:
        said = (err or out).strip()[-200:] or f"nothing, with status {process.returncode}"
        raise BrokenBinary(f"{path} does not answer `version` ({said})") from None
    if not isinstance(answer, dict):
        raise BrokenBinary(f"{path} answers something else to `version`")
    return answer


def _said(process: subprocess.Popen[str], path: Path, patience: Patience) -> tuple[str, str]:
    """Its whole output. Raises TimeoutError, Interrupted."""
    started, is_told = time.monotonic(), False
    while True:
        try:
            return process.communicate(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            patience.cancellation.raise_if_set()
        waited = time.monotonic() - started
        if waited > patience.seconds:
            raise TimeoutError
        if waited > _SILENT_SECONDS and not is_told:
            is_told = True
            told = f"waiting up to {patience.seconds:g} s for {path} to say what it is"
            patience.progress.note(told)
