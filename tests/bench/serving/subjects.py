"""The servers that are measured: how each is started, and what it takes.

Invariant: each has one process for inference, ONNX Runtime with one thread that does not spin, no cache of
answers and no access log; a server ends with the block that started it.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import psutil

from maestro_cli.local.ports import free_port
from tests.bench.serving import environments
from tests.bench.serving.cores import on_core
from tests.bench.serving.traffic import FILE, MODEL, MODELS, VERSION
from tests.bench.terminal import ROOT, Failed, environment

READY = f"/v2/models/{MODEL}/ready"
READY_SECONDS = 60.0
_PEERS = Path(__file__).resolve().parent / "peers"
_SLOW_NUMPY = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

Command = Callable[[int, Path], Sequence[str]]  # port and an empty folder → the words of the command line


@dataclass(frozen=True, slots=True)
class Subject:
    """A server by its name; `variables` go into its environment."""

    name: str
    command: Command
    variables: tuple[tuple[str, str], ...] = ()
    authority: Path | None = None  # of its certificate, when it speaks TLS


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready. `cold_seconds` is from its start to its first ready answer."""

    port: int
    process: psutil.Process
    cold_seconds: float
    tls: ssl.SSLContext | None

    def memory(self) -> tuple[float, float]:
        """RSS and PSS of the process and its children, in MB (1,000,000 bytes)."""
        tree = [self.process, *self.process.children(recursive=True)]
        full = [one.memory_full_info() for one in tree]
        return sum(one.rss for one in full) / 1e6, sum(one.pss for one in full) / 1e6

    def processor_seconds(self) -> float:
        """Of the process and its children since they began."""
        tree = [self.process, *self.process.children(recursive=True)]
        return float(sum(sum(one.cpu_times()[:2]) for one in tree))


def ours(name: str = "maestro", *arguments: str, authority: Path | None = None) -> Subject:
    """`maestro serve` as it ships but for its cache of answers; with further arguments."""
    return _ours(name, ["-m", "maestro_cli.serving"], arguments, authority)


def with_shadow(name: str, ailment: str, *arguments: str) -> Subject:
    """The same with a shadow that ails as `ailing` says."""
    return _ours(name, ["-m", "tests.bench.serving.ailing", ailment], arguments, None)


def _ours(name: str, start: Sequence[str], arguments: Sequence[str], authority: Path | None) -> Subject:
    words = ["--models", str(MODELS), "--serve", f"{MODEL}={VERSION}", "--cache-bytes", "0", *arguments]
    paths = (("PYTHONPATH", str(ROOT)),)
    return Subject(
        name, lambda port, _: [sys.executable, *start, *words, "--port", str(port)], paths, authority
    )


def echo(body: str) -> Subject:
    """A server that does nothing but answer."""
    words = [sys.executable, "-m", "tests.bench.serving.echo"]
    return Subject("nothing", lambda port, _: [*words, str(port), body], (("PYTHONPATH", str(ROOT)),))


def mlserver() -> Subject:
    """MLServer with its inference in the process that answers."""
    program = environments.installed("mlserver", environments.MLSERVER) / "mlserver"
    return Subject("MLServer", lambda port, where: _mlserver(program, port, where), _peer_variables())


def fastapi() -> Subject:
    program = environments.installed("fastapi", environments.FASTAPI) / "uvicorn"
    words = [str(program), "fastapi_app:app", "--no-access-log", "--log-level", "warning", "--port"]
    return Subject("FastAPI", lambda port, _: [*words, str(port)], _peer_variables())


def _peer_variables() -> tuple[tuple[str, str], ...]:
    return ("PYTHONPATH", str(_PEERS)), ("MODEL_FILE", str(FILE))


def _mlserver(program: Path, port: int, where: Path) -> list[str]:
    settings = {
        "debug": False, "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(),
        "metrics_port": free_port(), "parallel_workers": 0, "cache_enabled": False,
    }  # fmt: skip
    parameters = {"uri": str(FILE), "version": str(VERSION)}
    model = {"name": MODEL, "implementation": "mlserver_runtime.Onnx", "parameters": parameters}
    (where / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (where / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
    return [str(program), "start", str(where)]


@contextmanager
def started(subject: Subject, folder: Path, core: int) -> Iterator[Running]:
    """That server on that core, ready; raises Failed when it does not become so."""
    where = folder / subject.name.replace(" ", "-")
    where.mkdir(parents=True, exist_ok=True)
    port = free_port()
    own = {name: text for name, text in environment(where).items() if name not in _SLOW_NUMPY}
    with (where / "log").open("wb") as log:
        began = time.perf_counter()
        with on_core(core):
            child = subprocess.Popen(
                subject.command(port, where), cwd=where, env={**own, **dict(subject.variables)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            tls = None
            if subject.authority is not None:
                tls = ssl.create_default_context(cafile=str(subject.authority))
            _await(child, subject.name, port, tls, where / "log")
            yield Running(port, psutil.Process(child.pid), time.perf_counter() - began, tls)
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _await(
    child: subprocess.Popen[bytes], name: str, port: int, tls: ssl.SSLContext | None, log: Path
) -> None:
    deadline, pause = time.monotonic() + READY_SECONDS, Event()
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise Failed(f"{name} ended with {child.returncode}: {_last(log)}")
        with suppress(OSError, http.client.HTTPException):
            connection = (
                http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                if tls is None
                else http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=tls)
            )
            try:
                connection.request("GET", READY)
                if connection.getresponse().status == 200:
                    return
            finally:
                connection.close()
        pause.wait(0.01)
    raise Failed(f"{name} was not ready within {READY_SECONDS:.0f} s: {_last(log)}")


def _last(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace").strip()[-400:]


def packages() -> dict[str, dict[str, str]]:
    """The versions that matter, by environment."""
    told = {}
    for name, requirements in (("mlserver", environments.MLSERVER), ("fastapi", environments.FASTAPI)):
        found = environments.versions(environments.installed(name, requirements))
        chosen = ("mlserver", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "pydantic", "orjson")
        told[name] = {one: found[one] for one in (*chosen, "onnxruntime", "numpy") if one in found}
    return told
