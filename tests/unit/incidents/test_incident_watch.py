"""The loop: it keeps running, says when it is blind, and writes nothing at rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ActionFailed, Unreachable
from maestro_cli.core.facts.alerts import Alert, WebhookMessage
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.clock import Budgets
from maestro_cli.incidents.intake.blindness import read_sight
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.watch import Eye, Watch
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.incidents.response.lookout import Lookout
from maestro_cli.journal.store import Journal
from tests.unit.incidents.world import Room, alert


class Feed:
    def __init__(self) -> None:
        self.answer: tuple[Alert, ...] = ()
        self.down = False
        self.reads = 0
        self.read = threading.Event()

    def alerts(self) -> tuple[Alert, ...]:
        self.reads += 1
        self.read.set()
        if self.down:
            raise Unreachable("Alertmanager does not answer", why="connection refused")
        return self.answer


class Receiver:
    def __init__(self) -> None:
        self.deliver: Callable[[WebhookMessage], None] | None = None
        self.started = threading.Event()
        self.stopped = False

    def start(self, deliver: Callable[[WebhookMessage], None]) -> str:
        self.deliver = deliver
        self.started.set()
        return "http://127.0.0.1:1/"

    def stop(self) -> None:
        self.stopped = True


class Notes(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.journal.close()


def watch_of(room: Room, feed: Feed, actor: str = "watch", budgets: Budgets = Budgets()) -> Watch:
    detector = Detector(room.journal, room.clock, actor)
    return Watch(
        detector, feed, poll_seconds=10, webhook=None, clock=room.clock, cancellation=Cancellation(),
        budgets=budgets,
    )  # fmt: skip


def test_blindness_is_told_once_with_its_end(room: Room) -> None:
    feed = Feed()
    watches = [watch_of(room, feed, name) for name in ("a", "b")]
    feed.down = True
    for _ in range(5):
        for watch in watches:
            watch.cycle()
        room.clock.advance(10)
    sight = read_sight(room.journal)
    assert sight.error == "Alertmanager does not answer: connection refused"
    assert len(sight.watchers) == 2
    feed.down = False
    for watch in watches:
        watch.cycle()
    events = room.journal.events(kinds=("watch.",))
    assert [event.kind for event in events] == ["watch.blind", "watch.seeing"]
    assert events[1].data["blind_seconds"] == 50
    assert read_sight(room.journal).blind_since is None


def test_a_restarted_watcher_knows_that_it_was_blind(room: Room) -> None:
    feed = Feed()
    feed.down = True
    watch_of(room, feed).cycle()
    room.clock.advance(100)
    watch_of(room, feed).cycle()
    feed.down = False
    watch_of(room, feed).cycle()
    assert [event.kind for event in room.journal.events()] == ["watch.blind", "watch.seeing"]


def test_blindness_resolves_nothing(room: Room) -> None:
    feed = Feed()
    feed.answer = (alert(),)
    watch = watch_of(room, feed)
    watch.cycle()
    feed.down = True
    for _ in range(5):
        room.clock.advance(10)
        watch.cycle()
    assert list_incidents(room.journal)[0].firing == 1


def test_at_rest_the_journal_does_not_grow_and_the_heart_beats(room: Room) -> None:
    feed = Feed()
    feed.answer = (alert(),)
    watch = watch_of(room, feed)
    watch.cycle()
    length, first = room.length, read_sight(room.journal).watchers[0]
    for _ in range(20):
        room.clock.advance(10)
        watch.cycle()
    assert room.length == length
    (beat,) = read_sight(room.journal).watchers
    assert beat.holder == first.holder
    assert beat.until > first.until
    room.clock.advance(3600)
    assert read_sight(room.journal).watchers == ()
    watch.cycle()  # the machine had slept
    assert len(read_sight(room.journal).watchers) == 1


def test_breached_budgets_are_told_once(room: Room) -> None:
    feed = Feed()
    room.clock.advance(20)
    feed.answer = (alert(),)
    watch = watch_of(room, feed, budgets=Budgets(detect_seconds=10, triage_seconds=60, resolve_seconds=90))
    for _ in range(20):
        watch.cycle()
        room.clock.advance(10)
    breaches = room.journal.events(kinds=("incident.breached",))
    assert [event.data["phase"] for event in breaches] == ["detect", "triage", "resolve"]
    assert breaches[2].data["at"] == "2026-11-23T09:01:30.000000Z"


def test_a_webhook_is_durable_when_it_returns_and_a_cut_one_is_completed(room: Room) -> None:
    feed = Feed()
    feed.answer = (alert(), alert(pod="b"))
    watch = watch_of(room, feed)
    one = (alert(source="alertmanager-webhook"),)
    watch.deliver(WebhookMessage(one, truncated=0, group_key="{}:{}", status="firing"))
    assert (list_incidents(room.journal)[0].firing, feed.reads) == (1, 0)
    watch.deliver(WebhookMessage(one, truncated=1, group_key="{}:{}", status="firing"))
    assert (list_incidents(room.journal)[0].firing, feed.reads) == (2, 1)


def test_a_webhook_that_cannot_be_stored_is_not_acknowledged(tmp_path: Path) -> None:
    room = Room(tmp_path)
    watch = watch_of(room, Feed())
    room.journal.query("PRAGMA query_only = 1")
    message = WebhookMessage((alert(),), truncated=0, group_key="", status="firing")
    with pytest.raises(ActionFailed):
        watch.deliver(message)
    watch.cycle()  # and the loop goes on
    room.journal.query("PRAGMA query_only = 0")
    watch.deliver(message)
    assert len(list_incidents(room.journal)) == 1
    room.journal.close()


def test_it_runs_until_cancelled_and_leaves_nothing_held(tmp_path: Path) -> None:
    clock = SystemClock()
    journal = Journal(tmp_path / "j.db", projections=[IncidentProjection()], clock=clock)
    feed, receiver, cancellation = Feed(), Receiver(), Cancellation()
    watch = Watch(
        Detector(journal, clock, "watch"), feed, poll_seconds=0.05, webhook=receiver, clock=clock,
        cancellation=cancellation,
    )  # fmt: skip
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        assert receiver.started.wait(60)
        assert feed.read.wait(60)
        assert receiver.deliver is not None
        receiver.deliver(WebhookMessage((alert(),), 0, "", "firing"))
        assert len(list_incidents(journal)) == 1
    finally:
        cancellation.cancel()
        thread.join(60)
    assert not thread.is_alive()
    assert receiver.stopped
    assert read_sight(journal).watchers == ()
    journal.close()


def test_a_source_that_is_blind_leaves_the_others_alone(room: Room) -> None:
    feed, beside = Feed(), Feed()
    feed.answer, beside.down = (alert(),), True
    eye = Eye("kubernetes", beside, 30)
    detector = Detector(room.journal, room.clock, "watch")
    watch = Watch(
        detector, feed, poll_seconds=10, webhook=None, clock=room.clock, cancellation=Cancellation(),
        others=(eye,),
    )  # fmt: skip
    for _ in range(3):
        watch.cycle()
        assert watch.poll_eye(eye) is None
    sight = read_sight(room.journal, others=("kubernetes", "anomalies"))
    assert (sight.blind_since, [one.source for one in sight.others]) == (None, ["kubernetes"])
    beside.down = False
    watch.poll_eye(eye)
    assert read_sight(room.journal, others=("kubernetes",)).others == ()
    assert [event.kind for event in room.journal.events(kinds=("watch.",))] == ["watch.blind", "watch.seeing"]
    assert list_incidents(room.journal)[0].firing == 1  # the empty answer of one says nothing of the other


def test_sources_beside_are_read_while_the_first_one_hangs(tmp_path: Path) -> None:
    clock, cancellation, hanging = SystemClock(), Cancellation(), threading.Event()
    journal = Journal(tmp_path / "j.db", projections=[IncidentProjection()], clock=clock)
    beside = Feed()

    class Hanging:
        def alerts(self) -> tuple[Alert, ...]:
            hanging.wait(60)
            return ()

    watch = Watch(
        Detector(journal, clock, "watch"), Hanging(), poll_seconds=0.05, webhook=None, clock=clock,
        cancellation=cancellation, others=(Eye("kubernetes", beside, 0.05),),
    )  # fmt: skip
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        assert beside.read.wait(60)
        assert not hanging.is_set()
    finally:
        cancellation.cancel()
        hanging.set()
        thread.join(60)
    assert not thread.is_alive()
    journal.close()


def test_a_defect_in_one_step_skips_no_other_and_makes_its_source_blind(room: Room) -> None:
    class Broken:
        def alerts(self) -> tuple[Alert, ...]:
            raise KeyError("labels")

    def raises(tell: Callable[[str], None]) -> None:
        raise ValueError("a turn")

    notes, turned = Notes(), list[str]()
    room.detector.ingest([alert()], source="alertmanager-api")
    room.clock.advance(3600)
    watch = Watch(
        room.detector, Broken(), poll_seconds=10, webhook=None, clock=room.clock,
        cancellation=Cancellation(), progress=notes, turns=(raises, lambda _: turned.append("turned")),
    )  # fmt: skip
    watch.cycle()
    watch.cycle()
    assert turned == ["turned", "turned"]
    assert room.journal.events(kinds=("incident.breached",)) != []
    sight = read_sight(room.journal)
    assert (sight.error, len(sight.watchers)) == ("internal error: KeyError: 'labels'", 1)
    assert [event.kind for event in room.journal.events(kinds=("watch.",))] == ["watch.blind"]
    assert notes.lines.count("internal error: ValueError: a turn") == 2


def test_a_source_beside_with_a_defect_is_blind_and_is_read_again(tmp_path: Path) -> None:
    clock, cancellation, again = SystemClock(), Cancellation(), threading.Event()
    journal = Journal(tmp_path / "j.db", projections=[IncidentProjection()], clock=clock)
    reads: list[str] = []

    class Broken:
        def alerts(self) -> tuple[Alert, ...]:
            reads.append("read")
            if len(reads) > 2:
                again.set()
            raise KeyError("labels")

    watch = Watch(
        Detector(journal, clock, "watch"), Feed(), poll_seconds=0.05, webhook=None, clock=clock,
        cancellation=cancellation, others=(Eye("kubernetes", Broken(), 0.01),),
    )  # fmt: skip
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        assert again.wait(120)
    finally:
        cancellation.cancel()
        thread.join(120)
    (blind,) = read_sight(journal, others=("kubernetes",)).others
    assert blind.error == "internal error: KeyError: 'labels'"
    journal.close()


def test_a_lookout_that_finds_a_defect_says_so_and_looks_again() -> None:
    cancellation, notes, again = Cancellation(), Notes(), threading.Event()

    class Looks(Lookout):
        looks = 0

        def look(self) -> None:
            self.looks += 1
            if self.looks > 1:
                again.set()
            raise KeyError("step")

    lookout = Looks("looks", "nobody is told", 1, cancellation=cancellation, progress=notes)
    lookout.start()
    lookout.wake()
    try:
        assert again.wait(120)
    finally:
        lookout.stop()
    assert notes.lines[0] == "nobody is told: internal error: KeyError: 'step'"


def test_what_a_webhook_left_out_is_recorded_where_no_api_can_tell_it(room: Room) -> None:
    watch = Watch(
        room.detector, None, poll_seconds=10, webhook=Receiver(), clock=room.clock,
        cancellation=Cancellation(),
    )  # fmt: skip
    watch.cycle()
    watch.deliver(WebhookMessage((alert(),), truncated=7, group_key="", status="firing"))
    assert list_incidents(room.journal)[0].firing == 1
    (event,) = room.journal.events(kinds=("watch.",))
    assert (event.kind, event.data["left_out"]) == ("watch.truncated", 7)


def test_what_a_webhook_left_out_is_recorded_where_the_api_does_not_answer(room: Room) -> None:
    feed, notes = Feed(), Notes()
    watch = Watch(
        room.detector, feed, poll_seconds=10, webhook=Receiver(), clock=room.clock,
        cancellation=Cancellation(), progress=notes,
    )  # fmt: skip
    feed.down = True
    watch.cycle()
    told = (alert(source="alertmanager-webhook"),)
    watch.deliver(WebhookMessage(told, truncated=500, group_key="", status="firing"))
    kinds = [(event.kind, event.data.get("left_out")) for event in room.journal.events(kinds=("watch.",))]
    assert kinds == [("watch.blind", None), ("watch.truncated", 500)]
    assert notes.lines[-1] == (
        "a webhook message left 500 alerts out, and alertmanager-api does not answer: "
        "they are unknown until it does"
    )
    assert read_sight(room.journal).blind_since is not None  # what was left out ends no blindness
    feed.down, feed.answer = False, (alert(), alert(pod="b"))
    watch.cycle()
    watch.deliver(WebhookMessage(told, truncated=500, group_key="", status="firing"))
    assert [event.kind for event in room.journal.events(kinds=("watch.",))][2:] == ["watch.seeing"]
    assert list_incidents(room.journal)[0].firing == 2


def test_what_a_webhook_told_is_hearsay_until_the_api_holds_it(room: Room) -> None:
    feed = Feed()
    watch = watch_of(room, feed)
    told = [alert(pod=name, source="alertmanager-webhook") for name in "ab"]
    message = WebhookMessage(tuple(told), 0, "", "firing")
    watch.deliver(message)
    (incident,) = list_incidents(room.journal)
    assert all(signal.is_hearsay for signal in signals_of(room.journal, incident.id))
    feed.answer = tuple(alert(pod=name) for name in "ab")
    watch.cycle()
    assert not any(signal.is_hearsay for signal in signals_of(room.journal, incident.id))
    assert [event.kind for event in room.journal.events(subject=incident.subject)][-1] == (
        "incident.signals_confirmed"
    )
    length = room.length
    watch.cycle()
    watch.deliver(message)  # a webhook message takes nothing back
    assert room.length == length
