"""People are told of incidents by the command that makes them; what it could not tell waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import maestro

CONFIG = """current_context: prod
contexts:
  prod:
    channels:
      chat: {kind: slack, url: env:CHAT}
      bell: {kind: bell}
    notify:
      - {to: [chat], on: [opened, resolved, update]}
"""


class Chat(ThreadingHTTPServer):
    """A mock of a chat: answers 200 and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[str] = []
        super().__init__(("127.0.0.1", 0), Room)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/abcdefgh"


class Room(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def chat() -> Iterator[Chat]:
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    with Chat() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def outbox() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(maestro("outbox", "list", "--all", "-o", "json").out)["items"]
    return items


def test_what_a_command_does_is_told_at_once_and_once(chat: Chat, tmp_path: Path) -> None:
    there = {"CHAT": chat.url}
    assert maestro("incident", "open", "checkout fails", "--severity", "sev1", env=there).code == 0
    assert chat.got == ["sev1 #1 checkout fails: opened as sev1: checkout fails"]
    for command in (["list"], ["show"], ["note", "latest", "hello"], ["ack", "latest"]):
        assert maestro("incident", *command, env=there).code == 0
    assert len(chat.got) == 1  # no route asks for more
    down = maestro("incident", "resolve", "latest", env={"CHAT": "http://127.0.0.1:1/services/abcdefgh"})
    assert down.code == 0, down.err
    assert "abcdefgh" not in down.out + down.err
    assert [one["standing"] for one in outbox()] == ["waiting", "delivered"]
    assert maestro("outbox", "flush", env=there).code == 0
    assert chat.got[1:] == ["sev1 #1 checkout fails: resolved"]


def test_a_channel_is_tried_by_hand_and_the_code_says_what_came_of_it(chat: Chat) -> None:
    assert maestro("notify", "test", "chat", env={"CHAT": chat.url}).code == 0
    assert chat.got == ["maestro: this is a test of the channel. Nothing is wrong."]
    assert maestro("notify", "test", "chat", env={"CHAT": "http://127.0.0.1:1/services/x"}).code == 4
    assert maestro("notify", "test", "chat", env={"CHAT": "no address"}).code == 5
    assert maestro("notify", "test", "bell").code == 4  # a test has no terminal
    unknown = maestro("notify", "test", "pager")
    assert unknown.code == 6
    assert unknown.err.splitlines()[1:] == [
        "maestro: error: there is no channel 'pager'",
        "  why: channels: chat, bell",
        "  fix: maestro notify list",
    ]
    listed = json.loads(maestro("notify", "list", "-o", "json").out)["items"]
    assert [(one["name"], one["kind"], one["refused"]) for one in listed] == [
        ("chat", "slack", 1),
        ("bell", "bell", 0),
    ]
