"""Nothing that was accepted is lost, and nothing is doubled beyond a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.progress import Quiet
from maestro_cli.journal.courier import Courier
from maestro_cli.journal.messages import Attempt, Delivery, Message, OutboxProjection, Outcome, Standing
from maestro_cli.journal.outbox import _AFTER_ANOTHER, BURST, WINDOW_SECONDS, Outbox, pause_seconds
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.patience import PATIENCE_SECONDS
from tests.unit.journal.hand_clock import HandClock

OK = Attempt(Outcome.DELIVERED, "200")
DOWN = Attempt(Outcome.LATER, "nobody answers")
NO = Attempt(Outcome.REFUSED, "404")
AWAY = Attempt(Outcome.ELSEWHERE, "CHAT is not set, here")


class Sent:
    """A Sender whose attempts are written beforehand; the last one stays."""

    def __init__(self, *attempts: Attempt) -> None:
        self.attempts = list(attempts) or [OK]
        self.keys: list[str] = []
        self.news = threading.Event()

    def send(self, message: Delivery) -> Attempt:
        self.keys.append(message.key)
        self.news.set()
        return self.attempts.pop(0) if len(self.attempts) > 1 else self.attempts[0]


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journal(tmp_path: Path, clock: HandClock) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", projections=[OutboxProjection()], clock=clock)
    yield made
    assert verify(tmp_path / "journal.db", [OutboxProjection()]).intact
    made.close()


def an_outbox(journal: Journal, sender: Sent) -> Outbox:
    return Outbox(journal, sender, clock=journal.clock, actor="ada")


def a_message(key: str = "k", channel: str = "env:CHAT") -> Message:
    return Message(key, channel, {"text": f"text of {key}"})


def kinds(journal: Journal) -> list[str]:
    return [event.kind for event in journal.events()]


def test_a_message_is_durable_before_it_is_tried_and_ends_with_its_delivery(journal: Journal) -> None:
    sent = Sent()
    seen: list[list[str]] = []
    sent.send = lambda message: seen.append(kinds(journal)) or OK  # type: ignore[method-assign, func-returns-value]
    kept = an_outbox(journal, sent).post(a_message())
    assert (kept.standing, kept.attempts, kept.reason) == (Standing.DELIVERED, 1, "200")
    assert seen == [["outbox.queued"]]
    assert kinds(journal) == ["outbox.queued", "outbox.delivered"]


def test_a_key_is_accepted_once_and_delivered_once(journal: Journal) -> None:
    sent = Sent()
    outbox = an_outbox(journal, sent)
    first = outbox.post(a_message())
    assert outbox.post(a_message()) == first
    assert outbox.deliver(first.id) == first
    assert outbox.flush(Cancellation()) == ()
    assert sent.keys == ["k"]


@pytest.mark.parametrize(
    "place", ["outbox.before:queued", "outbox.after:queued", "outbox.before:k", "outbox.sent:k"]
)
def test_a_kill_anywhere_loses_nothing_and_doubles_only_what_was_being_sent(
    journal: Journal, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent()

    def kill(here: str) -> None:
        if here == place:
            raise Killed

    monkeypatch.setattr("maestro_cli.journal.outbox.crash_point", kill)
    with pytest.raises(Killed):
        an_outbox(journal, sent).post(a_message())
    monkeypatch.undo()
    again = an_outbox(journal, sent).post(a_message())  # who posts it goes on, with the same key
    assert again.standing is Standing.DELIVERED
    assert sent.keys == ["k"] * (2 if place == "outbox.sent:k" else 1)
    assert kinds(journal).count("outbox.queued") == 1


def test_a_channel_that_does_not_answer_is_left_alone_longer_each_time(
    journal: Journal, clock: HandClock
) -> None:
    sent = Sent(DOWN)
    outbox = an_outbox(journal, sent)
    assert outbox.post(a_message("a")).standing is Standing.WAITING
    assert outbox.post(a_message("b")).attempts == 0  # the channel is known to be down
    assert outbox.deliver_due() == ()
    clock.sleep(5.1)
    assert [one.key for one in outbox.deliver_due()] == ["b"]  # what was tried least comes first
    clock.sleep(5.1)
    assert outbox.deliver_due() == ()  # ten seconds now
    clock.sleep(5.1)
    sent.attempts = [OK]
    assert [one.standing for one in outbox.deliver_due()] == [Standing.DELIVERED] * 2
    assert sorted(sent.keys) == ["a", "a", "b", "b"]
    assert outbox.channel("env:CHAT").failures == 0


def test_pauses_double_up_to_a_quarter_of_an_hour_and_a_channel_may_ask_for_more() -> None:
    assert [pause_seconds(failures, 0) for failures in (1, 2, 3, 99)] == [5, 10, 20, 900]
    assert pause_seconds(1, 30) == 30
    assert pause_seconds(1, 1e9) == 3600


def test_one_channel_that_is_down_holds_no_other_back(journal: Journal) -> None:
    class Half(Sent):
        def send(self, message: Delivery) -> Attempt:
            super().send(message)
            return DOWN if message.channel == "env:DOWN" else OK

    sent = Half()
    outbox = an_outbox(journal, sent)
    for number in range(3):
        outbox.accept(a_message(f"down{number}", "env:DOWN"))
        outbox.accept(a_message(f"up{number}", "env:UP"))
    outbox.deliver_due()
    assert [key for key in sent.keys if key.startswith("down")] == ["down0"]
    assert {one.key for one in outbox.messages()} == {"down0", "down1", "down2"}


def test_what_a_channel_refuses_is_tried_again_by_a_person_alone(journal: Journal, clock: HandClock) -> None:
    sent = Sent(NO, OK)
    outbox = an_outbox(journal, sent)
    assert outbox.post(a_message()).standing is Standing.REFUSED
    clock.sleep(3600)
    assert outbox.deliver_due() == ()
    assert outbox.post(a_message()).standing is Standing.REFUSED
    assert [one.standing for one in outbox.flush(Cancellation())] == [Standing.DELIVERED]


def test_an_address_that_is_not_known_here_costs_no_attempt(journal: Journal) -> None:
    kept = an_outbox(journal, Sent(AWAY)).post(a_message())
    assert (kept.standing, kept.attempts, kept.reason) == (Standing.WAITING, 0, AWAY.reason)
    assert kinds(journal) == ["outbox.queued"]
    assert an_outbox(journal, Sent()).deliver(kept.id).standing is Standing.DELIVERED


def test_a_storm_goes_out_at_the_rate_that_channels_take(journal: Journal, clock: HandClock) -> None:
    sent = Sent()
    outbox = an_outbox(journal, sent)
    for number in range(3 * BURST):
        outbox.post(a_message(str(number)))
    assert len(sent.keys) == BURST
    clock.sleep(WINDOW_SECONDS + 1)
    assert len(outbox.deliver_due()) == BURST
    clock.sleep(WINDOW_SECONDS + 1)
    outbox.deliver_due()
    assert len(set(sent.keys)) == len(sent.keys) == 3 * BURST


def test_two_at_one_channel_do_not_send_the_same_message(journal: Journal) -> None:
    sent = Sent()
    outbox, other = an_outbox(journal, sent), an_outbox(journal, Sent())
    kept = outbox.accept(a_message())
    sent.send = lambda message: DOWN if other.deliver(message.id).attempts else OK  # type: ignore[method-assign]
    assert outbox.deliver(kept.id).standing is Standing.DELIVERED
    assert kinds(journal).count("outbox.delivered") == 1


def test_a_dropped_message_is_never_sent_and_stays_in_the_record(journal: Journal) -> None:
    outbox = an_outbox(journal, Sent(DOWN))
    kept = outbox.post(a_message())
    assert outbox.drop(kept.id, "told by phone").standing is Standing.DROPPED
    assert outbox.messages() == ()
    assert [one.reason for one in outbox.messages(ended=True)] == ["told by phone"]
    assert outbox.post(a_message(), now=True).standing is Standing.DROPPED
    with pytest.raises(UsageError):
        outbox.drop(kept.id, "")
    with pytest.raises(NotFound):
        outbox.drop("msg-none", "")


@pytest.mark.parametrize(
    ("attempt", "standing"),
    [(DOWN, Standing.DROPPED), (NO, Standing.DROPPED), (OK, Standing.DELIVERED)],
    ids=["silent", "refused", "delivered"],
)
def test_what_is_dropped_during_an_attempt_stays_dropped_unless_it_was_delivered(
    journal: Journal, clock: HandClock, attempt: Attempt, standing: Standing
) -> None:
    class Slow(Sent):
        def send(self, message: Delivery) -> Attempt:
            outbox.drop(message.id, "told by phone")
            return super().send(message)

    outbox = an_outbox(journal, Slow(attempt))
    kept = outbox.accept(a_message())
    assert outbox.deliver(kept.id).standing is standing
    clock.sleep(3600)
    assert outbox.deliver_due() == () == outbox.messages()
    assert kinds(journal).count("outbox.failed") == 0


def test_who_posts_waits_for_one_attempt_and_leaves_what_waited_to_the_courier(journal: Journal) -> None:
    sent = Sent()
    outbox = an_outbox(journal, sent)
    outbox.accept(a_message("older"))
    assert outbox.post(a_message("newer")).standing is Standing.DELIVERED
    assert sent.keys == ["newer"]
    assert [one.key for one in outbox.deliver_due()] == ["older"]


def test_flush_tries_a_silent_channel_once_and_ends_when_it_is_cancelled(journal: Journal) -> None:
    sent = Sent(DOWN)
    outbox = an_outbox(journal, sent)
    for number in range(4):
        outbox.accept(a_message(str(number)))
    assert len(outbox.flush(Cancellation())) == 4
    assert sent.keys == ["0"]
    cancelled = Cancellation()
    cancelled.cancel()
    assert outbox.flush(cancelled) == ()


def test_a_courier_delivers_beside_other_work_and_ends_with_it(journal: Journal) -> None:
    sent = Sent()
    outbox = an_outbox(journal, sent)
    outbox.accept(a_message())
    with Courier(outbox, Quiet(), look_seconds=0.01):
        assert sent.news.wait(PATIENCE_SECONDS)
    assert outbox.messages() == ()
    assert not any(thread.name == "courier" for thread in threading.enumerate())


def test_a_courier_outlives_a_defect_and_says_it(journal: Journal) -> None:
    said: list[str] = []

    class Told(Quiet):
        def note(self, text: str) -> None:
            said.append(text)

    class Breaks(Sent):
        def send(self, message: Delivery) -> Attempt:
            if not said:
                raise RuntimeError("hunter2")
            return super().send(message)

    sent = Breaks()
    outbox = an_outbox(journal, sent)
    outbox.accept(a_message())
    with Courier(outbox, Told(), look_seconds=0.01):
        assert sent.news.wait(PATIENCE_SECONDS)
    assert outbox.messages() == ()
    assert said[0] == "no message could be delivered: internal error: RuntimeError"


def test_whether_an_earlier_message_of_an_incident_waits_is_found_by_an_index(journal: Journal) -> None:
    sql = f"EXPLAIN QUERY PLAN SELECT 1 FROM outbox AS o WHERE id = ? AND {_AFTER_ANOTHER}"
    plan = " ".join(row["detail"] for row in journal.query(sql, ("m",)))
    assert "outbox_by_incident (channel=? AND incident=? AND standing=? AND seq<?)" in plan


def test_a_key_that_is_known_is_answered_without_writing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = an_outbox(journal, Sent())
    kept = outbox.accept(a_message())
    monkeypatch.delattr(Journal, "transaction")
    assert outbox.accept(a_message()) == kept


def test_a_channel_that_cannot_be_tried_here_is_not_looked_at_for_a_minute(
    journal: Journal, clock: HandClock
) -> None:
    sent = Sent(AWAY, OK)
    outbox = an_outbox(journal, sent)
    outbox.accept(a_message())
    assert [one.reason for one in outbox.deliver_due()] == [AWAY.reason]
    clock.sleep(59)
    assert (outbox.deliver_due(), sent.keys) == ((), ["k"])
    clock.sleep(2)
    assert [one.standing for one in outbox.deliver_due()] == [Standing.DELIVERED]


def test_what_waits_for_one_channel_holds_up_another_for_one_attempt(journal: Journal) -> None:
    sent = Sent()
    outbox = an_outbox(journal, sent)
    for number in range(3):
        outbox.accept(a_message(f"chat{number}", "env:CHAT"))
    outbox.accept(a_message("page", "env:PAGER"))
    outbox.deliver_due()
    assert sent.keys.index("page") <= 1
    assert len(sent.keys) == 4
