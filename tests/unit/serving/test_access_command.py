"""`maestro serve keys` writes files that the server reads, and shows a key once."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.core.errors import ExitCode
from maestro_cli.serving.access import command
from maestro_cli.serving.access.credentials import Unauthenticated
from maestro_cli.serving.access.guard import Caller, Guard
from maestro_cli.serving.access.keys import read_keys
from tests.unit.serving.test_access import NOON, SetClock, sends


class Bench:
    """The command and a server's guard, beside one file and one clock."""

    def __init__(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = file
        self.clock = SetClock(NOON)
        self._capsys = capsys
        self.error = ""

    def do(self, action: str, *arguments: str, code: int = 0) -> str:
        """Run it; its standard output."""
        assert command.run([action, str(self.file), *arguments], self.clock) == code
        told = self._capsys.readouterr()
        self.error = told.err
        return told.out

    def caller(self, key: str) -> Caller | None:
        """Whom a server with that file sees; None for nobody it knows."""
        guard = Guard(self.clock, ())
        guard.put(read_keys(self.file.read_text(encoding="utf-8"), "keys"))
        try:
            return guard.caller(sends(key.strip()))
        except Unauthenticated:
            return None


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path / "keys.yaml", capsys)


def test_an_added_key_is_printed_once_and_its_secret_is_nowhere(bench: Bench) -> None:
    key = bench.do("add", "--id", "shop", "--role", "predictor", "--model", "fraud", "--days", "1")
    caller = bench.caller(key)
    assert caller is not None
    assert {str(permission) for permission in caller.permissions} == {"predict"}
    assert caller.models == frozenset({"fraud"})
    secret = key.strip().rpartition("mk_shop_")[2]
    assert secret not in bench.file.read_text(encoding="utf-8")
    assert secret not in bench.do("list")
    assert bench.file.stat().st_mode & 0o777 == 0o600
    bench.clock.at += timedelta(days=1)
    assert bench.caller(key) is None
    assert "  no  " in bench.do("list")


def test_a_rotated_key_holds_beside_the_old_one_for_the_overlap(bench: Bench) -> None:
    old = bench.do("add", "--id", "shop", "--role", "viewer", "--role", "chaos")
    new = bench.do("rotate", "--id", "shop", "--overlap-hours", "2")
    assert bench.caller(new) is not None
    assert bench.caller(old) == bench.caller(new)
    bench.do("rotate", "--id", "shop", code=ExitCode.ACTION_FAILED)
    assert "wait until the old one ends" in bench.error
    bench.clock.at += timedelta(hours=2)
    assert bench.caller(old) is None
    assert bench.caller(new) is not None
    newest = bench.do("rotate", "--id", "shop", "--overlap-hours", "0")
    assert (bench.caller(new), bench.caller(newest) is not None) == (None, True)
    assert len(read_keys(bench.file.read_text(encoding="utf-8"), "keys").keys) == 1


def test_a_key_that_ends_has_no_successor_that_never_does(bench: Bench) -> None:
    bench.do("add", "--id", "shop", "--role", "viewer", "--days", "30")
    bench.do("rotate", "--id", "shop", code=ExitCode.ACTION_FAILED)
    assert "--days" in bench.error
    key = bench.do("rotate", "--id", "shop", "--days", "30")
    bench.clock.at += timedelta(days=30)
    assert bench.caller(key) is None


def test_a_revoked_id_is_gone_with_all_its_keys(bench: Bench) -> None:
    keys = [bench.do("add", "--id", "shop", "--role", "viewer"), bench.do("rotate", "--id", "shop")]
    other = bench.do("add", "--id", "other", "--role", "viewer")
    assert bench.do("revoke", "--id", "shop") == ""
    assert [bench.caller(key) for key in keys] == [None, None]
    assert bench.caller(other) is not None


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", "--id", "there", "--role", "viewer"), ExitCode.ACTION_FAILED, "already"),
        (("add", "--id", "A b", "--role", "viewer"), ExitCode.INVALID_FILE, "lower-case"),
        (("add", "--id", "new", "--role", "viewer", "--model", "../x"), ExitCode.INVALID_FILE, "models"),
        (("revoke", "--id", "new"), ExitCode.ACTION_FAILED, "no key new"),
        (("rotate", "--id", "new"), ExitCode.ACTION_FAILED, "no key new"),
        (("rotate", "--id", "named"), ExitCode.ACTION_FAILED, "with a secret"),
    ],
)
def test_what_does_not_fit_is_told_and_leaves_the_file(
    bench: Bench, arguments: tuple[str, ...], code: ExitCode, told: str
) -> None:
    bench.do("add", "--id", "there", "--role", "viewer")
    assert bench.do("add", "--id", "named", "--role", "viewer", "--certificate", "cn.example") == ""
    before = bench.file.read_bytes()
    assert bench.do(*arguments, code=code) == ""
    assert told in bench.error
    assert bench.file.read_bytes() == before


@pytest.mark.parametrize("content", ["keys: [", None])
def test_a_file_that_cannot_be_read_is_told(bench: Bench, content: str | None) -> None:
    if content is not None:
        bench.file.write_text(content, encoding="utf-8")
    bench.do("list", code=ExitCode.INVALID_FILE)
    assert "keys.yaml" in bench.error


@pytest.mark.parametrize(("make", "why"), [(os.mkfifo, "Not a regular file"), (Path.mkdir, "Is a directory")])
def test_what_is_no_file_is_not_waited_for_and_said_to_be_none(
    bench: Bench, make: Callable[[Path], None], why: str
) -> None:
    make(bench.file)
    for arguments in (["list"], ["add", "--id", "shop", "--role", "viewer"]):
        bench.do(*arguments, code=ExitCode.INVALID_FILE)
        assert bench.error == f"error: {bench.file}: cannot be read: {why}\n"


def test_times_are_written_as_the_file_format_has_them(bench: Bench) -> None:
    bench.clock.at = datetime(2027, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
    bench.do("add", "--id", "shop", "--role", "viewer", "--days", "1")
    assert "expires: '2027-01-02T12:00:00Z'" in bench.file.read_text(encoding="utf-8")
