"""The real etcd and API server, with the command lines of the platform and no controllers.

Invariant: nothing but the bench changes what is in it (a garbage collector would remove pods whose owner is
not there), and neither process outlives it.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.progress import Quiet
from maestro_cli.local.certificates import write_kubeconfigs
from maestro_cli.local.clusters import CLUSTERS
from maestro_cli.local.kubernetes.commands import ControlPlane, apiserver_command, etcd_command
from maestro_cli.local.kubernetes.files import write_files
from maestro_cli.local.ports import Ports
from tests.bench.terminal import Failed

READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class RunningPlane:
    """An API server without objects but its own; the administrator's token and kubeconfig."""

    server: str
    token: str
    authority: Path
    kubeconfig: Path


@contextmanager
def control_plane(state: Path) -> Iterator[RunningPlane]:
    """Start both; raises Failed when there is no binary or it does not start."""
    try:
        program = CLUSTERS["kubernetes"].program(os.environ, Quiet(), Cancellation())
    except MaestroError as error:
        raise Failed(f"{error.what}: {error.fix}") from error
    plane, ports = ControlPlane(state, program, fsync=False), Ports()
    (state / "logs").mkdir(parents=True)
    write_files(plane)
    store = ssl.create_default_context(cafile=plane.pki.etcd_ca)
    store.load_cert_chain(*plane.pki.etcd)
    with ExitStack() as running:
        etcd, api = ports.of("etcd"), ports.of("api")
        running.enter_context(_process(etcd_command(plane, etcd), state / "logs" / "etcd"))
        _await(f"https://127.0.0.1:{etcd}/health", store)
        running.enter_context(_process(apiserver_command(plane, api, etcd), state / "logs" / "apiserver"))
        server = f"https://127.0.0.1:{api}"
        _await(f"{server}/readyz", ssl.create_default_context(cafile=plane.pki.ca))
        write_kubeconfigs(plane.state, plane.pki, server)
        yield RunningPlane(server, plane.pki.token("admin"), plane.pki.ca, state / "admin.kubeconfig")


@contextmanager
def _process(words: Sequence[str], log: Path) -> Iterator[None]:
    with log.open("wb") as stream:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _await(url: str, tls: ssl.SSLContext) -> None:
    deadline, pause = time.monotonic() + READY_SECONDS, Event()
    last: httpx.HTTPError | None = None
    with httpx.Client(verify=tls, trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline:
            try:
                client.get(url).raise_for_status()
                return
            except httpx.HTTPError as error:
                last = error
            pause.wait(0.2)
    raise Failed(f"{url} did not answer within {READY_SECONDS:.0f} s: {last}")
