"""The journal of faults: durable, one writer, and true after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.serving.errors import ModelError, StartRefused
from maestro_cli.serving.faults.journal import LOST, FaultJournal, FaultRecord, read_journal

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def record(identity: str = "flt-1", seconds: float = 60) -> FaultRecord:
    return FaultRecord(
        identity, "latency", {"milliseconds": 5.0}, {"model": "fraud"}, NOW,
        NOW + timedelta(seconds=seconds), "127.0.0.1", 7, "a drill",
    )  # fmt: skip


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    journal = FaultJournal(tmp_path / "faults.jsonl", NOW)
    journal.began(record())
    assert read_journal(tmp_path / "faults.jsonl") == [record()]
    journal.ended("flt-1", NOW + timedelta(seconds=9), "removed", 3)
    [found] = read_journal(tmp_path / "faults.jsonl")
    assert (found.ended, found.ended_because, found.hits) == (NOW + timedelta(seconds=9), "removed", 3)
    assert (found.kind, found.seed, found.by) == ("latency", 7, "127.0.0.1")
    journal.close()


@pytest.mark.parametrize(("restart_seconds", "ended_seconds"), [(20, 20), (600, 60)])
def test_a_fault_that_a_killed_server_left_has_its_end_written(
    tmp_path: Path, restart_seconds: float, ended_seconds: float
) -> None:
    path = tmp_path / "faults.jsonl"
    killed = FaultJournal(path, NOW)
    killed.began(record())
    killed.close()
    FaultJournal(path, NOW + timedelta(seconds=restart_seconds)).close()
    [found] = read_journal(path)
    assert (found.ended, found.ended_because) == (NOW + timedelta(seconds=ended_seconds), LOST)


def test_a_line_cut_short_at_any_byte_loses_no_other(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    journal = FaultJournal(path, NOW)
    journal.began(record("flt-1"))
    whole = len(path.read_bytes())
    journal.began(record("flt-2"))
    journal.close()
    content = path.read_bytes()
    for length in range(whole, len(content) - 1):
        path.write_bytes(content[:length])
        again = FaultJournal(path, NOW)
        again.began(record("flt-3"))
        again.close()
        assert [one.id for one in read_journal(path)] == ["flt-1", "flt-3"]


def test_a_line_that_the_disk_did_not_take_whole_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "faults.jsonl"
    journal = FaultJournal(path, NOW)
    journal.began(record("flt-1"))
    before = path.read_bytes()
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, content: real(file, content[: len(content) // 2]))
        with pytest.raises(ModelError, match="No space left"):
            journal.began(record("flt-2"))
    assert path.read_bytes() == before
    journal.began(record("flt-3"))
    journal.close()
    assert [one.id for one in read_journal(path)] == ["flt-1", "flt-3"]


def test_nothing_but_json_lines_with_a_schema_is_written(tmp_path: Path) -> None:
    journal = FaultJournal(tmp_path / "faults.jsonl", NOW)
    journal.began(record())
    journal.ended("flt-1", NOW, "time", 0)
    journal.close()
    lines = [json.loads(line) for line in (tmp_path / "faults.jsonl").read_text().splitlines()]
    assert [(line["schema"], line["event"]) for line in lines] == [
        ("maestro.fault/1", "began"),
        ("maestro.fault/1", "ended"),
    ]


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    first = FaultJournal(tmp_path / "faults.jsonl", NOW)
    with pytest.raises(StartRefused, match="another server"):
        FaultJournal(tmp_path / "faults.jsonl", NOW)
    first.close()
    FaultJournal(tmp_path / "faults.jsonl", NOW).close()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/null")])
def test_a_journal_that_would_keep_nothing_is_refused_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "faults.jsonl")
    with pytest.raises(StartRefused, match="not a regular file"):
        FaultJournal(tmp_path / "faults.jsonl", NOW)


def test_what_is_no_file_is_refused_as_that_whoever_holds_it(tmp_path: Path) -> None:
    (tmp_path / "faults.jsonl").symlink_to("/dev/null")
    with open("/dev/null", "wb") as held:
        with contextlib.suppress(BlockingIOError):  # then somebody else holds it, which will do
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with pytest.raises(StartRefused, match="not a regular file"):
            FaultJournal(tmp_path / "faults.jsonl", NOW)


def test_a_journal_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be written"):
        FaultJournal(tmp_path / "no" / "folder", NOW)
