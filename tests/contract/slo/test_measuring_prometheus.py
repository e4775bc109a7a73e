"""Measured on a real Prometheus: what really happened is within what is stated, and an evaluator that leaves
something out states what is not true."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import InvalidQuery
from maestro_cli.slo.measuring import births, counts
from maestro_cli.slo.measuring.births import Births
from maestro_cli.slo.measuring.coverage import Coverage
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.restarts import Lives
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Counters, ErrorRatio, Indicator, Objective, Queries
from maestro_cli.slo.ports import RawSeries
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.contract.slo.lived import FAULTS, LEAD, SCRAPE, Service, openmetrics, services

pytestmark = pytest.mark.contract
SECONDS = 2 * 3600
START = datetime(2026, 10, 1, 23, tzinfo=UTC)  # midnight is in it, where pieces meet
SPAN = Span(START, START + timedelta(seconds=SECONDS))
NOW = SPAN.end + timedelta(days=1)
LIVED = services(260, SECONDS, seed=7)


@dataclass
class Remembered:
    """What the real one answered, with a change that an evaluator without something would make."""

    answers: dict[str, list[RawSeries]]
    mutation: Callable[[RawSeries], RawSeries] = lambda one: one
    url: str = "http://remembered"
    days_at_once: int = 1

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterator[RawSeries]:
        yield from map(self.mutation, self.answers[selector])

    def steps(self, *_: object) -> Iterator[RawSeries]:
        raise AssertionError

    def label_values(self, *_: object) -> Sequence[str]:
        raise AssertionError

    def retention_seconds(self) -> float | None:
        return None


BURST = 40  # failures, all of them between the last scrape of one five minutes and the first of the next
STEADY = 10  # events of each scrape


def _bursts() -> Iterator[str]:
    """Two targets of other intervals, and of one what failed at other times."""
    for interval, kind, offset in ((15, "between", 7), (60, "between", 31), (15, "within", 157)):
        failed = 0
        for number in range(-LEAD // interval, SECONDS // interval):
            at = number * interval + offset % interval
            failed += BURST * (at % 300 == offset)
            for code, value in (("200", STEADY * number), ("500", failed)):
                told = f'b_total{{service="{kind}{interval}",code="{code}"}}'
                yield f"{told} {value + STEADY * LEAD} {START.timestamp() + at:.3f}"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    text = openmetrics(LIVED, round(START.timestamp())).replace("# EOF\n", "\n".join((*_bursts(), "# EOF\n")))
    with recorded_prometheus(tmp_path_factory.mktemp("lived"), text) as url:
        source = RawPrometheus(Endpoint(url=url))
        yield source
        source.close()


@pytest.fixture(scope="module")
def remembered(prometheus: RawPrometheus) -> Remembered:
    """Every service's samples, in one question to the real one."""
    answers: dict[str, list[RawSeries]] = {}
    begin = START - timedelta(seconds=LEAD)
    for one in prometheus.samples("r_total", begin, SPAN.end):
        selector = f'{{__name__="r_total",service="{one.labels["service"]}"}}'
        answers.setdefault(selector, []).append(one)
    return Remembered(answers)


def _objective(name: str) -> Objective:
    total = f'r_total{{service="{name}"}}'
    counters = Counters(total=total, bad=f'r_total{{service="{name}",code=~"5.."}}')
    return Objective(name, name, name, 0.99, SECONDS, counters, {})


def _measured(service: Service, metrics: Remembered | RawPrometheus) -> Measured:
    return measure(_objective(service.name), SPAN, Outside(metrics, NOW))


def _outside(metrics: Remembered) -> set[str]:
    """The services of which the truth is not within the bounds that are stated."""
    found = set()
    for service in LIVED:
        bounds = _measured(service, metrics).bounds
        if bounds is None or not bounds.low - 1e-12 <= service.truth <= bounds.high + 1e-12:
            found.add(service.name)
    return found


def test_there_are_five_hundred_series_with_every_fault() -> None:
    series = [points for one in LIVED for process in one.processes for points in process.samples.values()]
    assert sum(bool(points) for points in series) >= 500
    kinds = {fault for one in LIVED for fault in one.faults}
    assert kinds == set(FAULTS)


def test_what_really_happened_is_always_within_the_bounds(remembered: Remembered) -> None:
    assert _outside(remembered) == set()


def test_what_was_all_seen_is_exact_and_the_rest_is_bounded_closely(remembered: Remembered) -> None:
    widths = []
    for service in LIVED:
        found = _measured(service, remembered)
        assert found.bounds is not None
        if not service.faults:
            assert found.ratio == pytest.approx(service.truth, abs=1e-12)
            assert found.bounds.low == found.bounds.high
        elif not service.faults & {"reset in a gap", "hidden reset", "found late"}:
            widths.append(found.bounds.high - found.bounds.low)
    assert statistics.median(widths) < 0.02


def test_one_that_knows_no_resets_states_what_is_not_true(remembered: Remembered) -> None:
    def without_resets(one: RawSeries) -> RawSeries:
        ups = (max(after - before, 0.0) for before, after in pairwise(one.values))
        return RawSeries(one.labels, one.times, list(accumulate(ups, initial=one.values[0])))

    wrong = _outside(replace(remembered, mutation=without_resets))
    assert wrong >= {one.name for one in LIVED if one.faults == {"reset"}}


def test_one_that_believes_every_counter_that_went_on_states_what_is_not_true(
    remembered: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lives, "may_hide_restart", lambda *_: False)
    wrong = {one.name for one in LIVED if "hidden reset" in one.faults} & _outside(remembered)
    assert len(wrong) > 5


def test_one_that_knows_no_births_states_what_is_not_true(
    remembered: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "count_births", lambda *_: Births())
    assert len(_outside(remembered)) > 10


def test_one_that_takes_every_first_value_as_of_the_span_states_what_is_not_true(
    remembered: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(births, "_is_old", lambda *_: False)
    monkeypatch.setattr(births, "_is_plausible", lambda *_: True)
    wrong = {one.name for one in LIVED if "found late" in one.faults} & _outside(remembered)
    assert len(wrong) > 10


def test_one_that_takes_gaps_as_seen_states_what_is_not_true(
    remembered: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_seen(_: object, span: Span) -> Coverage:
        return Coverage(round(span.start.timestamp()), bytearray(b"\x01" * span.minutes), {})

    monkeypatch.setattr(counts, "read_coverage", all_seen)
    wrong = _outside(remembered)
    assert {one.name for one in LIVED if "reset in a gap" in one.faults} & wrong


@pytest.mark.parametrize("number", [0, 1, 2])
def test_asked_in_pieces_it_is_what_was_asked_at_once(
    number: int, prometheus: RawPrometheus, remembered: Remembered, tmp_path: Path
) -> None:
    service = [one for one in LIVED if one.faults][number]
    live, known = _measured(service, prometheus), _measured(service, remembered)
    assert (live.good, live.total, live.bounds) == (known.good, known.total, known.bounds)


def test_what_promql_counts_is_close_to_what_was_counted(prometheus: RawPrometheus) -> None:
    service = next(one for one in LIVED if not one.faults)
    exact = _measured(service, prometheus)
    name = f'service="{service.name}"'
    queries = Queries(
        total=f"increase(r_total{{{name}}}[$window])",
        bad=f'increase(r_total{{{name},code="500"}}[$window])',
    )
    found = measure(replace(_objective(service.name), indicator=queries), SPAN, Outside(prometheus, NOW))
    assert exact.total is not None
    assert found.total == pytest.approx(exact.total, rel=0.01)
    assert not found.exact


@pytest.mark.parametrize("service", ["between15", "between60", "within15"])
@pytest.mark.parametrize("how", ["counts", "rates", "shares"])
def test_what_promql_loses_between_its_ranges_is_within_the_bounds(
    service: str, how: str, prometheus: RawPrometheus
) -> None:
    exact = _objective("b")
    name = f'service="{service}"'
    counters = Counters(total=f"b_total{{{name}}}", bad=f'b_total{{{name},code="500"}}')
    seen = measure(replace(exact, indicator=counters), SPAN, Outside(prometheus, NOW))
    bad, total = (f"sum(rate(b_total{{{name}{more}}}[$window]))" for more in (',code="500"', ""))
    kind: Indicator = ErrorRatio(f"{bad} / {total}")
    if how == "rates":
        kind = Queries(total=total, bad=bad)
    elif how == "counts":
        kind = Queries(total=total.replace("rate", "increase"), bad=bad.replace("rate", "increase"))
    found = measure(replace(exact, indicator=kind), SPAN, Outside(prometheus, NOW))
    assert seen.ratio is not None
    assert seen.total is not None
    assert found.bounds is not None
    assert found.bounds.low <= seen.ratio <= found.bounds.high
    assert found.bounds.high - found.bounds.low < 3 * (1 - seen.ratio)
    if service.startswith("between"):
        assert found.ratio == 1


def test_samples_are_those_from_the_start_to_before_the_end(prometheus: RawPrometheus) -> None:
    end = START + timedelta(seconds=4 * SCRAPE)
    (one, *_) = prometheus.samples('r_total{service="s0",code="200"}', START, end)
    assert [at - START.timestamp() for at in one.times] == [0, 15, 30, 45]


def test_it_says_how_long_it_keeps_and_what_values_a_label_has(prometheus: RawPrometheus) -> None:
    assert prometheus.retention_seconds() == 100 * 365 * 86400
    assert list(prometheus.label_values("code", "r_total", START, SPAN.end)) == ["200", "500"]
    with pytest.raises(InvalidQuery):
        list(prometheus.samples("r_total{", START, SPAN.end))
