"""Messages to people as a script meets them: they wait while a channel is down, and none is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import maestro

TELL = "# Tell\n\n```notify {id=tell to=env:CHAT}\nrolled back\n```\n"


class Chat(ThreadingHTTPServer):
    """A channel that answers with `status` and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Room)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/abcdefgh"


class Room(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def listed(*more: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(maestro("outbox", "list", "-o", "json", *more).out)["items"]
    return items


def test_a_message_waits_while_its_channel_is_down_and_is_delivered_once(
    configured: Path, tmp_path: Path, chat: Chat
) -> None:
    book = tmp_path / "tell.md"
    book.write_text(TELL)
    down = maestro("runbook", "run", str(book), env={"CHAT": "http://127.0.0.1:1/hooks/abcdefgh"})
    assert down.code == 0, down.err
    (waiting,) = listed()
    assert (waiting["standing"], waiting["attempts"], waiting["channel"]) == ("waiting", 1, "env:CHAT")
    assert "abcdefgh" not in down.out + json.dumps(waiting)
    here = maestro("outbox", "flush")  # without the variable nothing is tried
    assert (here.code, listed()) == (4, [waiting])
    assert "CHAT is not set" in here.out
    chat.status = 404
    assert maestro("outbox", "flush", env={"CHAT": chat.url}).code == 5
    assert [one["standing"] for one in listed()] == ["refused"]
    chat.status = 200
    assert maestro("outbox", "flush", env={"CHAT": chat.url}).code == 0
    assert (listed(), [one["standing"] for one in listed("--all")]) == ([], ["delivered"])
    assert [(one["text"], one["key"]) for one in chat.got] == [("rolled back", waiting["key"])] * 2


def test_a_message_is_given_up_by_its_id(configured: Path, tmp_path: Path) -> None:
    book = tmp_path / "tell.md"
    book.write_text(TELL)
    assert maestro("runbook", "run", str(book), env={"CHAT": "http://127.0.0.1:1/"}).code == 0
    (waiting,) = listed()
    assert maestro("outbox", "drop", waiting["id"], "--reason", "told by phone").code == 0
    assert listed() == []
    assert maestro("outbox", "drop", waiting["id"]).code == 2
    assert maestro("outbox", "drop", "msg-none").code == 6
    assert maestro("journal", "verify").code == 0
