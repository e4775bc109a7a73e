"""The spawner where the machine refuses."""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
import tempfile

import pytest

from maestro_cli.local.kubelet import spawner


def test_a_fork_that_is_refused_fails_that_start_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(spawner, "_inherit_orphans", lambda: None)  # not for the process of the tests
    monkeypatch.setattr(os, "fork", refused)
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as order:
        order.write(b'{"argv": ["true"], "env": {}, "cwd": "/"}')
        order.flush()
        output = os.open(os.devnull, os.O_WRONLY)
        body = json.dumps({"start": "1-1"}).encode()
        socket.send_fds(ours, [struct.pack(">I", len(body)) + body], [output, order.fileno()])
        os.close(output)
        before = set(os.listdir("/dev/fd"))
        assert spawner.Spawner(theirs)._receive(), "it goes on"
        assert set(os.listdir("/dev/fd")) == before, "no descriptor is left"
        answer = ours.recv(1000)[4:]
    assert json.loads(answer) == {"failed": "1-1", "errno": errno.EAGAIN}
