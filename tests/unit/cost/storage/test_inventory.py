"""An inventory is read whole or refused with the line that cannot be read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.cost.storage.inventory import read_folder, read_inventory
from maestro_cli.cost.storage.model import StoredObject

TITLES = "Bucket,Key,Size,LastModifiedDate,StorageClass,IsLatest\n"


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "inventory.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_objects_are_those_that_are_there_now_with_their_keys_decoded(tmp_path: Path) -> None:
    lines = (
        '"b","models/fraud%20eu/1/m+x.onnx","1048576","2026-01-02T03:04:05.000Z","STANDARD","true"\n'
        '"b","models/fraud/1/old","5","2026-01-02T03:04:05.000Z","STANDARD","false"\n'
    )
    (only,) = read_inventory(written(tmp_path, TITLES + lines))
    assert only == StoredObject(
        "models/fraud eu/1/m x.onnx", 1048576, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "STANDARD"
    )


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("Key,Size\n", 1, "LastModifiedDate"),
        ("", 1, "no column Key"),
        (TITLES + "b,k,1,2026-01-02T03:04:05Z,STANDARD\n", 2, "5 fields where 6"),
        (TITLES + "b,k,1,2026-01-02T03:04:05Z,S,true\nb,k,many,2026-01-02T03:04:05Z,S,true\n", 3, "size"),
        (TITLES + "b,k,-1,2026-01-02T03:04:05Z,S,true\n", 2, "size"),
        (TITLES + "b,k,1,yesterday,S,true\n", 2, "instant"),
        (TITLES + 'b,"k"x,1,2026-01-02T03:04:05Z,S,true\n', 2, "no CSV"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, word: str
) -> None:
    with pytest.raises(InvalidFile, match=word) as refused:
        read_inventory(written(tmp_path, text))
    assert refused.value.line == line


def test_what_is_no_text_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="not UTF-8"):
        read_inventory(written(tmp_path, TITLES.encode() + b"b,\xff,1,2026-01-02T03:04:05Z,S,true\n"))
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_inventory(tmp_path / "absent.csv")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_inventory(tmp_path / "pipe")


def test_a_folder_is_read_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "fraud" / "1").mkdir(parents=True)
    (tmp_path / "fraud" / "1" / "model.onnx").write_bytes(b"12345")
    (tmp_path / "fraud" / "1" / "link").symlink_to("/etc/passwd")
    (tmp_path / "fraud" / "2").symlink_to("/etc")
    (one,) = read_folder(tmp_path)
    assert (one.key, one.size_bytes) == ("fraud/1/model.onnx", 5)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_folder(tmp_path / "absent")
