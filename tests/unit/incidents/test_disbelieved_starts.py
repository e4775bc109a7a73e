"""A start that cannot be is never replaced by a guess: what counts from it is not known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.incidents.clock import Phase, PhaseReading, Standing, read_clock
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.correlation import MAX_SKEW
from maestro_cli.incidents.intake.rules.model import Rule, RuleBook
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.report.stats import Measure, sample_of
from maestro_cli.journal.verification import verify
from tests.unit.incidents.world import T0, Room, alert

ZERO = datetime(1, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FUTURE = T0 + timedelta(hours=1)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    assert verify(made.journal.path, [IncidentProjection()]).intact
    made.journal.close()


@pytest.fixture
def desk(room: Room) -> IncidentDesk:
    return IncidentDesk(room.journal, room.clock, "ana")


def phases(room: Room, desk: IncidentDesk, ref: str = "1") -> dict[Phase, PhaseReading]:
    return {item.phase: item for item in read_clock(desk.get(ref), room.clock.now())}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (ZERO, "0001-01-01T00:00:00.000000Z"),
        (LONG_AGO, "1970-01-01T00:00:00.000000Z"),
        (FUTURE, "2026-11-23T10:00:00.000000Z"),
    ],
)
def test_a_start_that_cannot_be_improves_no_figure(
    room: Room, desk: IncidentDesk, said: datetime, words: str
) -> None:
    room.detector.ingest([alert(starts_at=said)], source="alertmanager-api")
    desk.ack("1")
    room.clock.advance(60)
    running = phases(room, desk)
    assert (running[Phase.DETECT].standing, running[Phase.DETECT].seconds) == (Standing.UNKNOWN, None)
    assert (running[Phase.RESOLVE].standing, running[Phase.RESOLVE].seconds) == (Standing.RUNNING, 60)
    desk.mitigated("1", note="rolled back")
    room.detector.reconcile([], source="alertmanager-api")
    desk.resolve("1")
    over = phases(room, desk)
    for phase in (Phase.DETECT, Phase.MITIGATE, Phase.RESOLVE):
        assert (over[phase].standing, over[phase].seconds) == (Standing.UNKNOWN, None)
    assert over[Phase.ACK].standing is Standing.DONE
    sample = sample_of(desk.get("1"), {"onset": {"at": "2026-11-23T08:59:00Z", "basis": "errors"}})
    told = {measure for measure in Measure if sample.seconds(measure) is not None}
    assert (told, sample.rule_seconds, sample.own_seconds) == ({Measure.ACK}, None, None)
    (signal,) = desk.signals("1")
    assert signal.start_said == said
    assert any(f"its sender's start {words} is not believed" in entry.text for entry in desk.timeline("1"))


def test_what_ran_over_since_the_first_signal_came_ran_over(room: Room, desk: IncidentDesk) -> None:
    room.detector.ingest([alert(starts_at=ZERO)], source="alertmanager-api")
    room.clock.advance(1801)
    assert phases(room, desk)[Phase.RESOLVE].standing is Standing.BREACHED


def test_another_signal_that_tells_an_earlier_start_makes_it_known(room: Room, desk: IncidentDesk) -> None:
    room.clock.advance(60)
    room.detector.ingest([alert(starts_at=ZERO)], source="alertmanager-api")
    room.clock.advance(60)
    later = alert(pod="b", starts_at=room.clock.now())
    room.detector.ingest([later], source="alertmanager-api")
    assert not desk.get("1").times.start_known  # it began after the first signal came
    room.detector.ingest([alert(pod="c")], source="alertmanager-api")
    assert (desk.get("1").times.start_known, desk.get("1").times.started_at) == (True, T0)
    assert phases(room, desk)[Phase.DETECT].seconds == 60
    room.detector.ingest([alert(pod="d", starts_at=FUTURE)], source="alertmanager-api")
    assert desk.get("1").times.start_known


def test_a_start_as_it_is_read_is_believed(room: Room, desk: IncidentDesk) -> None:
    room.detector.ingest([alert(starts_at=room.clock.now())], source="alertmanager-api")
    assert phases(room, desk)[Phase.DETECT].standing is Standing.MET
    assert desk.signals("1")[0].start_said is None


@pytest.mark.parametrize(
    "ahead", [timedelta(seconds=1), MAX_SKEW], ids=["a second", "as far as clocks differ"]
)
def test_a_clock_that_is_a_moment_ahead_says_now(room: Room, desk: IncidentDesk, ahead: timedelta) -> None:
    skewed = alert(starts_at=T0 + ahead)
    room.detector.reconcile([skewed], source="alertmanager-api")
    assert (desk.get("1").times.started_at, desk.get("1").times.start_known) == (T0, True)
    reading = phases(room, desk)[Phase.DETECT]
    assert (reading.standing, reading.seconds) == (Standing.MET, 0)
    assert desk.signals("1")[0].start_said is None
    desk.resolve("1", force=True, reason="known")
    room.clock.advance(2 * MAX_SKEW.total_seconds())  # its start is over by our clock, too
    report = room.detector.reconcile([skewed], source="alertmanager-api")
    assert report.ignored == {"continues after the incident ended": 1}


def test_a_clock_that_is_further_ahead_is_wrong(room: Room, desk: IncidentDesk) -> None:
    room.detector.ingest([alert(starts_at=T0 + MAX_SKEW + timedelta(seconds=1))], source="alertmanager-api")
    assert not desk.get("1").times.start_known


@pytest.mark.parametrize("said", [ZERO, FUTURE], ids=["zero", "future"])
def test_what_fires_on_after_its_incident_ended_is_no_news_whatever_start_is_said(
    room: Room, desk: IncidentDesk, said: datetime
) -> None:
    fires = alert(starts_at=said)
    room.detector.reconcile([fires], source="alertmanager-api")
    desk.resolve("1", force=True, reason="known")
    for seconds in (60, 7200):  # FUTURE is over by then
        room.clock.advance(seconds)
        report = room.detector.reconcile([fires], source="alertmanager-api")
        assert report.ignored == {"continues after the incident ended": 1}


def test_a_sender_that_tells_no_start_is_heard_when_it_ends_and_fires_again(
    room: Room, desk: IncidentDesk
) -> None:
    hook = "alertmanager-webhook"
    for firing in (True, False, True):
        room.clock.advance(30)
        room.detector.ingest([alert(starts_at=ZERO, firing=firing, source=hook)], source=hook)
        assert desk.get("1").firing == int(firing)


def test_a_late_copy_of_what_began_by_a_clock_that_is_ahead_does_not_fire_again(
    room: Room, desk: IncidentDesk
) -> None:
    hook = "alertmanager-webhook"
    for firing in (True, False, True):
        room.clock.advance(5)
        room.detector.ingest([alert(starts_at=FUTURE, firing=firing, source=hook)], source=hook)
    assert desk.get("1").firing == 0
    room.detector.ingest([alert(starts_at=FUTURE + timedelta(minutes=1), source=hook)], source=hook)
    assert desk.get("1").firing == 1, "that is another start"


def test_a_threshold_counts_starts_that_are_believed(room: Room) -> None:
    rule = Rule("pair", threshold=2, window_seconds=60, group_by=("team",), by_labels=True)
    bindings = Bindings((), RuleBook((rule,), storm=None))
    first, second = (alert(team="a", deployment=name, starts_at=ZERO) for name in ("a", "b"))
    known = alert(team="a", deployment="c")
    assert not bindings.too_few([first, known], T0)  # as far as is known, both begin now
    assert bindings.too_few([first, known], T0 + timedelta(minutes=2))
    assert not bindings.too_few([first, second], T0 + timedelta(minutes=2))


@pytest.mark.parametrize(("survivor", "gone"), [("1", "2"), ("2", "1")])
@pytest.mark.parametrize("earlier_is_known", [True, False])
def test_of_two_that_are_merged_the_earlier_start_decides(
    room: Room, desk: IncidentDesk, survivor: str, gone: str, earlier_is_known: bool
) -> None:
    starts = (T0, FUTURE) if earlier_is_known else (FUTURE, T0 + timedelta(seconds=60))
    room.detector.ingest([alert(starts_at=starts[0])], source="alertmanager-api")
    room.clock.advance(60)
    room.detector.ingest([alert(deployment="risk", starts_at=starts[1])], source="alertmanager-api")
    times = desk.merge(gone, survivor).times
    assert (times.started_at, times.start_known) == (T0, earlier_is_known)
