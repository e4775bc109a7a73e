"""A command that was forked from a process that had imported maestro is as one that was started."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.core.errors import ExitCode
from tests.cli import forked, program
from tests.cli.program import maestro, started


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], ExitCode.OK),
        (["help", "exit-codes", "-o", "json"], ExitCode.OK),
        (["journal", "show", "-o", "json"], ExitCode.OK),
        (["journal", "show", "--nope"], ExitCode.USAGE),
        (["incident", "show", "latest"], ExitCode.NOT_FOUND),
        (["status"], ExitCode.UNREACHABLE),
        (["context", "show", "lab"], ExitCode.OK),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_it_says_and_ends_the_same(arguments: list[str], code: ExitCode, journal_file: Path) -> None:
    whole = started(*arguments)
    assert maestro(*arguments) == whole
    assert whole.code == code


def test_it_has_its_own_environment_folder_and_input(tmp_path: Path, journal_file: Path) -> None:
    (tmp_path / "maestro.yaml").write_text("current_context: lab\n", encoding="utf-8")
    for env in ({}, {"MAESTRO_CONTEXT": "prod"}, {"MAESTRO_CONTEXT": "nowhere"}):
        for folder in (tmp_path, None):
            told = ("context", "list", "-o", "json")
            assert maestro(*told, env=env, cwd=folder) == started(*told, env=env, cwd=folder)
    read = ("runbook", "lint", "/dev/stdin")
    assert maestro(*read, stdin="# Nothing\n") == started(*read, stdin="# Nothing\n")


def kill(pid: int, sign: int, send: Callable[[int, int], None] = os.kill) -> None:
    send(pid, sign)


def find_it_gone(pid: int, sign: int) -> None:
    """As it is where it ends just before."""
    kill(pid, sign)
    raise ProcessLookupError


@pytest.mark.parametrize("ends", [kill, find_it_gone])
def test_one_that_takes_too_long_is_killed_and_the_next_one_works(
    configured: Path, monkeypatch: pytest.MonkeyPatch, ends: Callable[[int, int], None]
) -> None:
    with monkeypatch.context() as limited:
        limited.setattr(program, "_LIMIT_SECONDS", 0.1)
        limited.setattr(os, "kill", ends)
        with pytest.raises(subprocess.TimeoutExpired):
            maestro("incident", "watch", "--context", "lab")
    assert started("--version") == maestro("--version")


def test_while_one_runs_another_is_started_and_does_not_wait(tmp_path: Path) -> None:
    forks = forked.Forks()
    try:
        with forks._turn, (tmp_path / "stream").open("w+b") as stream:
            assert forks.run(("--version",), {}, tmp_path, (stream, stream, stream), 60) is None
    finally:
        forks.close()


def test_that_the_process_that_forks_is_gone_is_said() -> None:
    near, far = socket.socketpair()
    far.close()
    with near, pytest.raises(ChildProcessError, match="has ended"):
        forked._heard(near)
