"""The right to respond to one incident, or to carry out one run of a playbook.

Invariant: at most one process has it. The right is a lease: that of a process which has
certainly died is taken over at once, any other when it has run out. Whoever loses it is cancelled.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from maestro_cli.changes.holder import Holder, acquire, parse_holder
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, Interrupted, MaestroError
from maestro_cli.incidents.model import Incident
from maestro_cli.journal.model import Lease
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.plays import PlayRecord

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Held:
    """`cancellation` is set with the caller's own, and when the lease was lost."""

    lease: Lease
    cancellation: Cancellation


def is_responded_to(journal: Journal, incident: Incident) -> bool:
    """Whether a process that may be alive responds to it now."""
    lease = journal.lease(_name(incident))
    holder = None if lease is None else parse_holder(lease.holder)
    return lease is not None and not (holder is not None and holder.is_dead)


@dataclass(frozen=True, slots=True)
class Right:
    """What may be done by one process at a time: the name of its lease, whom it is held for, what is being
    done while it is held, in words, and where to see more."""

    name: str
    subject: str
    done: str
    fix: str


def right_to(incident: Incident) -> Right:
    number = incident.number
    return Right(
        _name(incident),
        incident.id,
        f"incident #{number} is being responded to",
        f"maestro incident timeline {number}",
    )


def right_to_play(record: PlayRecord) -> Right:
    """The right to carry out this run of a playbook."""
    return Right(
        f"playbook/{record.id}",
        record.id,
        f"the run {record.id} of playbook {record.playbook} is worked on",
        f"maestro playbook history {record.id}",
    )


@contextmanager
def hold(journal: Journal, incident: Incident, cancellation: Cancellation) -> Iterator[Held]:
    """Hold the incident while the context is open.

    Raises Busy when somebody else responds to it, also when it was lost to somebody else meanwhile.
    """
    with hold_right(journal, right_to(incident), cancellation, lost=_lost(incident)) as held:
        yield held


@contextmanager
def hold_right(
    journal: Journal, right: Right, cancellation: Cancellation, *, lost: Busy | None = None
) -> Iterator[Held]:
    """The same for any right; `lost` is what is raised when it was lost meanwhile."""
    lease = _take(journal, right)
    closing = threading.Event()
    with cancellation.child() as own:
        keeper = threading.Thread(
            target=_keep, args=(journal, lease, own, closing), name="response-lease", daemon=True
        )
        keeper.start()
        try:
            yield Held(lease, own)
        except Interrupted as error:
            if cancellation.is_set or not own.is_set:
                raise
            raise (lost or Busy(f"{right.name} was lost", fix=right.fix)) from error
        finally:
            closing.set()
            keeper.join()
            journal.release_lease(lease)


def _keep(journal: Journal, lease: Lease, own: Cancellation, closing: threading.Event) -> None:
    while not closing.wait(RENEW_SECONDS):
        try:
            lease = journal.renew_lease(lease, LEASE_SECONDS)
        except MaestroError:  # lost, or the journal cannot be written: the response cannot go on
            own.cancel()
            return


def _name(incident: Incident) -> str:
    return f"respond/{incident.id}"


def _take(journal: Journal, right: Right) -> Lease:
    try:
        return acquire(journal, right.name, right.subject, LEASE_SECONDS)
    except Busy as error:
        held = journal.lease(right.name)
        if held is None:
            raise
        holder: Holder | None = parse_holder(held.holder)
        who = held.holder if holder is None else f"process {holder.pid} on {holder.host}"
        raise Busy(
            f"{right.done} by {who}", why=f"its lease runs until {held.until}", fix=right.fix
        ) from error


def _lost(incident: Incident) -> Busy:
    return Busy(
        f"the response to incident #{incident.number} was given up",
        why="its lease could not be kept: another process may have taken over",
        fix=f"maestro incident respond {incident.number}",
    )
