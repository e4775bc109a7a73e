"""`python -m maestro_cli.local.cluster --state DIR [--port 0]`: serve the API on loopback until SIGTERM.

Invariant: it is announced only once it answers, and a signal ends it at once, watches included.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from maestro_cli.core.errors import ExitCode, MaestroError
from maestro_cli.local.certificates import Pki, ensure_pki, kubelet_tls, write_kubeconfigs
from maestro_cli.local.cluster.access import Tokens
from maestro_cli.local.cluster.connections import ApiServer
from maestro_cli.local.cluster.disk import Disk
from maestro_cli.local.cluster.kinds import NAMESPACES
from maestro_cli.local.cluster.registry import Registry, now
from maestro_cli.local.cluster.server import Server
from maestro_cli.local.cluster.store import Store
from maestro_cli.local.process import announce, die_with_parent

DEFAULT_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_EXPIRE_SECONDS = 30.0
_LOG = logging.getLogger(__name__)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="maestro_cli.local.cluster", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the platform's state")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 lets the system choose")
    parser.add_argument("--history", type=int, default=20_000, help="events kept a kind")
    return parser.parse_args()


def _listening(port: int) -> socket.socket:
    # Named TCP, because asyncio turns Nagle's algorithm off on such sockets only.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as taken:
        sys.stderr.write(f"port {port} on 127.0.0.1 cannot be used: {taken.strerror}; --port 0 picks one\n")
        raise SystemExit(ExitCode.UNREACHABLE) from taken
    listener.listen(512)
    return listener


def _registry(disk: Disk, history: int) -> Registry:
    """The objects as an earlier process left them, and the namespaces every cluster has."""
    store = Store(history, disk.note, after=disk.revision())
    disk.undo = store.undo
    for kind, key, revision, raw in disk.load():
        store.restore(kind, key, revision, raw)
    registry = Registry(store)
    for name in DEFAULT_NAMESPACES:
        if store.get(NAMESPACES.shelf, ("", name)) is None:
            registry.create(NAMESPACES, "", {"metadata": {"name": name}})
    return registry


async def _expire(registry: Registry) -> None:
    """Remove old events now and then; etcd does it for the real server, by leases."""
    while True:
        try:
            registry.expire(now())
        except Exception:  # noqa: BLE001 - a defect must not end it unseen: the log tells, and it is tried again
            _LOG.exception("old events are not removed")
        await asyncio.sleep(_EXPIRE_SECONDS)


async def _serve(state: Path, pki: Pki, listener: socket.socket, disk: Disk, history: int) -> None:
    port = listener.getsockname()[1]
    url = f"https://127.0.0.1:{port}"
    registry = _registry(disk, history)
    await disk.settled()
    application = Server(registry, Tokens.read(pki.tokens), url, kubelet_tls(pki), disk)
    config = uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        ssl_certfile=pki.certificate,
        ssl_keyfile=pki.key,
    )
    server = ApiServer(config)

    def stop() -> None:
        server.should_exit = True
        application.close_streams()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    expiring = asyncio.ensure_future(_expire(registry))
    while not server.started and not serving.done():
        await asyncio.sleep(0.002)
    if server.started:
        write_kubeconfigs(state, pki, url)
        announce(state, "cluster", port=port, url=url)
    await serving
    expiring.cancel()


def main() -> None:
    die_with_parent()
    arguments = _arguments()
    pki = ensure_pki(arguments.state)
    listener = _listening(arguments.port)
    # Stored objects live long and make no cycles: looking through them again and again costs latency.
    gc.set_threshold(100_000, 50, 50)
    try:
        disk = Disk(arguments.state)
    except MaestroError as refusal:
        sys.stderr.write(f"{refusal.what}: {refusal.why}; {refusal.fix}\n")
        raise SystemExit(refusal.exit_code) from refusal
    try:
        asyncio.run(_serve(arguments.state, pki, listener, disk, arguments.history))
    finally:
        disk.close()


if __name__ == "__main__":
    main()
