"""What can happen to the snapshot. Invariant: frozen data, in the past tense; the reducer knows each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.tui.store.model import Fact, FactKey, Scope, Told


@dataclass(frozen=True, slots=True)
class FactBegun:
    """Some of it was read; the rest is on its way."""

    key: FactKey
    data: Any


@dataclass(frozen=True, slots=True)
class FactRead:
    key: FactKey
    data: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class FactFailed:
    key: FactKey
    error: Told
    at: datetime
    heard_at: datetime | None = None  # what was read before held until then; None: when it was read


@dataclass(frozen=True, slots=True)
class FactsForgotten:
    """Nobody shows them any more."""

    keys: frozenset[FactKey]


@dataclass(frozen=True, slots=True)
class ScopeChanged:
    scope: Scope


@dataclass(frozen=True, slots=True)
class ContextArmed:
    context: str
    until: datetime


@dataclass(frozen=True, slots=True)
class ContextDisarmed:
    context: str


@dataclass(frozen=True, slots=True)
class CommandLogged:
    """A command began (`outcome` running), or ended: then `id` names the line that it ends."""

    at: datetime
    context: str
    line: str
    outcome: str
    id: int


@dataclass(frozen=True, slots=True)
class Rewound:
    """What was known then is shown; nothing is done until `Resumed`. None goes on comparing, or not."""

    at: datetime
    facts: Mapping[FactKey, Fact]
    is_compared: bool | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The past that is shown is compared with now from here on, or not any more."""

    is_compared: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """Live again."""


Event = (
    FactBegun
    | FactRead
    | FactFailed
    | FactsForgotten
    | ScopeChanged
    | ContextArmed
    | ContextDisarmed
    | CommandLogged
    | Rewound
    | Compared
    | Resumed
)
