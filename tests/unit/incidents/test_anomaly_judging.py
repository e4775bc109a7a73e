"""Noise of weeks is told as usual, a shift is found, and what cannot be known gets no verdict."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.incidents.intake.anomalies import judging
from maestro_cli.incidents.intake.anomalies.judging import baseline_of, explain, judge
from maestro_cli.incidents.intake.anomalies.model import PROFILES, Measure, Points, Reading

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)  # a Wednesday
HISTORY_STEP, DAYS = timedelta(minutes=15), 14
HOURS_JUDGED = 24
SEEDS = range(2)
EVENTS = 2000.0
MOST_FALSE = 0.001  # of what is judged: fewer than two a day and service, before people see it as noise

Value = Callable[[datetime, random.Random], float]


def day(at: datetime) -> float:
    """0 at night, 1 at noon, half of that at weekends."""
    hour = at.hour + at.minute / 60
    return max(0.0, math.sin(math.pi * (hour - 6) / 12)) * (0.5 if at.weekday() >= 5 else 1.0)


def rate(at: datetime, chance: random.Random) -> float:
    return 50 * (0.3 + day(at)) * math.exp(chance.gauss(0, 0.08))


def errors(at: datetime, chance: random.Random) -> float:
    usual = 0.001 + 0.002 * day(at)
    return max(0.0, chance.gauss(usual, math.sqrt(usual * (1 - usual) / EVENTS)))


def latency(at: datetime, chance: random.Random) -> float:
    # a slow one now and then, as garbage collection and cold caches make it
    return 0.08 * (1 + 0.3 * day(at)) * math.exp(chance.gauss(0, 0.1)) * (3 if chance.random() < 0.01 else 1)


def saturation(at: datetime, chance: random.Random) -> float:
    return min(1.0, 0.4 + 0.2 * day(at) + chance.gauss(0, 0.03))


def accuracy(at: datetime, chance: random.Random) -> float:
    return min(1.0, chance.gauss(0.95, math.sqrt(0.95 * 0.05 / EVENTS)))


SERIES: dict[Measure, tuple[Value, Callable[[float], float]]] = {
    Measure.REQUEST_RATE: (rate, lambda value: value * 3),
    Measure.ERROR_RATIO: (errors, lambda value: value + 0.04),
    Measure.LATENCY: (latency, lambda value: value * 3),
    Measure.SATURATION: (saturation, lambda value: value + 0.4),
    Measure.ACCURACY: (accuracy, lambda value: value - 0.1),
}


def points(value: Value, chance: random.Random, start: datetime, end: datetime, step: timedelta) -> Points:
    count = int((end - start) / step)
    return tuple((start + n * step, value(start + n * step, chance)) for n in range(count + 1))


def counted(samples: Points) -> Points:
    return tuple((at, EVENTS) for at, _ in samples)


def read(measure: Measure, history: Points, recent: Points, at: datetime) -> Reading:
    return judge(measure, baseline_of(measure, history, recent, at), recent, counted(recent))


def false_share(measure: Measure, seed: int) -> float:
    """Of a day that is judged every minute after a fortnight of the same noise."""
    value, chance = SERIES[measure][0], random.Random(f"{measure}-{seed}")
    history = points(value, chance, NOW - timedelta(days=DAYS), NOW + timedelta(days=1), HISTORY_STEP)
    minutes = points(value, chance, NOW, NOW + timedelta(hours=HOURS_JUDGED), timedelta(minutes=1))
    found = judged = 0
    for end in range(3, len(minutes), 9):
        at = minutes[end][0]
        verdict = read(measure, tuple(one for one in history if one[0] < at), minutes[end - 3 : end + 1], at)
        judged += verdict.verdict != "none"
        found += verdict.verdict == "unusual"
    assert judged > 150  # nearly all of them: there is traffic
    return found / judged


def shifted(measure: Measure, seed: int) -> Reading:
    value, shift = SERIES[measure]
    chance = random.Random(f"{measure}-{seed}")
    history = points(value, chance, NOW - timedelta(days=DAYS), NOW, HISTORY_STEP)
    recent = points(value, chance, NOW - timedelta(minutes=2), NOW, timedelta(minutes=1))
    return read(measure, history, tuple((at, shift(one)) for at, one in recent), NOW)


@pytest.mark.parametrize("measure", list(Measure))
def test_a_fortnight_of_noise_is_usual(measure: Measure) -> None:
    assert sum(false_share(measure, seed) for seed in SEEDS) / len(SEEDS) <= MOST_FALSE


@pytest.mark.parametrize("measure", list(Measure))
def test_a_shift_is_found_in_three_samples(measure: Measure) -> None:
    assert [shifted(measure, seed).verdict for seed in range(20)] == ["unusual"] * 20


@pytest.mark.parametrize("measure", [Measure.LATENCY, Measure.REQUEST_RATE, Measure.SATURATION])
def test_a_detector_that_is_too_keen_fails_on_noise(
    measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "ENTER_MADS", 1.0)
    keen = replace(PROFILES[measure], least_change=0.0, least_mad=1e-6)
    monkeypatch.setattr(judging, "PROFILES", {**PROFILES, measure: keen})
    assert false_share(measure, 0) > MOST_FALSE


@pytest.mark.parametrize("measure", list(Measure))
def test_a_detector_that_looks_the_other_way_finds_nothing(
    measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = replace(PROFILES[measure], signs=tuple(-sign for sign in PROFILES[measure].signs[:1]))
    monkeypatch.setattr(judging, "PROFILES", {**PROFILES, measure: away})
    assert shifted(measure, 0).verdict != "unusual"


def test_an_outage_of_last_week_is_not_what_is_usual() -> None:
    value, shift = SERIES[Measure.ERROR_RATIO]
    chance = random.Random("outage")
    history = points(value, chance, NOW - timedelta(days=DAYS), NOW, HISTORY_STEP)
    hours = {NOW - timedelta(days=1), NOW - timedelta(days=2)}
    spoilt = tuple(
        (at, 0.6 if any(abs(at - hour) <= timedelta(hours=1) for hour in hours) else one)
        for at, one in history
    )
    recent = tuple((NOW - timedelta(minutes=n), shift(0.002)) for n in (2, 1, 0))
    reading = read(Measure.ERROR_RATIO, spoilt, recent, NOW)
    assert (reading.verdict, reading.baseline and round(reading.baseline.median, 3)) == ("unusual", 0.003)


def steady(value: float, minutes: int = 200) -> Points:
    wobble = (0.98, 1.0, 1.02)
    return tuple((NOW - timedelta(minutes=n), value * wobble[n % 3]) for n in range(minutes, -1, -1))


def with_last(before: Points, *values: float) -> Points:
    return (*before[: -len(values)], *zip((at for at, _ in before[-len(values) :]), values, strict=True))


def test_without_days_of_history_the_hours_before_are_what_is_usual() -> None:
    recent = with_last(steady(0.1), 0.4, 0.4, 0.4)
    reading = read(Measure.LATENCY, (), recent, NOW)
    assert reading.verdict == "unusual"
    assert explain(Measure.LATENCY, reading) == (
        "p95 latency 400 ms, usually 98 ms to 102 ms over the hours before (175 points), 28 MADs,"
        " for 3 samples"
    )
    assert read(Measure.LATENCY, (), recent[-60:], NOW).why == "too little is known of what is usual"


def test_a_share_reads_the_same_whatever_its_last_bit_is() -> None:
    recent = [with_last(steady(0.001), *[share] * 3) for share in (0.1, math.nextafter(0.1, 0))]
    told = {explain(Measure.ERROR_RATIO, read(Measure.ERROR_RATIO, (), one, NOW)) for one in recent}
    assert len(told) == 1
    assert told.pop().startswith("error ratio 10.0 %, usually 0.098 % to 0.1 %")


def test_what_began_just_now_is_not_what_is_usual_yet() -> None:
    assert read(Measure.LATENCY, (), with_last(steady(0.1), *[0.4] * 6), NOW).verdict == "unusual"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.4, 0.4, 0.4), "unusual"),
        ((0.1, 0.4, 0.4), "between"),
        ((0.4, 0.4, 0.125), "between"),
        ((0.13, 0.13, 0.13), "between"),
        ((0.11, 0.1, 0.115), "usual"),
        ((0.02, 0.02, 0.02), "usual"),  # faster than ever is no anomaly
        ((math.nan, 0.4, 0.4), "none"),
        ((0.4, math.inf, 0.4), "none"),
    ],
)
def test_it_begins_and_ends_on_three_samples_and_stays_in_between(
    values: tuple[float, ...], verdict: str
) -> None:
    assert read(Measure.LATENCY, (), with_last(steady(0.1), *values), NOW).verdict == verdict


def test_a_gap_and_little_traffic_give_no_verdict() -> None:
    recent = with_last(steady(0.1), 0.4, 0.4, 0.4)
    baseline = baseline_of(Measure.LATENCY, (), recent, NOW)
    assert judge(Measure.LATENCY, baseline, recent[-2:], None).why == "samples are missing"
    gap = (recent[-4], *recent[-2:])
    assert judge(Measure.LATENCY, baseline, gap, counted(gap)).why == "samples are missing"
    few = tuple((at, 49.0) for at, _ in recent)
    assert judge(Measure.LATENCY, baseline, recent, few).why == "too few requests"
    assert judge(Measure.LATENCY, baseline, recent, ()).why == "too few requests"


def test_traffic_that_falls_to_nothing_is_unusual_but_not_where_there_was_hardly_any() -> None:
    for usual, verdict in ((50.0, "unusual"), (0.1, "none")):
        recent = with_last(steady(usual), 0.0, 0.0, 0.0)
        assert judge(Measure.REQUEST_RATE, baseline_of(Measure.REQUEST_RATE, (), recent, NOW), recent, None)\
            .verdict == verdict  # fmt: skip


def test_two_errors_of_sixty_requests_are_chance() -> None:
    recent = with_last(steady(0.0), 2 / 60, 2 / 60, 2 / 60)
    baseline = baseline_of(Measure.ERROR_RATIO, (), recent, NOW)
    for events, verdict in ((60.0, "usual"), (6000.0, "unusual")):
        found = judge(Measure.ERROR_RATIO, baseline, recent, tuple((at, events) for at, _ in recent))
        assert found.verdict == verdict


@pytest.mark.parametrize(
    ("days", "basis"),
    [
        (22, "at this hour on a Wednesday"),
        (14, "at this hour on working days"),
        (2, "over the hours before"),
    ],
)
def test_the_basis_is_the_nearest_kind_of_day_that_is_known_well_enough(days: int, basis: str) -> None:
    value, chance = SERIES[Measure.LATENCY][0], random.Random("basis")
    history = points(value, chance, NOW - timedelta(days=days), NOW, HISTORY_STEP)
    baseline = baseline_of(Measure.LATENCY, history, steady(0.1), NOW)
    assert baseline is not None
    assert baseline.basis == basis


def test_weekends_are_judged_by_weekends() -> None:
    saturday, chance = NOW + timedelta(days=3), random.Random("weekend")
    history = points(rate, chance, saturday - timedelta(days=DAYS), saturday, HISTORY_STEP)
    baseline = baseline_of(Measure.REQUEST_RATE, history, (), saturday)
    assert baseline is not None
    assert baseline.basis == "at this hour on weekends"
    usual = math.exp(baseline.median)
    assert usual == pytest.approx(50 * (0.3 + day(saturday)), rel=0.1)
