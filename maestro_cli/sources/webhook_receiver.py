"""Where Alertmanager posts its webhook messages.

Invariant: 200 is sent only after `on_message` came back, so a message is kept or sent again; nothing is
kept without the token, and never more than MAX_BODY_BYTES. Alertmanager retries 5xx and nothing else.
"""

from __future__ import annotations

import hmac
import json
import socket
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from maestro_cli.core.errors import Busy, InvalidFile, MaestroError, Unreachable
from maestro_cli.core.facts.alerts import WebhookMessage
from maestro_cli.sources.alertmanager import parse_webhook

PATH = "/webhook/alertmanager"
MAX_BODY_BYTES = 5 * 2**20
READ_SECONDS = 10.0
LINGER_BYTES, LINGER_SECONDS = 8 * MAX_BODY_BYTES, 5.0  # of a refused body, to be forgotten
MAX_CONNECTIONS = 32
SLOT_SECONDS = 1.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Proof:
    """A header of a request that proves who sends; never shown."""

    header: str
    value: str = field(repr=False)


def bearer(token: str) -> Proof:
    """What `authorization: {credentials: …}` of an Alertmanager sends."""
    return Proof("Authorization", f"Bearer {token}" if token else "")


def basic(username: str, password: str) -> Proof:
    """What its `basic_auth` sends."""
    return Proof("Authorization", f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}")


def shared_secret(secret: str) -> Proof:
    """What its `http_headers`, or a proxy before maestro, sends."""
    return Proof("X-Maestro-Secret", secret)


class WebhookReceiver:
    """A small HTTP server in threads of its own: POST /webhook/alertmanager, GET /healthz.

    `on_message` must have stored the message when it returns; its errors answer 500, and `on_error` (called
    from the server's threads) hears of them.
    """

    def __init__(
        self,
        proofs: str | Sequence[Proof],
        on_message: Callable[[WebhookMessage], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_error: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Any one of the proofs will do; a text is a bearer token."""
        accepted = [bearer(proofs)] if isinstance(proofs, str) else list(proofs)
        if not accepted or not all(proof.value for proof in accepted):
            raise ValueError("a webhook receiver needs a token")
        try:
            self._server = _Server((host, port), accepted, on_message, on_error)
        except OSError as error:
            raise Unreachable(
                f"cannot listen on {host}:{port}",
                why=error.strerror or str(error),
                fix="choose another port, or 0",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="webhook"
        )

    @property
    def port(self) -> int:
        """The port it has, also when 0 was asked for."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """What to put into Alertmanager's `webhook_configs.url`."""
        host = str(self._server.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{PATH}"

    def start(self) -> WebhookReceiver:
        """Begin to answer; connections made since the constructor are waiting already."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port, and let messages that are being stored finish.

        Safe to call twice, or before start.
        """
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.finish_deliveries(STOP_SECONDS)

    def __enter__(self) -> WebhookReceiver:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a silent client must not hold up stop()
    request_queue_size = 128  # of a storm; the standard library's 5 makes senders wait for seconds

    def __init__(
        self,
        address: tuple[str, int],
        proofs: Sequence[Proof],
        on_message: Callable[[WebhookMessage], None],
        on_error: Callable[[BaseException], None] | None,
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.proofs = [(proof.header, proof.value.encode()) for proof in proofs]
        self.on_message = on_message
        self.on_error = on_error
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._delivering, self._is_ending = 0, False
        self._deliveries = threading.Condition()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Waiting here holds the others back in the kernel's queue; who waits too long is sent away."""
        if self._slots.acquire(timeout=SLOT_SECONDS):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, then free its slot."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def deliver(self, message: WebhookMessage) -> None:
        """Hand the message on; raises Busy once the receiver is stopping."""
        with self._deliveries:
            if self._is_ending:
                raise Busy("the receiver is stopping")
            self._delivering += 1
        try:
            self.on_message(message)
        finally:
            with self._deliveries:
                self._delivering -= 1
                self._deliveries.notify_all()

    def finish_deliveries(self, seconds: float) -> None:
        """Take no more messages, and wait for those that are being stored."""
        with self._deliveries:
            self._is_ending = True
            self._deliveries.wait_for(lambda: self._delivering == 0, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell `on_error`, and never the terminal: the standard library prints a traceback here."""
        error = sys.exc_info()[1]
        if error is not None and self.on_error is not None and not isinstance(error, ConnectionError):
            self.on_error(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "maestro"
    sys_version = ""
    timeout = READ_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Say that it lives."""
        if self.path == "/healthz":
            self._answer(200, "ok")
        elif self.path == PATH:
            self._answer(405, "POST only", {"Allow": "POST"})
        else:
            self._answer(404, "there is nothing here")

    def do_POST(self) -> None:
        """Take a message."""
        # Until the body is read, the connection cannot carry another request.
        self.close_connection = True
        if self.path != PATH:
            self._refuse(404, f"there is nothing here: post to {PATH}")
            return
        if not self._is_proven():
            self._refuse(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
            return
        body = self._body()
        if body is not None:
            self.close_connection = self.headers.get("Connection", "").lower() == "close"
            self._deliver(body)

    def _is_proven(self) -> bool:
        """Compare with every proof, each in a time that does not tell how much of it was right."""
        proven = False
        for header, expected in self.server.proofs:
            given = self.headers.get(header, "").encode("latin-1", "replace")  # as it came
            proven |= hmac.compare_digest(given, expected)
        return proven

    def do_PUT(self) -> None:
        """Refuse every other method."""
        self.close_connection = True
        self._refuse(405, "POST only", {"Allow": "POST"})

    do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_PUT

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._refuse(411, "Content-Length is needed")
            return None
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            self._refuse(413, f"more than {MAX_BODY_BYTES} bytes")
            return None
        deadline, body = time.monotonic() + READ_SECONDS, bytearray()
        while len(body) < int(length):
            chunk = self.rfile.read1(min(int(length) - len(body), 65_536))
            body += chunk
            if not chunk or time.monotonic() > deadline:
                self._answer(408, "the body did not arrive")
                return None
        return bytes(body)

    def _deliver(self, body: bytes) -> None:
        try:
            message = parse_webhook(body)
        except InvalidFile as error:
            self._answer(400, error.what)
            return
        stored = False
        try:
            self.server.deliver(message)
            stored = True
        except MaestroError as error:
            if self.server.on_error is not None:
                self.server.on_error(error)
        finally:
            # Also for errors nobody foresaw, which go on to handle_error: Alertmanager then sends again.
            if stored:
                self._answer(200, "stored")
            else:
                self.close_connection = True
                self._answer(500, "the message could not be stored; send it again")

    def _refuse(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        """Answer a request whose body is not read, and forget the body: to close a connection with bytes
        unread resets it, and who is still sending would not read the answer."""
        self._answer(status, text, headers)
        length = self.headers.get("Content-Length", "0")
        is_told = length.isascii() and length.isdigit() and "Transfer-Encoding" not in self.headers
        left = min(int(length[:12]), LINGER_BYTES) if is_told else LINGER_BYTES
        deadline = time.monotonic() + LINGER_SECONDS
        with suppress(OSError):  # it is gone
            self.connection.shutdown(socket.SHUT_WR)
            while left > 0 and (seconds := deadline - time.monotonic()) > 0:
                self.connection.settimeout(seconds)
                chunk = self.rfile.read1(min(left, 65_536))
                left = left - len(chunk) if chunk else 0

    def _answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"message": text}).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: stderr belongs to the command that listens."""
