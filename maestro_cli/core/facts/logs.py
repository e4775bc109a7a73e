"""What containers print, line by line, and who prints when nobody could be heard.

Invariant: frozen values. Text is `Untrusted`, of one line and of bounded length; what is missing is said:
`is_cut` of a line, `Dropped` of lines, `Left` of a container. Instants are aware UTC, the container's node's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.facts.live import Lost, Restored


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line; `is_cut`: it was longer, and its end is not here."""

    pod: str
    container: str
    at: datetime
    text: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """What this container prints follows from now on."""

    pod: str
    container: str


@dataclass(frozen=True, slots=True)
class Left:
    """This container is not read (any more), and why."""

    pod: str
    container: str
    why: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """So many lines were not passed on, since then, because nobody took them in time."""

    count: int
    since: datetime


LogSeen = LogLine | Joined | Left | Dropped | Lost | Restored


@dataclass(frozen=True, slots=True)
class LogSource:
    """Whose logs: one pod, or those that a label selector picks, of a namespace."""

    namespace: str
    pod: str = ""
    selector: str = ""
