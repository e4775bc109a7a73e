"""Reads the journals in which model servers record the faults that were injected into them.

Invariant: a fault that was read is as the server wrote it, whole; a line that is wrong is an error, never
passed over. Only a line that a crash cut short is: then the fault did nothing, or its end is written again.
Format: `maestro.fault/1`, docs/serving.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile, NoData
from maestro_cli.core.files import open_file

MAX_JOURNAL_BYTES = 64 * 2**20
# Truth about the process, not about requests: the server counts nobody for them.
_WITHOUT_HITS = frozenset({"cpu", "memory", "slow-drain"})
_NEVER_BEGAN = "failed"  # it was recorded, and then the server could not do it
_TRUNCATED = "Input data was truncated"


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One fault. `ended` is None while it is on, and it is over at `ends` whatever happens."""

    id: str
    kind: str
    model: str
    version: int | None
    began: datetime
    ends: datetime
    by: str
    note: str
    ended: datetime | None = None
    ended_because: str = ""
    hits: int | None = None  # requests it met; None where nobody counts them, or the end is not known

    @property
    def over_at(self) -> datetime:
        """When it was over, at the latest."""
        return self.ends if self.ended is None else min(self.ended, self.ends)

    @property
    def met_nobody(self) -> bool:
        """It is over and no request ever met it: there was nothing to notice."""
        return self.hits == 0


class _Scope(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    model: str = ""
    version: int | None = None
    share: float = 1.0
    header: dict[str, str] | None = None
    health: bool = False
    admin: bool = False


class _Began(msgspec.Struct, tag_field="event", tag="began", forbid_unknown_fields=True, frozen=True):
    schema: Literal["maestro.fault/1"]
    id: str
    kind: str
    began: str
    ends: str
    parameters: dict[str, float | str]
    scope: _Scope
    by: str
    seed: int
    note: str


class _Ended(msgspec.Struct, tag_field="event", tag="ended", forbid_unknown_fields=True, frozen=True):
    schema: Literal["maestro.fault/1"]
    id: str
    ended: str
    ended_because: str
    hits: int


_LINE: msgspec.json.Decoder[_Began | _Ended] = msgspec.json.Decoder(ready(_Began | _Ended))


def read_faults(paths: Iterable[Path]) -> tuple[InjectedFault, ...]:
    """The faults of every journal, oldest first. Raises NoData (missing), InvalidFile (wrong)."""
    found = [fault for path in paths for fault in _read_one(path)]
    return tuple(sorted(found, key=lambda fault: (fault.began, fault.id)))


def _read_one(path: Path) -> list[InjectedFault]:
    found: dict[str, InjectedFault] = {}
    for number, line in enumerate(_content(path).splitlines(), 1):
        try:
            event = _LINE.decode(line)
            fault = _begin(event, found) if isinstance(event, _Began) else _end(event, found)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            if str(error) == _TRUNCATED:
                continue
            raise InvalidFile(
                "is no line of a fault journal", file=str(path), line=number, why=str(error)
            ) from error
        found[fault.id] = fault
    return list(found.values())


def _content(path: Path) -> bytes:
    try:
        with open_file(path) as stream:
            content = stream.read(MAX_JOURNAL_BYTES + 1)
    except FileNotFoundError as error:
        raise NoData(
            f"there is no fault journal {path}",
            why="without it nobody knows what was injected, and nothing can be scored",
            fix="name the FILE of the server's --fault-journal",
        ) from error
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(path), why=error.strerror or "") from error
    if len(content) > MAX_JOURNAL_BYTES:
        raise InvalidFile(f"is larger than {MAX_JOURNAL_BYTES} bytes", file=str(path))
    return content


def _begin(event: _Began, found: dict[str, InjectedFault]) -> InjectedFault:
    """Raises ValueError."""
    if event.id in found:
        raise ValueError(f"{event.id} began before")
    began, ends = from_rfc3339(event.began), from_rfc3339(event.ends)
    if ends <= began:
        raise ValueError(f"{event.id} ends before it begins")
    scope = event.scope
    return InjectedFault(event.id, event.kind, scope.model, scope.version, began, ends, event.by, event.note)


def _end(event: _Ended, found: dict[str, InjectedFault]) -> InjectedFault:
    """Raises ValueError."""
    fault = found.get(event.id)
    if fault is None:
        raise ValueError(f"{event.id} never began")
    if fault.ended is not None:
        raise ValueError(f"{event.id} ended before")
    ended = from_rfc3339(event.ended)
    if ended < fault.began or event.hits < 0:
        raise ValueError(f"{event.id} ended before it began, or met less than nobody")
    known = fault.kind not in _WITHOUT_HITS and event.ended_because != "process-ended"
    hits = event.hits if known or event.ended_because == _NEVER_BEGAN else None
    return replace(fault, ended=ended, ended_because=event.ended_because, hits=hits)
