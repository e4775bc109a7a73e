"""What a container put in the place of the kubelet's own files and folders is not followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.local.kubelet import in_place, volumes
from maestro_cli.local.kubelet.logs import LogQuery, LogWriter, read_log
from maestro_cli.local.kubelet.volumes import VolumeFile


def _read(path: Path) -> bytes:
    return b"".join(read_log(path, LogQuery(), alive=lambda: False))


def _link_file(log: Path, elsewhere: Path) -> None:
    log.parent.mkdir(parents=True)
    (elsewhere / "precious").write_bytes(b"x secret\n")
    log.symlink_to(elsewhere / "precious")


def _link_folder(log: Path, elsewhere: Path) -> None:
    log.parent.parent.mkdir(parents=True)
    log.parent.symlink_to(elsewhere)


def _link_folder_above(log: Path, elsewhere: Path) -> None:
    log.parent.parent.parent.mkdir(parents=True)
    log.parent.parent.symlink_to(elsewhere)


def _pipe(log: Path, elsewhere: Path) -> None:
    log.parent.mkdir(parents=True)
    os.mkfifo(log)


@pytest.mark.parametrize("exchange", [_link_file, _link_folder, _link_folder_above, _pipe])
def test_a_log_is_neither_written_nor_read_through_what_was_put_there(
    tmp_path: Path, exchange: Callable[[Path, Path], None]
) -> None:
    elsewhere, log = tmp_path / "elsewhere", tmp_path / "pod" / "logs" / "c" / "1.log"
    elsewhere.mkdir()
    exchange(log, elsewhere)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*")}
    with pytest.raises(OSError, match=r"link|folder|directory|regular|device"):
        LogWriter(log, 1000)
    with pytest.raises(OSError, match=r"link|folder|directory|regular|device|No such file"):
        _read(log)
    assert {path: path.read_bytes() for path in elsewhere.rglob("*")} == before


def test_a_rotated_log_stays_in_its_folder(tmp_path: Path) -> None:
    log, elsewhere = tmp_path / "pod" / "logs" / "c" / "1.log", tmp_path / "elsewhere"
    elsewhere.mkdir()
    writer = LogWriter(log, 200)
    writer.write(b"first\n")
    log.parent.rename(tmp_path / "pod" / "logs" / "gone")
    log.parent.symlink_to(elsewhere)
    for number in range(20):
        writer.write(f"line {number}\n".encode())
    writer.close()
    assert list(elsewhere.iterdir()) == []


def test_a_log_in_its_place_is_written_and_read(tmp_path: Path) -> None:
    log = tmp_path / "pod" / "logs" / "c" / "1.log"
    writer = LogWriter(log, 1000)
    writer.write(b"words\n")
    writer.close()
    assert _read(log) == b"words\n"
    assert (log.stat().st_mode & 0o777) == 0o644 & ~_umask()


def _umask() -> int:
    kept = os.umask(0)
    os.umask(kept)
    return kept


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(20):
        with pytest.raises(FileNotFoundError), in_place.folder(tmp_path / "a" / "b"):
            pass
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_refreshed_volume_removes_nothing_outside_of_it(tmp_path: Path) -> None:
    place, precious = tmp_path / "volume", tmp_path / "precious"
    place.mkdir()
    precious.mkdir()
    (precious / "file").write_text("kept")
    volumes.write_atomically(place, {"a": VolumeFile(b"1")}, 0o644)
    (place / "..data").unlink()
    (place / "..data").symlink_to(precious)
    volumes.write_atomically(place, {"a": VolumeFile(b"2")}, 0o644)
    assert (precious / "file").read_text() == "kept"
    assert (place / "a").read_bytes() == b"2"
