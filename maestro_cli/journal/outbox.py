"""Messages to people, kept until they are delivered.

Invariant: a message is accepted once it is durable, and once under its key; from then on it ends only as
delivered, or as dropped by a person. It is delivered at least once and always under that key: a crash between
the sending and its record sends it again. One process at a time delivers to a channel, and what waits of one
incident in the order in which it was accepted.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, to_rfc3339
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import Busy, NotFound, UsageError
from maestro_cli.core.ids import new_id
from maestro_cli.core.untrusted import visible
from maestro_cli.journal.messages import Attempt, Channel, Delivery, Message, Outcome, Standing, read_row
from maestro_cli.journal.store import Journal, Transaction

BURST = 10  # attempts at one channel within WINDOW_SECONDS; chat systems allow about one a second
WINDOW_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 900.0
LONGEST_ASKED_SECONDS = 3600.0  # of what a channel itself asks for
LEASE_MARGIN_SECONDS = 15.0
ELSEWHERE_SECONDS = 60.0  # until this process looks again whether it can try a channel
BATCH = 100

_AFTER_ANOTHER = (
    "EXISTS (SELECT 1 FROM outbox AS e WHERE e.standing = 'waiting' AND e.channel = o.channel"
    " AND e.incident = o.incident AND o.incident <> '' AND e.seq < o.seq)"
)


class Sender(Protocol):
    def send(self, message: Delivery) -> Attempt:
        """Try once to hand it to its channel; whatever happens is in the answer."""


class Outbox:
    """Accepts and delivers; needs OutboxProjection among the journal's projections. Safe between threads."""

    def __init__(self, journal: Journal, sender: Sender, *, clock: Clock, actor: str) -> None:
        self._journal, self._sender, self._clock, self._actor = journal, sender, clock, actor
        self._elsewhere: dict[str, datetime] = {}  # channels that this process cannot try, until when

    # Accepting

    def post(self, message: Message, *, now: bool = False) -> Delivery:
        """Accept a message and try it at once, and no other: who posts waits for one attempt at most.

        It is left for later where its channel is known not to answer, unless it shall be tried `now`.
        """
        kept = self.accept(message)
        if kept.standing is not Standing.WAITING and not (now and kept.standing is Standing.REFUSED):
            return kept
        if not now and self.channel(kept.channel).is_paused(self._clock.now()):
            return kept
        return self.deliver(kept.id)

    def accept(self, message: Message) -> Delivery:
        """Make a message durable; the one that has its key already when there is one."""
        crash_point("outbox.before:queued")
        known = self._journal.query("SELECT * FROM outbox WHERE key = ?", (message.key,))
        if known:  # found without the lock that writing takes
            return read_row(known[0])
        with self._journal.transaction() as transaction:
            kept = self.put(transaction, message)
        crash_point("outbox.after:queued")
        return kept

    def put(self, transaction: Transaction, message: Message) -> Delivery:
        """The same together with what the message tells: both are durable, or neither."""
        known = transaction.query("SELECT * FROM outbox WHERE key = ?", (message.key,))
        if not known:
            subject = f"message/{new_id('msg', self._clock.now())}"
            transaction.append("outbox.queued", subject, self._actor, asdict(message))
            known = transaction.query("SELECT * FROM outbox WHERE key = ?", (message.key,))
        return read_row(known[0])

    # Delivering

    def deliver(self, message_id: str) -> Delivery:
        """Try one message now, unless it has ended, its channel had its share of attempts, or somebody
        else delivers to it at this moment."""
        kept = self.get(message_id)
        if kept.standing.is_over:
            return kept
        try:
            with self._hold(kept):
                return self._try(message_id)
        except Busy:
            return self.get(message_id)

    def deliver_due(self) -> tuple[Delivery, ...]:
        """Try what waits for channels that are not paused, those that were tried least first.

        Channels have turns of one attempt, so that what waits for a slow one holds up no other for longer. A
        channel that does not take one is left alone until its pause is over.
        """
        tried: list[Delivery] = []
        turns = [self._drain(one.name) for one in self.channels()]
        while turns:
            for turn in tuple(turns):
                after = next(turn, None)
                if after is None:
                    turns.remove(turn)
                else:
                    tried.append(after)
        return tuple(tried)

    def _drain(self, channel: str) -> Iterator[Delivery]:
        """Try what waits for a channel until it does not take one, or all is delivered."""
        while self._may_try(channel) and (waiting := self._waiting(channel)):
            for message_id in waiting:
                if not self._may_try(channel):
                    return
                before = self.get(message_id)
                after = self.deliver(message_id)
                if after != before:
                    yield after
                if after.attempts == before.attempts:  # another is at it, or the channel had its share
                    return

    def _may_try(self, channel: str) -> bool:
        """Whether a channel is not paused, for anybody or for this process."""
        now = self._clock.now()
        return self._elsewhere.get(channel, now) <= now and not self.channel(channel).is_paused(now)

    def flush(self, cancellation: Cancellation) -> tuple[Delivery, ...]:
        """Try everything that is not delivered, refused messages too, whatever pause was meant; at the
        rate that channels take. A channel that does not answer is tried once."""
        tried: list[Delivery] = []
        silent: set[str] = set()
        for kept in self.messages(limit=-1)[::-1]:
            if kept.channel in silent:
                tried.append(self.get(kept.id))
                continue
            while self._is_busy(kept.channel) and not cancellation.wait(0.2):
                pass
            if cancellation.is_set:
                break
            after = self.deliver(kept.id)
            tried.append(after)
            if after.standing is Standing.WAITING:
                silent.add(kept.channel)
        return tuple(tried)

    def drop(self, message_id: str, reason: str) -> Delivery:
        """Give a message up; raises NotFound, and UsageError when it has ended."""
        self.get(message_id)
        with self._journal.transaction() as transaction:
            kept = _one(transaction, message_id)
            if kept.standing.is_over:
                raise UsageError(f"message {message_id} is {kept.standing.value}", fix="maestro outbox list")
            data = {"reason": reason, "incident": kept.incident}
            transaction.append("outbox.dropped", f"message/{message_id}", self._actor, data)
            return _one(transaction, message_id)

    def _try(self, message_id: str) -> Delivery:
        kept = self.get(message_id)  # as it is now that nobody else is at it
        if kept.standing.is_over or self._is_busy(kept.channel) or self._is_after_another(message_id):
            return kept
        crash_point(f"outbox.before:{kept.key}")
        attempt = self._sender.send(kept)
        crash_point(f"outbox.sent:{kept.key}")
        if attempt.outcome is Outcome.ELSEWHERE:
            self._elsewhere[kept.channel] = self._clock.now() + timedelta(seconds=ELSEWHERE_SECONDS)
            return kept.told(attempt.reason)
        data: dict[str, Any] = {"reason": attempt.reason, "incident": kept.incident}
        kind = "outbox.delivered"
        if attempt.outcome is not Outcome.DELIVERED:
            kind = "outbox.failed"
            failures = self.channel(kept.channel).failures + 1
            until = self._clock.now() + timedelta(seconds=pause_seconds(failures, attempt.asked_seconds))
            refused = attempt.outcome is Outcome.REFUSED
            data |= {"refused": refused, "not_before": "" if refused else to_rfc3339(until)}
        with self._journal.transaction() as transaction:
            found = _one(transaction, message_id)
            if found.standing.is_over and attempt.outcome is not Outcome.DELIVERED:
                return found  # it was dropped meanwhile: that it failed must not have it wait again
            data["attempt"] = found.attempts + 1
            transaction.append(kind, f"message/{message_id}", self._actor, data)
            return _one(transaction, message_id)

    @contextmanager
    def _hold(self, kept: Delivery) -> Iterator[None]:
        """Be the one who delivers to a channel; raises Busy when another is."""
        holder = f"{self._actor} {secrets.token_hex(6)}"
        seconds = kept.timeout_seconds + LEASE_MARGIN_SECONDS
        lease = self._journal.acquire_lease(f"outbox/{kept.channel}", holder, seconds)
        try:
            yield
        finally:
            self._journal.release_lease(lease)

    # Reading

    def get(self, message_id: str) -> Delivery:
        """One message; raises NotFound."""
        return _one(self._journal, message_id)

    def messages(self, *, ended: bool = False, limit: int = 200) -> tuple[Delivery, ...]:
        """The newest first; those that were delivered or dropped only where `ended`. -1 is no limit."""
        where = "" if ended else "WHERE standing IN ('waiting', 'refused')"
        sql = f"SELECT * FROM outbox {where} ORDER BY seq DESC LIMIT ?"
        return tuple(map(read_row, self._journal.query(sql, (limit,))))

    def channel(self, name: str) -> Channel:
        rows = self._journal.query("SELECT * FROM outbox_channels WHERE channel = ?", (name,))
        return Channel(name, rows[0]["failures"], rows[0]["not_before"]) if rows else Channel(name, 0, "")

    def channels(self) -> tuple[Channel, ...]:
        """Every channel that messages wait for."""
        rows = self._journal.query("SELECT DISTINCT channel FROM outbox WHERE standing = 'waiting'")
        return tuple(self.channel(row["channel"]) for row in rows)

    def _waiting(self, channel: str) -> list[str]:
        sql = (
            f"SELECT id FROM outbox AS o WHERE standing = 'waiting' AND channel = ? AND NOT {_AFTER_ANOTHER}"
            " ORDER BY attempts, seq LIMIT ?"
        )
        return [str(row["id"]) for row in self._journal.query(sql, (channel, BATCH))]

    def _is_after_another(self, message_id: str) -> bool:
        """Whether an earlier message of the same incident still waits for the same channel."""
        sql = f"SELECT 1 FROM outbox AS o WHERE id = ? AND {_AFTER_ANOTHER}"
        return bool(self._journal.query(sql, (message_id,)))

    def _is_busy(self, channel: str) -> bool:
        """Whether a channel had its share of attempts just now."""
        since = to_rfc3339(self._clock.now() - timedelta(seconds=WINDOW_SECONDS))
        sql = "SELECT COUNT(*) AS n FROM outbox WHERE channel = ? AND tried_at > ?"
        return int(self._journal.query(sql, (channel, since))[0]["n"]) >= BURST


def _one(source: Journal | Transaction, message_id: str) -> Delivery:
    rows = source.query("SELECT * FROM outbox WHERE id = ?", (message_id,))
    if not rows:
        raise NotFound(
            f"there is no message {visible(message_id, 60)!r}", fix="see: maestro outbox list --all"
        )
    return read_row(rows[0])


def pause_seconds(failures: int, asked_seconds: float) -> float:
    """How long a channel is left alone after its last `failures` attempts failed in a row."""
    own = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE_SECONDS)
    return max(own, min(asked_seconds, LONGEST_ASKED_SECONDS))
