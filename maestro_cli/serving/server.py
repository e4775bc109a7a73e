"""The process: load, listen, serve, drain, end.

Invariant: after the first SIGTERM or SIGINT readiness is 503 at once, requests are served for the drain
time, then those in flight are finished and the process exits 0; a second signal ends it on the spot.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import NoReturn

import uvicorn

from maestro_cli.core.errors import ExitCode, InvalidFile
from maestro_cli.core.files import write_atomically
from maestro_cli.serving.application import Application
from maestro_cli.serving.assembly import assemble
from maestro_cli.serving.background import share_fairly, watch_lag
from maestro_cli.serving.connections import BoundedConnection
from maestro_cli.serving.errors import StartRefused
from maestro_cli.serving.options import Options
from maestro_cli.serving.telemetry.logs import LibraryLog, Log

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75  # longer than clients keep theirs: the side that closes first loses no request


def run(options: Options) -> ExitCode:
    """Serve until told to stop, and end the process with 0.

    Returns 3 without its keys or certificates, 12 when the address cannot be had.
    """
    log = Log()
    LibraryLog(log).install()
    share_fairly()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_before_serving)
    executor = ThreadPoolExecutor(options.workers, thread_name_prefix="infer")
    try:
        tls = _tls(options)
        replica = assemble(options, log, executor)
        listener = listen(options.host, options.port)
    except InvalidFile as error:
        log.error("cannot start", error=str(error), why=error.why or None)
        return ExitCode.INVALID_FILE
    except StartRefused as error:
        log.error("cannot start", error=str(error))
        return ExitCode.ACTION_FAILED
    except OSError as error:
        log.error("cannot listen", host=options.host, port=options.port, error=error.strerror or str(error))
        return ExitCode.ACTION_FAILED
    server = _Server(Application(replica), options, log, tls)
    log.start()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.run_until_drained(listener))
    executor.shutdown(wait=False, cancel_futures=True)
    replica.tracing.close()
    if replica.injector is not None:
        replica.injector.close()
    log.info("stopped")
    log.close()
    return _leave(ExitCode.OK)


def _leave(code: ExitCode) -> NoReturn:
    """End the process as it is: the interpreter would wait for runs on the workers, that nobody wants."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tls(options: Options) -> ssl.SSLContext | None:
    """Raises InvalidFile; what it needs is imported only where TLS is wanted."""
    if options.access.tls is None:
        return None
    from maestro_cli.serving.access.tls import make_context

    return make_context(options.access.tls)


def _stop_before_serving(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Its protocol is named: asyncio turns Nagle's algorithm off only for sockets that
    say IPPROTO_TCP, and `socket.create_server` says 0, which costs 40 ms an answer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """uvicorn with this process's signals, and a drain time before it stops to accept."""

    def __init__(
        self, application: Application, options: Options, log: Log, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=BoundedConnection,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, round(options.grace_seconds)),
            )
        )
        if tls is not None:
            from maestro_cli.serving.access.tls import NamedClients

            self.config.load()
            self.config.http_protocol_class, self.config.ssl = NamedClients, tls
        self._replica = application.replica
        self._options = options
        self._log = log
        self._drain: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """uvicorn's own handling ends the process by the signal; ours is set in run_until_drained."""
        yield

    async def run_until_drained(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        beside = [
            loop.create_task(self._replica.shadows.run()),
            loop.create_task(watch_lag(self._replica.metrics.loop_lag.observe)),
        ]
        if self._replica.routing_file is not None:
            beside.append(loop.create_task(self._replica.routing_file.follow(self._replica.router)))
        if self._replica.keys_file is not None:
            beside.append(loop.create_task(self._replica.keys_file.follow()))
        gc.collect()
        gc.freeze()  # what is there now stays: no collection has to look through it while a request waits
        try:
            await self.serve(sockets=[listener])
        finally:
            for task in beside:
                task.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            ready = not self._replica.faults
            if self._options.announce is not None:
                facts = {"pid": os.getpid(), "host": host, "port": port, "ready": ready}
                write_atomically(self._options.announce, json.dumps(facts))
            self._log.info("serving", host=host, port=port, ready=ready, pid=os.getpid())

    def _on_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        if self._replica.draining:
            self._log.warning("stopped at once", signal=name)
            self._log.close()
            os._exit(
                128 + number
            )  # nothing here outlives the process: no file, and a drill's children look for it
        self._replica.draining = True
        seconds = self._options.drain_seconds
        self._log.info("draining", signal=name, drain_seconds=seconds)
        self._drain = asyncio.get_running_loop().create_task(self._end_after(seconds))

    async def _end_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._replica.injector is not None:
            await self._replica.injector.slow_drain()
        self.should_exit = True
