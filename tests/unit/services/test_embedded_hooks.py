"""Whoever asks through a Service tells silence from nobody being there."""

from __future__ import annotations

import socket

import pytest

from maestro_cli.core.errors import Unreachable
from maestro_cli.services.embedded_hooks import _dialled


def test_where_nobody_listens_nothing_is_known_of_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    with pytest.raises(Unreachable, match="takes no connection"):
        _dialled("127.0.0.1", port, 1.0)


def test_what_is_not_taken_in_time_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", slow)
    assert _dialled("127.0.0.1", 1, 0.1) is None
