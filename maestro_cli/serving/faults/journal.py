"""What was injected, and when: the truth that a drill is scored against.

Invariant: a fault is on the disk before it does anything, and a line once written is never changed; a fault
whose end nobody could write has it written by the next server that opens the journal. JSON lines, read by
`read_journal`; a line that a crash cut short is passed over.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.serving.errors import ModelError, StartRefused

SCHEMA = "maestro.fault/1"
LOST = "process-ended"


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One fault as it was; `ended` is None while it is on; `ends` is when it will be over at the latest."""

    id: str
    kind: str
    parameters: Mapping[str, Any]
    scope: Mapping[str, Any]
    began: datetime
    ends: datetime
    by: str
    seed: int
    note: str
    ended: datetime | None = None
    ended_because: str = ""
    hits: int = 0


def _held(path: Path) -> int:
    """The file, held by nobody else, at the start of a line; raises OSError, and StartRefused for a pipe."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):  # a pipe would never have been read
            raise StartRefused("the fault journal is not a regular file")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")
    except BaseException:
        os.close(file)  # and with it the lock
        raise
    return file


class FaultJournal:
    """The one writer of a file. Raises StartRefused when it cannot be that."""

    def __init__(self, path: Path, now: datetime) -> None:
        try:
            self._file = _held(path)
        except BlockingIOError as error:
            raise StartRefused("the fault journal is another server's") from error
        except OSError as error:
            raise StartRefused(f"the fault journal cannot be written: {error.strerror}") from error
        for record in read_journal(path):
            if record.ended is None:
                self.ended(record.id, min(now, record.ends), LOST, 0)

    def began(self, record: FaultRecord) -> None:
        """Raises ModelError (503) when it could not be written: then it must not happen."""
        self._append(
            {
                "event": "began", "id": record.id, "kind": record.kind, "began": to_rfc3339(record.began),
                "ends": to_rfc3339(record.ends), "parameters": dict(record.parameters),
                "scope": dict(record.scope), "by": record.by, "seed": record.seed, "note": record.note,
            }
        )  # fmt: skip

    def ended(self, identity: str, at: datetime, because: str, hits: int) -> None:
        """`because` is time, removed, kill-all, stopped, crash or process-ended; raises ModelError (503)."""
        line = {"event": "ended", "id": identity, "ended": to_rfc3339(at)}
        self._append({**line, "ended_because": because, "hits": hits})

    def close(self) -> None:
        os.close(self._file)

    def _append(self, line: Mapping[str, object]) -> None:
        """The line whole, or nothing of it."""
        content = json.dumps({"schema": SCHEMA, **line}).encode("ascii") + b"\n"
        before = os.fstat(self._file).st_size
        try:
            if os.write(self._file, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise ModelError(f"the fault journal cannot be written: {error.strerror}", status=503) from error


def read_journal(path: Path) -> list[FaultRecord]:
    """Every fault in the order they began; raises OSError."""
    found: dict[str, FaultRecord] = {}
    for line in path.read_bytes().splitlines():
        try:
            event = json.loads(line)
            record = _record(event, found)
        except (ValueError, KeyError, TypeError):
            continue  # cut short by a crash
        found[record.id] = record
    return list(found.values())


def _record(event: Mapping[str, Any], found: Mapping[str, FaultRecord]) -> FaultRecord:
    if event["event"] == "began":
        return FaultRecord(
            event["id"], event["kind"], event["parameters"], event["scope"], from_rfc3339(event["began"]),
            from_rfc3339(event["ends"]), event["by"], event["seed"], event["note"],
        )  # fmt: skip
    began = found[event["id"]]
    return FaultRecord(
        began.id, began.kind, began.parameters, began.scope, began.began, began.ends, began.by, began.seed,
        began.note, from_rfc3339(event["ended"]), event["ended_because"], event["hits"],
    )  # fmt: skip
