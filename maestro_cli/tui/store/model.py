"""The snapshot that every view renders.

Invariant: frozen. What could not be read keeps the data it had, with when that was read and since when it
cannot be read: nothing known is lost, and nothing stale looks fresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from maestro_cli.config.colours import colour_of


@dataclass(frozen=True, slots=True, order=True)
class FactKey:
    """What is read: a feed, of a context, about something (an incident, a pod), which may be nothing."""

    feed: str
    context: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An error as people are told it."""

    what: str
    why: str = ""
    fix: str = ""

    @property
    def line(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


@dataclass(frozen=True, slots=True)
class Fact:
    """`data` is None until it was read once; `error` says why it is not read now, and since when. `begun` is
    what is known of it while it is read for the first time: no whole."""

    data: Any = None
    read_at: datetime | None = None
    error: Told | None = None
    error_since: datetime | None = None
    begun: Any = None

    @property
    def is_known(self) -> bool:
        return self.read_at is not None

    @property
    def is_stale(self) -> bool:
        return self.error is not None


UNREAD = Fact()


@dataclass(frozen=True, slots=True)
class Scope:
    """What every pane is about. `contexts`: at least one, the first is where actions of no row go.

    `namespace` "" is all of them. `incident` is the reference that fixes it, or "".
    """

    contexts: tuple[str, ...]
    namespace: str = ""
    incident: str = ""
    since: datetime | None = None

    @property
    def context(self) -> str:
        return self.contexts[0]


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the command log: what was done, as the command that does the same."""

    at: datetime
    context: str
    line: str
    outcome: str = ""  # "", running, done, refused, failed: …
    id: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`armed` is until when changes are allowed, by context; `replay_at` is None while live. `against` is
    what is known now while the past is compared with it, else None. `colours` are those that the settings
    give to contexts."""

    scope: Scope
    facts: Mapping[FactKey, Fact] = field(default_factory=lambda: MappingProxyType({}))
    armed: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    log: tuple[Logged, ...] = ()
    replay_at: datetime | None = None
    against: Mapping[FactKey, Fact] | None = None
    colours: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def colour(self, context: str) -> str:
        return colour_of(context, self.colours.get(context))

    def shown_at(self, now: datetime) -> datetime:
        """The instant from which ages count: the one that is shown; now where it is compared with now."""
        return now if self.replay_at is None or self.against is not None else self.replay_at

    def fact(self, key: FactKey) -> Fact:
        return self.facts.get(key, UNREAD)

    def is_armed(self, context: str, now: datetime) -> bool:
        until = self.armed.get(context)
        return until is not None and until > now and self.replay_at is None
