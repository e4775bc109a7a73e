"""What is stored, from a folder of models or from an inventory file.

An inventory is CSV with a line of titles: `Key`, `Size` and `LastModifiedDate` are needed; `StorageClass`,
`IsLatest` and `IsDeleteMarker` are used. These are fields of S3 Inventory, whose own files have their titles
in `fileSchema` of the manifest beside them; keys there are URL-encoded.

Invariant: a line that cannot be read is an InvalidFile with its number, never an object less; no link is
followed.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from urllib.parse import unquote_plus

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import open_file, unusable
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.storage.model import StoredObject

MOST_OBJECTS = 2_000_000
_NEEDED = ("Key", "Size", "LastModifiedDate")
_MOST_FIELD = 8192


def read_folder(folder: Path) -> tuple[StoredObject, ...]:
    """Every file below a folder, its key the path from there; raises InvalidFile when it cannot be read."""
    found = []
    for path in _files(folder):
        try:
            told = path.lstat()
        except FileNotFoundError:  # it went while we looked
            continue
        written = datetime.fromtimestamp(told.st_mtime, UTC)
        found.append(StoredObject(path.relative_to(folder).as_posix(), told.st_size, written))
        _bound(len(found), str(folder))
    return tuple(found)


def _files(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InvalidFile(
            "the store cannot be read", file=str(folder), why=unusable(folder, error)
        ) from error

    for root, _, names in os.walk(folder, onerror=refuse):
        for name in sorted(names):
            path = Path(root, name)
            if path.is_file() and not path.is_symlink():
                yield path


def read_inventory(file: Path) -> tuple[StoredObject, ...]:
    """The objects of an inventory; raises InvalidFile with the line."""
    try:
        stream = open_file(file)
    except OSError as error:
        raise InvalidFile("the store cannot be read", file=str(file), why=unusable(file, error)) from error
    with TextIOWrapper(stream, encoding="utf-8", errors="strict", newline="") as lines:
        try:
            return tuple(_objects(lines, str(file)))
        except UnicodeDecodeError as error:
            raise InvalidFile("it is not UTF-8", file=str(file), why=str(error)) from error


def _objects(lines: Iterable[str], file: str) -> Iterator[StoredObject]:
    rows = csv.reader(lines, strict=True)
    try:
        titles = [title.strip() for title in next(rows, [])]
        _check_titles(titles, file)
        for count, row in enumerate(rows, 1):
            _bound(count, file)
            if row and (one := _object(titles, row, file, rows.line_num)) is not None:
                yield one
    except csv.Error as error:
        raise InvalidFile("this is no CSV", file=file, line=rows.line_num, why=str(error)) from error


def _check_titles(titles: Sequence[str], file: str) -> None:
    lacking = [name for name in _NEEDED if name not in titles]
    if lacking:
        raise InvalidFile(
            f"the inventory has no column {lacking[0]}",
            file=file,
            line=1,
            why=f"its first line says: {visible(', '.join(titles), 120)}",
            fix=f"begin it with a line of titles: {','.join((*_NEEDED, 'StorageClass'))}",
        )


def _object(titles: Sequence[str], row: Sequence[str], file: str, line: int) -> StoredObject | None:
    if len(row) != len(titles) or any(len(cell) > _MOST_FIELD for cell in row):
        raise InvalidFile(f"{len(row)} fields where {len(titles)} are named", file=file, line=line)
    cells = dict(zip(titles, row, strict=True))
    if cells.get("IsLatest", "").lower() == "false" or cells.get("IsDeleteMarker", "").lower() == "true":
        return None
    try:
        size, written = int(cells["Size"]), from_rfc3339(cells["LastModifiedDate"])
        if size < 0:
            raise ValueError(f"{size} bytes")
    except ValueError as error:
        raise InvalidFile(
            "a size or an instant cannot be read", file=file, line=line, why=visible(str(error), 120)
        ) from error
    return StoredObject(unquote_plus(cells["Key"]), size, written, cells.get("StorageClass", ""))


def _bound(count: int, file: str) -> None:
    if count > MOST_OBJECTS:
        raise InvalidFile(
            f"more than {MOST_OBJECTS:,} objects", file=file, fix="weigh one folder of models at a time"
        )
