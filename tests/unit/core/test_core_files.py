"""Files written whole: what a reader sees, the modes, and what a failure leaves."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from maestro_cli.core.files import open_file, unusable, write_atomically


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_a_file_is_opened_and_nobody_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link"):
        with open_file(tmp_path / name) as stream:
            assert stream.read() == b"x"
    for place, says in (
        (tmp_path / "pipe", "Not a regular file"),
        (Path("/dev/null"), "Not a regular file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "none", "No such file"),
    ):
        with pytest.raises(OSError, match=says):
            open_file(place)


@pytest.mark.parametrize("content", ["text é", b"\x00bytes"])
@pytest.mark.parametrize("durable", [False, True])
def test_the_content_is_there_and_nothing_beside_it(
    content: str | bytes, durable: bool, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "file"
    write_atomically(target, content, durable=durable)
    assert target.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(target.parent) == ["file"]


def test_who_has_the_old_file_open_keeps_reading_it(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomically(target, "old")
    with target.open() as stream:
        write_atomically(target, "new and longer")
        assert stream.read() == "old"
    assert target.read_text() == "new and longer"


def test_a_secret_is_private_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "secret"
    target.write_text("planted by somebody")
    target.chmod(0o666)
    seen: list[int] = []
    renamed = os.replace

    def look(source: Path, to: Path) -> None:
        seen.append(mode_of(source))
        renamed(source, to)

    monkeypatch.setattr(os, "replace", look)
    write_atomically(target, "x", mode=0o600)
    assert (seen, mode_of(target)) == ([0o600], 0o600)


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_a_file_keeps_its_mode_where_that_is_wanted(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    target.chmod(mode)
    write_atomically(target, "new", mode=0o600, keeps_mode=True)
    assert (target.read_text(), mode_of(target)) == ("new", mode)


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder" / "file"
    write_atomically(target, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(target, "new", durable=True)
    assert (target.read_text(), names(target.parent)) == ("old", ["file"])


def test_durable_syncs_the_file_before_it_has_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    renamed = os.replace

    def sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

    def rename(source: Path, to: Path) -> None:
        steps.append("rename")
        renamed(source, to)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    write_atomically(tmp_path / "file", "x", durable=True)
    assert steps == ["file", "rename", "folder"]
    steps.clear()
    write_atomically(tmp_path / "file", "x")
    assert steps == ["rename"]


def test_a_name_as_long_as_the_disk_allows_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)
    write_atomically(target, "x")
    assert target.read_text() == "x"


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "file", "x", durable=True)
    assert caught.value.filename == str(tmp_path / "file")


def test_the_part_of_a_path_that_is_at_fault_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    error = FileNotFoundError(2, "No such file or directory")
    assert unusable(tmp_path / "file" / "a" / "b", error) == f"{tmp_path}/file is not a folder"
    assert unusable(tmp_path / "link" / "a", error) == f"{tmp_path}/link is a link to nothing"
    assert unusable(tmp_path / "absent", error) == "No such file or directory"
    assert unusable(tmp_path / "file", FileExistsError()) == f"{tmp_path}/file is not a folder"


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_file_takes_no_others_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def without(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(os, "link", without)
    path = tmp_path / "folder" / "one"
    write_atomically(path, "first", new=True)
    with pytest.raises(FileExistsError):
        write_atomically(path, "second", new=True)
    assert path.read_text() == "first"
    assert [one.name for one in path.parent.iterdir()] == ["one"]
