"""What can go wrong beside the delivery of messages: it is said once, and ends nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy
from maestro_cli.core.progress import Quiet
from maestro_cli.journal.courier import Courier
from maestro_cli.journal.messages import Attempt, Delivery, Message, OutboxProjection, Outcome, Standing
from maestro_cli.journal.outbox import BURST, LEASE_MARGIN_SECONDS, Outbox
from maestro_cli.journal.store import Journal
from tests.patience import PATIENCE_SECONDS
from tests.unit.journal.hand_clock import HandClock


class Says:
    """A Sender whose answer can be changed at any time."""

    def __init__(self, outcome: Outcome = Outcome.DELIVERED, reason: str = "200") -> None:
        self.attempt = Attempt(outcome, reason)
        self.keys: list[str] = []

    def send(self, message: Delivery) -> Attempt:
        self.keys.append(message.key)
        return self.attempt


class Told(Quiet):
    """What a courier says, and when it said so much."""

    def __init__(self, enough: int) -> None:
        self.said: list[str] = []
        self.enough, self.is_enough = enough, threading.Event()

    def note(self, text: str) -> None:
        self.said.append(text)
        if len(self.said) >= self.enough:
            self.is_enough.set()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journal(tmp_path: Path, clock: HandClock) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", projections=[OutboxProjection()], clock=clock)
    yield made
    made.close()


def an_outbox(journal: Journal, sender: Says) -> Outbox:
    return Outbox(journal, sender, clock=journal.clock, actor="ada")


def a_message(key: str, channel: str = "env:CHAT", incident: str = "") -> Message:
    return Message(key, channel, {"text": key}, incident=incident)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.LATER, "env:CHAT: waiting, no answer"),
        (Outcome.REFUSED, "env:CHAT: refused, no answer"),
        (Outcome.DELIVERED, "env:CHAT: delivered"),
    ],
    ids=["later", "refused", "delivered"],
)
def test_a_courier_says_how_a_channel_stands(journal: Journal, outcome: Outcome, said: str) -> None:
    outbox, told = an_outbox(journal, Says(outcome, "no answer")), Told(1)
    outbox.accept(a_message("a"))
    outbox.accept(a_message("b"))
    with Courier(outbox, told, look_seconds=0.01):
        assert told.is_enough.wait(PATIENCE_SECONDS)
    assert told.said == [said]  # of both, and however often it looked


def test_a_journal_that_cannot_be_written_is_said_once_and_looked_at_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, told = an_outbox(journal, Says()), Told(2)
    outbox.accept(a_message("a"))
    looks = iter([Busy("the journal is locked")] * 3)
    really = outbox.deliver_due

    def locked() -> tuple[Delivery, ...]:
        for error in looks:
            raise error
        return really()

    monkeypatch.setattr(outbox, "deliver_due", locked)
    with Courier(outbox, told, look_seconds=0.01):
        assert told.is_enough.wait(PATIENCE_SECONDS)
    assert told.said == ["no message could be delivered: the journal is locked", "env:CHAT: delivered"]


def test_a_flush_waits_for_the_share_of_a_channel_and_ends_at_once_when_it_is_cancelled(
    journal: Journal, clock: HandClock
) -> None:
    sender = Says()
    outbox = an_outbox(journal, sender)
    for number in range(BURST + 2):
        outbox.accept(a_message(f"m{number}"))

    class Ends(Cancellation):
        def wait(self, seconds: float) -> bool:
            self.cancel()  # while it waits
            return super().wait(0.0)

    assert len(outbox.flush(Ends())) == BURST
    assert sender.keys == [f"m{number}" for number in range(BURST)]


def test_of_one_incident_nothing_overtakes_what_waits_also_when_a_person_flushes(journal: Journal) -> None:
    sender = Says(Outcome.LATER, "down")
    outbox = an_outbox(journal, sender)
    outbox.accept(a_message("opened", incident="inc-1"))
    later = outbox.accept(a_message("resolved", incident="inc-1"))
    other = outbox.accept(a_message("else", incident="inc-2"))
    assert outbox.deliver(later.id).attempts == 0
    assert outbox.deliver(other.id).attempts == 1
    assert sender.keys == ["else"]
    sender.attempt = Attempt(Outcome.DELIVERED, "200")
    outbox.flush(Cancellation())
    assert sender.keys == ["else", "opened", "resolved", "else"]


def test_what_was_refused_holds_up_nothing_of_its_incident(journal: Journal) -> None:
    sender = Says(Outcome.REFUSED, "404")
    outbox = an_outbox(journal, sender)
    outbox.post(a_message("opened", incident="inc-1"))
    sender.attempt = Attempt(Outcome.DELIVERED, "200")
    assert outbox.post(a_message("resolved", incident="inc-1")).standing is Standing.DELIVERED
    assert [one.standing for one in outbox.messages()] == [Standing.REFUSED]


def test_a_process_that_died_at_a_channel_holds_it_no_longer_than_its_lease(
    journal: Journal, clock: HandClock
) -> None:
    sender = Says()
    outbox = an_outbox(journal, sender)
    kept = outbox.accept(a_message("a"))
    seconds = kept.timeout_seconds + LEASE_MARGIN_SECONDS
    journal.acquire_lease("outbox/env:CHAT", "another that was killed", seconds)
    assert outbox.deliver(kept.id).standing is Standing.WAITING
    assert outbox.deliver_due() == ()
    assert sender.keys == []
    clock.sleep(seconds + 1)
    assert outbox.deliver(kept.id).standing is Standing.DELIVERED
