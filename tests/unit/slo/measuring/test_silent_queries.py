"""A query that gives no answer for what is bad is no proof that nothing was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.silence import counts_none
from maestro_cli.slo.objectives import Indicator, Latency, Queries
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import Told, every, objective, series, span

DAY = span(1440)
STEPS = 288
TWO = "sum(increase({}_total[$window])) + sum(increase(b_{}_total[$window]))"
ALL = TWO.format("a", "x")
TWO_BAD = Queries(ALL, bad=TWO.format("errors", "errors"))
ONE_BAD = Queries(ALL, bad='sum(increase(a_total{code=~"5.."}[$window]))')
NATIVE = Latency("h_seconds", 0.2, native=True, total="a_total")


@dataclass
class Named(Told):
    """Prometheus whose index holds these values of labels, by the metric's name."""

    index: Mapping[str, Mapping[str, Sequence[str]]] | None = None

    def label_values(self, label: str, selector: str, start: object, end: object) -> Sequence[str]:
        name = selector.split('"')[1]
        known = (self.index or {}).get(name)
        return [] if known is None else [name] if label == "__name__" else known.get(label, [])


def part(name: str, values: Sequence[float]) -> RawSeries:
    points = [(at, value) for at, value in every(300, values, at=300) if value >= 0 or math.isnan(value)]
    return series(points, maestro_part=name)


def measured(kind: Indicator, *found: RawSeries, names: Sequence[str] = (), target: float = 0.99) -> Measured:
    told = Named(found, index={name: {"code": ["200"]} for name in names})
    return measure(replace(objective(target), indicator=kind), DAY, Outside(told, DAY.end))


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        (Queries(ALL, bad="sum(increase(a_errrors_total[$window]))"), "a_errrors_total"),
        (Queries(ALL, bad="sum(increase(a_errrors_total[$window])) or vector(0)"), "a_errrors_total"),
        (Queries(ALL, good="sum(increase(a_okk_total[$window]))"), "a_okk_total"),
        (NATIVE, "h_seconds"),
    ],
    ids=["bad", "bad or nothing", "good", "native histogram"],
)
def test_what_is_counted_by_a_metric_that_is_not_there_is_neither_kept_nor_missed(
    kind: Indicator, metric: str
) -> None:
    counted = [part("counted", [0.0] * STEPS)] if "vector" in repr(kind) else []
    found = measured(kind, part("total", [1000.0] * STEPS), *counted, names=["a_total"])
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.judgement.reason.startswith(f"{metric} has no series as long as samples are kept")
    assert found.ratio is None


@pytest.mark.parametrize("kind", [TWO_BAD, NATIVE], ids=["two counters", "native histogram"])
def test_a_query_that_never_answers_leaves_it_open_though_its_metrics_are_there(kind: Indicator) -> None:
    names = ["errors_total", "b_errors_total", "h_seconds"]
    found = measured(kind, part("total", [1000.0] * STEPS), names=names)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert "never answers" in found.judgement.reason


def test_the_steps_without_an_answer_may_be_all_bad() -> None:
    counted = part("counted", [-1.0] * 144 + [1.0] * 144)
    found = measured(TWO_BAD, part("total", [1000.0] * STEPS), counted)
    assert found.bounds is not None
    assert [found.bounds.low, found.bounds.high] == pytest.approx([0.4995, 0.9995])
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.notes[1].startswith("for 12h00m the query of what is bad gave no answer")
    assert measured(TWO_BAD, part("total", [1000.0] * STEPS), part("counted", [1.0] * STEPS)).notes[1:] == ()


def test_the_steps_without_an_answer_may_be_all_good() -> None:
    kind = Queries(ALL, good=TWO.format("ok", "ok"))
    found = measured(kind, part("total", [1000.0] * STEPS), part("counted", [-1.0] * 144 + [999.0] * 144))
    assert found.bounds is not None
    assert [found.bounds.low, found.bounds.high] == pytest.approx([0.4995, 0.9995])


def test_failures_of_the_metric_of_all_events_are_none_where_there_are_none() -> None:
    total, counted = part("total", [1000.0] * STEPS), part("counted", [-1.0] * 144 + [1.0] * 144)
    assert measured(ONE_BAD, total, counted).judgement.verdict is Verdict.PASS
    found = measured(ONE_BAD, total, names=["a_total"])
    assert (found.judgement.verdict, found.ratio) == (Verdict.PASS, 1.0)
    assert found.notes[1].startswith("no series was ever counted as bad")


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ('sum(rate(a_total{code="500"}[$window]))', True),
        ('sum by (pod) (rate(a_total{code="500"}[$window]))', True),
        ('increase(a_total{"http.code"="500"}[$window])', True),
        ('sum(rate(c_total{code="500"}[$window]))', False),
        ('sum(rate(a_total{code="500"}[$window])) * 2', False),
        ('sum(rate({__name__="a_total"}[$window]))', False),
    ],
)
def test_only_one_counter_of_the_metric_of_all_events_is_none_without_an_answer(
    bad: str, expected: bool
) -> None:
    assert counts_none(Queries(ALL, bad=bad)) is expected


def test_a_total_that_is_no_number_is_not_covered() -> None:
    total = part("total", [100.0] * 2 + [math.nan] * 286)
    found = measured(ONE_BAD, total, part("counted", [0.0] * STEPS), names=["a_total"])
    assert found.coverage == pytest.approx(2 / STEPS)
    assert found.judgement.verdict is Verdict.INDETERMINATE


def test_a_time_without_events_needs_no_answer() -> None:
    total = part("total", [1000.0] * 144 + [0.0] * 144)
    found = measured(TWO_BAD, total, part("counted", [1.0] * 144 + [-1.0] * 144))
    assert (found.judgement.verdict, found.coverage) == (Verdict.PASS, 1.0)
