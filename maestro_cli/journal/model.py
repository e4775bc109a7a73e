"""Events and what verification finds. Invariant: an event never changes once it has a hash."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring  # a JSON string that is not ASCII-escaped
from typing import Any, Protocol

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `time` is RFC 3339 UTC; `subject` is `kind/id`, e.g. `incident/inc-…`."""

    seq: int
    time: str
    kind: str
    subject: str
    actor: str
    data: Mapping[str, Any]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last event's place and hash; enough to notice, elsewhere, that history was rewritten."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the chain; `problem` is changed, removed, inserted, swapped or projection."""

    seq: int
    problem: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    events: int
    head: Head
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may act for a name until when; a write under an older `fence` is refused."""

    name: str
    holder: str
    fence: int
    until: str


class Projection(Protocol):
    """Tables rebuilt from events, kept in the same transaction as each append.

    `version` goes up when `schema` or `apply` changes: the tables are then replayed from the start.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def tables(self) -> tuple[str, ...]: ...

    @property
    def schema(self) -> str: ...

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event into the tables; must ignore kinds it does not know."""


def chain_hash(seq: int, time: str, kind: str, subject: str, actor: str, prev: str, data: str) -> str:
    """SHA-256 (hex) of the JSON array `[seq,time,kind,subject,actor,prev,data]`.

    Compact, UTF-8; `data` is spliced in as the canonical JSON text that is stored.
    """
    quoted = ",".join(map(encode_basestring, (time, kind, subject, actor, prev)))
    text = f"[{seq},{quoted},{data}]"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
