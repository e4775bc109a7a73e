"""Whether anybody watches, and which sources cannot be read.

Invariant: the blindness of a source is journaled once when it begins and once when it ends, by whichever
watcher notices first; each source has its own, and so may each part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.core.clock import Clock, from_rfc3339, seconds_between
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.register import Reads
from maestro_cli.journal.store import Journal

API_SOURCE = "alertmanager-api"
WEBHOOK_SOURCE = "alertmanager-webhook"
PROMETHEUS_SOURCE = "prometheus"
MAX_WATCHERS = 16


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One running watcher: who, and until when it counts as alive without another sign (RFC 3339)."""

    holder: str
    until: str


@dataclass(frozen=True, slots=True)
class Blindness:
    """A source that cannot be read, since when (RFC 3339), and why."""

    source: str
    since: str
    error: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether anybody watches, and since when `source`, which alerts come from, could not be read (None: it
    can); `others` are further sources that cannot be read."""

    watchers: tuple[Heartbeat, ...]
    blind_since: str | None
    error: str
    source: str = API_SOURCE
    others: tuple[Blindness, ...] = ()


def slot_of(number: int) -> str:
    """The lease that is the heartbeat of one of MAX_WATCHERS watchers."""
    return f"watch/{number}"


def read_sight(journal: Journal, *, source: str = API_SOURCE, others: Sequence[str] = ()) -> Sight:
    """What `maestro status` says of detection, by the sources that the context has."""
    leases = [journal.lease(slot_of(number)) for number in range(1, MAX_WATCHERS + 1)]
    first = blindness_of(journal, source)
    return Sight(
        tuple(Heartbeat(lease.holder, lease.until) for lease in leases if lease is not None),
        first.since if first is not None else None,
        first.error if first is not None else "",
        source,
        tuple(found for name in others for found in _within(journal, name)),
    )


def _within(reads: Reads, source: str) -> list[Blindness]:
    """The blindness of a source, and of each part of it that has a name of its own: `source/part`."""
    rows = reads.query(
        "SELECT source, blind_since, error FROM watched WHERE blind_since IS NOT NULL"
        " AND (source = :source OR source GLOB :source || '/*') ORDER BY source",
        {"source": source},
    )
    return [Blindness(*row) for row in rows]


def blindness_of(reads: Reads, source: str) -> Blindness | None:
    rows = reads.query("SELECT blind_since, error FROM watched WHERE source = ?", (source,))
    return Blindness(source, rows[0][0], rows[0][1]) if rows and rows[0][0] is not None else None


def begin_blindness(journal: Journal, actor: str, source: str, error: str) -> bool:
    """Record that a source cannot be read; False when that was known."""
    if blindness_of(journal, source) is not None:
        return False
    with journal.transaction() as transaction:
        if blindness_of(transaction, source) is not None:
            return False
        data = {"source": source, "error": capped(error, 500)}
        transaction.append("watch.blind", f"watch/{source}", actor, data)
    return True


def end_blindness(journal: Journal, clock: Clock, actor: str, source: str) -> float | None:
    """Record that a source can be read again; for how many seconds it could not, None when it could."""
    if blindness_of(journal, source) is None:
        return None
    with journal.transaction() as transaction:
        blind = blindness_of(transaction, source)
        if blind is None:
            return None
        seconds = seconds_between(from_rfc3339(blind.since), clock.now())
        data = {"source": source, "blind_seconds": round(seconds, 3)}
        transaction.append("watch.seeing", f"watch/{source}", actor, data)
    return seconds
