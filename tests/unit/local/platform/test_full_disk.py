"""A platform on a full disk: the part that cannot work is shown as such, and what works goes on."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.local import platform_status as module
from maestro_cli.local.certificates import ensure_pki
from maestro_cli.local.instance import PartRecord, Record, read_record, write_record
from maestro_cli.local.platform_status import platform_status
from maestro_cli.local.programs import Programs
from maestro_cli.local.supervisor import loop
from maestro_cli.local.supervisor.model import Plan
from maestro_cli.output.renderers.platform import platform_view
from maestro_cli.output.views import Fields


@contextmanager
def _api(state: Path, code: int, text: str) -> Iterator[str]:
    """An HTTPS server that answers every request so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    pki = ensure_pki(state)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("code", "state", "told"),
    [(500, "failing", "[-]disk failed: full"), (200, "ready", ""), (401, "ready", "")],
)
def test_an_api_server_that_says_it_is_not_ready_is_shown_as_failing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, state: str, told: str
) -> None:
    monkeypatch.setattr(module, "marker_of", lambda pid: "local-1")
    now = "2026-01-01T00:00:00Z"
    with _api(tmp_path, code, "[-]disk failed: full\n") as url:
        cluster = PartRecord("cluster", "ready", os.getpid(), now, facts={"url": url})
        write_record(
            tmp_path, Record("local-1", os.getpid(), "ready", now, "drill", "lite", 1, parts=(cluster,))
        )
        status = platform_status(tmp_path, SystemClock())
    found = {part.name: part for part in status.parts}["cluster"]
    assert (found.state, found.reason) == (state, told)
    assert status.state == ("up" if state == "ready" else "degraded")
    fields = platform_view(status).blocks[0]
    assert isinstance(fields, Fields)
    assert (("cluster fails", "[-]disk failed: full") in fields.rows) == (state == "failing")


@pytest.mark.parametrize(
    ("platform", "part", "state"),
    [("ready", "ready", "up"), ("ready", "failed", "degraded"), ("ready", "starting", "degraded"),
     ("starting", "failed", "starting"), ("stopping", "stopped", "stopping")],
)  # fmt: skip
def test_a_platform_of_which_a_part_is_not_ready_is_degraded_and_the_part_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, part: str, state: str
) -> None:
    monkeypatch.setattr(module, "marker_of", lambda pid: "local-1")
    now = "2026-01-01T00:00:00Z"
    load = PartRecord("load", part, os.getpid(), now, reason="exited with code 3")
    write_record(tmp_path, Record("local-1", os.getpid(), platform, now, "drill", "lite", 1, parts=(load,)))
    status = platform_status(tmp_path, SystemClock())
    assert status.state == state
    fields = platform_view(status).blocks[0]
    assert isinstance(fields, Fields)
    assert ((f"load is {part}", "exited with code 3") in fields.rows) == (state == "degraded")


def test_a_record_that_cannot_be_written_ends_no_platform_and_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(tmp_path, "local-1", "drill", 5.0, "lite", 1, 1.0, Programs("p", "a"), watch=False)
    plan.config.mkdir()
    (plan.config / "manifests.json").write_text("[]")
    supervisor = loop.Supervisor(plan, {}, SystemClock())

    def full(state: Path, record: Record) -> None:
        raise OSError(28, "No space left on device", str(state))

    with monkeypatch.context() as patched:
        patched.setattr(loop, "write_record", full)
        with pytest.raises(OSError, match="No space left"):
            supervisor._publish()  # it is not up yet: it cannot come up so
        supervisor._ready_after = 1.0
        supervisor._publish()
    supervisor._publish()
    record = read_record(tmp_path)
    assert record is not None
    assert record.state == "ready"
