"""Archives of plain files: the same files give the same bytes, and what somebody sent is opened with care.

Formats: `.tar.gz` (ustar) and `.zip`. Invariant: no path, time, user or machine gets in; of what is opened
nothing is written to disk, only plain files with plain names are taken, and what is too large, too many or no
file is refused before it is held in memory.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast

from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.core.files import open_file, unusable
from maestro_cli.core.untrusted import visible

MAX_ARCHIVE_BYTES = 64 << 20
MAX_TOTAL_BYTES = 128 << 20  # unpacked
MAX_MEMBERS = 500
_ENTRY_BYTES = 1024  # of the list of files in a ZIP: a name, and what goes with it
SUFFIXES = (".tar.gz", ".tgz", ".zip")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,3}")


def archive_kind(name: str) -> str:
    """`.zip` or `.tar.gz`, by a file's name; raises UsageError."""
    lowered = name.lower()
    for suffix in SUFFIXES:
        if lowered.endswith(suffix):
            return ".zip" if suffix == ".zip" else ".tar.gz"
    raise UsageError(f"{name!r} is no name of a bundle", fix=f"end it in {' or '.join(SUFFIXES)}")


def pack(files: Mapping[str, bytes], kind: str) -> bytes:
    """The bytes of an archive of these files; `kind` as of `archive_kind`."""
    return _zip(files) if kind == ".zip" else _tar_gz(files)


def read_archive(path: Path) -> dict[str, bytes]:
    """Every file of a `.tar.gz` or `.zip`; raises NotFound, InvalidFile."""
    try:
        with open_file(path) as archive:
            packed = archive.read(MAX_ARCHIVE_BYTES + 1)
    except OSError as error:
        raise NotFound(f"the bundle {path} cannot be read", why=unusable(path, error)) from error
    if len(packed) > MAX_ARCHIVE_BYTES:
        raise _refused(path, f"it is larger than {MAX_ARCHIVE_BYTES >> 20} MiB")
    members = _zip_members if packed[:2] == b"PK" else _tar_members
    files: dict[str, bytes] = {}
    total = 0
    try:
        for name, stream in members(packed, path):
            if not _PATH.fullmatch(name) or name in files:
                raise _refused(
                    path, f"{visible(name, 80)!r} is no name that a bundle has, or stands there twice"
                )
            data = stream.read(MAX_TOTAL_BYTES - total + 1)
            total += len(data)
            if total > MAX_TOTAL_BYTES:
                raise _refused(path, f"it unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB")
            if len(files) >= MAX_MEMBERS:
                raise _refused(path, f"it holds more than {MAX_MEMBERS} files")
            files[name] = data
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        raise _refused(path, str(error) or type(error).__name__) from error
    except (
        NotImplementedError,
        RuntimeError,
        ValueError,
        IndexError,
    ) as error:  # encrypted, a later version of the format, a date
        raise _refused(path, str(error)) from error
    if not files:
        raise _refused(path, "it is empty")
    return files


def _refused(path: Path, why: str) -> InvalidFile:
    return InvalidFile(
        "is not a bundle of maestro",
        file=str(path),
        why=why,
        fix="ask for it again; do not unpack it by hand",
    )


class _Bounded(io.RawIOBase):
    """A stream that ends with an error rather than give more than a bundle may unpack to."""

    def __init__(self, inner: io.BufferedIOBase, path: Path) -> None:
        self._inner, self._path, self._left = inner, path, MAX_TOTAL_BYTES + (MAX_MEMBERS + 20) * 1024

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left:
            size = self._left + 1
        data = self._inner.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _refused(self._path, f"it unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB")
        return data


def _tar_members(packed: bytes, path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with (
        gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacked,
        cast(IO[bytes], _Bounded(unpacked, path)) as bounded,
        tarfile.open(fileobj=bounded, mode="r|") as archive,
    ):
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() and not member.issparse() else None
            if stream is None:
                raise _refused(path, f"{visible(member.name, 80)!r} is no plain file")
            yield member.name, stream


def _zip_directory_bytes(packed: bytes) -> int:
    """How long its list of files says to be; that is read whole. What needs ZIP64 for it is too long."""
    end = packed.rfind(b"PK\x05\x06")
    if end < 0 or len(packed) < end + 16:
        return 0  # no archive, as is said when it is opened
    if packed[max(end - 20, 0) : end].startswith(b"PK\x06\x07"):
        return len(packed)
    return int.from_bytes(packed[end + 12 : end + 16], "little")


def _zip_members(packed: bytes, path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if _zip_directory_bytes(packed) > MAX_MEMBERS * _ENTRY_BYTES:
        raise _refused(path, f"it holds more than {MAX_MEMBERS} files")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for member in archive.infolist():
            kind = member.external_attr >> 16 & 0o170000
            if member.is_dir() or kind not in (0, 0o100000):
                raise _refused(path, f"{visible(member.filename, 80)!r} is no plain file")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refused(path, f"{visible(member.filename, 80)!r} is packed as no bundle is")
            with archive.open(member) as stream:
                yield member.filename, stream


def _tar_gz(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path, data in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime = len(data), 0o644, 0
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in sorted(files.items()):
            member = zipfile.ZipInfo(path, _ZIP_EPOCH)
            member.create_system, member.external_attr = 3, 0o100644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, data)
    return packed.getvalue()
