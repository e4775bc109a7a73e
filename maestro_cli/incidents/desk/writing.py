"""How every command of the desk is written: what was seen, what is allowed, one transaction.

Invariant: nothing is appended before everything is checked, under the same writers' lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.incidents.model import TRANSITIONS, Incident, Severity
from maestro_cli.incidents.register import Reads, find_incident, survivor_of
from maestro_cli.incidents.timeline import describe
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal, Transaction

MAX_TEXT_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class DeskPolicy:
    """`settle_seconds`: how long all signals must have been clear before a resolve needs no force;
    `postmortem_for`: severities that cannot be closed without a published post-mortem."""

    settle_seconds: float = 0.0
    postmortem_for: tuple[Severity, ...] = (Severity.SEV1, Severity.SEV2)


class Writing:
    """A journal, a clock and the actor in whose name events are appended."""

    def __init__(
        self, journal: Journal, clock: Clock, actor: str, *, policy: DeskPolicy | None = None
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._actor = actor
        self._policy = policy or DeskPolicy()

    def _append(self, transaction: Transaction, kind: str, incident: str, data: Mapping[str, Any]) -> Event:
        return transaction.append(kind, f"incident/{incident}", self._actor, {"incident": incident, **data})

    def _seen(self, transaction: Transaction, ref: str, expected_seq: int | None) -> Incident:
        """The incident as the caller saw it; raises GateNotMet when it was merged, or changed since."""
        incident = self._seen_or_merged(transaction, ref, expected_seq)
        require_not_merged(transaction, incident)
        return incident

    def _seen_or_merged(self, transaction: Transaction, ref: str, expected_seq: int | None) -> Incident:
        incident = find_incident(transaction, ref)
        last = self._journal.head().seq
        if expected_seq is not None and expected_seq > last:
            raise UsageError(
                f"no event {expected_seq} was ever written, the last one is {last}",
                fix=f"give the seq that is told by: maestro incident show {incident.number}",
            )
        if expected_seq is not None and incident.seq > expected_seq:
            newer = self._journal.events(after=incident.seq - 1, limit=1)[0]
            raise GateNotMet(
                f"incident #{incident.number} changed since you looked",
                why=f"{newer.time} {newer.actor}: {describe(newer.kind, newer.data)}",
                fix="look again, then repeat the command",
            )
        return incident

    def _simple(self, ref: str, expected_seq: int | None, kind: str, data: Mapping[str, Any]) -> Incident:
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            self._append(transaction, kind, incident.id, data)
            return find_incident(transaction, incident.id)

    def _move(self, ref: str, expected_seq: int | None, kind: str, data: Mapping[str, Any]) -> Incident:
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            require(incident, kind)
            self._append(transaction, kind, incident.id, data)
            return find_incident(transaction, incident.id)


def require_not_merged(reads: Reads, incident: Incident) -> None:
    """Raises GateNotMet for an incident that was merged, with the number of the one that it is now."""
    survivor = survivor_of(reads, incident)
    if survivor is not incident:
        raise GateNotMet(
            f"incident #{incident.number} was merged into #{survivor.number}",
            why=f"what is done about it is done on #{survivor.number}, which has its signals and links",
            fix=f"repeat the command for {survivor.number}; maestro incident show {survivor.number}",
        )


def require(incident: Incident, kind: str, *, fix: str = "") -> None:
    """Raises GateNotMet unless the table allows that transition now."""
    sources, target = TRANSITIONS[kind]
    if incident.state not in sources:
        allowed = " or ".join(state.value for state in sources)
        raise GateNotMet(
            f"incident #{incident.number} is {incident.state.value}, so it cannot become {target.value}",
            why=f"that is possible from {allowed}",
            fix=fix,
        )
