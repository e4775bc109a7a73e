"""Container logs on disk."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.local.kubelet import logs
from maestro_cli.local.kubelet.logs import LogQuery, LogWriter, older, read_log


def lines(path: Path, query: LogQuery | None = None) -> list[bytes]:
    return list(read_log(path, query or LogQuery(), alive=lambda: False))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_however_output_is_cut_it_comes_back_whole(tmp_path_factory: object, chunks: list[bytes]) -> None:
    assert hasattr(tmp_path_factory, "mktemp")
    path = tmp_path_factory.mktemp("log") / "0.log"
    writer = LogWriter(path, 1 << 20)
    for chunk in chunks:
        writer.write(chunk)
    writer.close()
    whole = b"".join(chunks)
    expected = whole if not whole or whole.endswith(b"\n") else whole + b"\n"
    assert b"".join(lines(path)) == expected


def test_tail_stamps_since_and_limit(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "0.log", 1 << 20)
    writer.write(b"one\ntwo\nthree\n")
    writer.close()
    path = tmp_path / "0.log"
    assert lines(path, LogQuery(tail_lines=2)) == [b"two\n", b"three\n"]
    assert lines(path, LogQuery(tail_lines=0)) == []
    assert lines(path, LogQuery(limit_bytes=5)) == [b"one\n", b"t"]
    [stamped] = lines(path, LogQuery(tail_lines=1, timestamps=True))
    stamp, _, text = stamped.partition(b" ")
    assert text == b"three\n"
    assert abs(datetime.fromisoformat(stamp[:19].decode() + "+00:00") - datetime.now(UTC)) < timedelta(
        minutes=1
    )
    assert lines(path, LogQuery(since=datetime.now(UTC) + timedelta(seconds=5))) == []
    assert len(lines(path, LogQuery(since=datetime.now(UTC) - timedelta(minutes=1)))) == 3


def test_a_log_stays_below_its_cap_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    writer = LogWriter(path, 1000)
    for number in range(200):
        writer.write(f"line {number}\n".encode())
    writer.close()
    assert path.stat().st_size <= 1000
    assert older(path).stat().st_size <= 1000
    kept = lines(path)
    assert kept[-1] == b"line 199\n"
    assert len(kept) > 20
    numbers = [int(line.split()[1]) for line in kept]
    assert numbers == list(range(numbers[0], 200)), "no hole between the two files"


def test_endless_lines_are_split(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "0.log", 1 << 20)
    writer.write(b"x" * 40_000)
    writer.close()
    assert [len(line) for line in lines(tmp_path / "0.log")] == [16385, 16385, 7233]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_costs_lines_not_the_writer(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "0.log", 1 << 20)
    writer._file.close()
    writer._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115 — closed with the writer
    writer.write(b"lost\n")
    (tmp_path / "0.log").unlink()
    again = LogWriter(tmp_path / "0.log", 10)
    again.write(b"one\n")
    (tmp_path / "0.log").unlink()
    again.write(b"two\n")
    assert lines(tmp_path / "0.log") == [b"two\n"], "a log that was taken away begins anew"
    for one in (writer, again):
        one.close()


def test_following_goes_on_over_rotation_and_ends_with_the_container(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    writer = LogWriter(path, 200)
    writer.write(b"first\n")
    asked = 0

    def alive() -> bool:
        nonlocal asked
        asked += 1
        if asked < 12:
            writer.write(f"line {asked} {'.' * 30}\n".encode())
        return asked < 12

    told = [line.split()[:2] for line in read_log(path, LogQuery(follow=True), alive=alive)]
    writer.close()
    assert told == [[b"first"], *([b"line", str(number).encode()] for number in range(1, 12))]


def test_following_for_long_holds_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_FOLLOW_SECONDS", 0.0)
    path, rotations = tmp_path / "0.log", 1200  # more than Python calls go deep
    writer, asked, before = LogWriter(path, 10), 0, len(os.listdir("/dev/fd"))
    writer.write(b"0\n")

    def alive() -> bool:
        nonlocal asked
        asked += 1
        if asked < rotations:
            writer.write(b"%d\n" % asked)
        return asked < rotations

    most, told = 0, []
    for line in read_log(path, LogQuery(follow=True), alive=alive):
        told.append(int(line))
        most = max(most, len(os.listdir("/dev/fd")))
    writer.close()
    assert told == list(range(rotations))
    assert most <= before + 1
