"""Usage is what Prometheus says, and what it does not say is not known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.cost.unit.usage import STEPS, Scope, UsageQueries, measure_usage

END = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = 3600.0
FRAUD = {"namespace": "ml", "deployment": "fraud"}
Count = Callable[[int], float | None]


class Recorded:
    """Answers by the query's kind; a count is a function of the step, 0 to 119, None for no point."""

    def __init__(
        self,
        predictions: Mapping[str, float],
        replicas: Mapping[str, Count],
        *,
        answering: Mapping[str, Count] | None = None,
        measured: Count = lambda step: 5.0,
    ) -> None:
        self.asked: list[str] = []
        self._predictions = predictions
        self._counts = {"up)": replicas, "1))": replicas if answering is None else answering}
        self._measured = measured

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.asked.append(promql)
        assert at == END
        return Instant(
            promql, END, tuple(Sample(_labels(name), value, END) for name, value in self._predictions.items())
        )

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self.asked.append(promql)
        assert end == END
        assert (end - start).total_seconds() == pytest.approx((STEPS - 1) * step_seconds)
        if promql == "count(up)":
            return (Series({}, _points(self._measured, start, step_seconds)),)
        counts = self._counts[promql[-3:]]
        return tuple(
            Series(_labels(name), _points(count, start, step_seconds)) for name, count in counts.items()
        )


def _labels(name: str) -> dict[str, str]:
    return {"namespace": "ml", "deployment": name}


def _points(count: Count, start: datetime, step_seconds: float) -> tuple[tuple[datetime, float], ...]:
    found = ((start + timedelta(seconds=step * step_seconds), count(step)) for step in range(STEPS))
    return tuple((at, value) for at, value in found if value is not None)


def test_predictions_and_replica_hours_by_service() -> None:
    recorded = Recorded(
        {"fraud": 1000.0, "pricing": 10.0},
        {"fraud": lambda step: 3.0, "pricing": lambda step: 1.0 if step >= 60 else None},
    )
    fraud, pricing = measure_usage(recorded, Scope(), END, HOUR)
    assert (fraud.namespace, fraud.service, fraud.predictions) == ("ml", "fraud", 1000.0)
    assert fraud.replica_hours == pytest.approx(3.0)
    assert pricing.replica_hours == pytest.approx(0.5)  # it was not there in the first half
    assert (fraud.coverage, pricing.coverage) == (1.0, 1.0)


def test_a_replica_that_does_not_answer_costs_and_lessens_the_coverage() -> None:
    recorded = Recorded({"fraud": 9.0}, {"fraud": lambda step: 2.0}, answering={"fraud": lambda step: 1.0})
    (fraud,) = measure_usage(recorded, Scope(), END, HOUR)
    assert fraud.replica_hours == pytest.approx(2.0)
    assert fraud.coverage == pytest.approx(0.5)
    recorded = Recorded({"fraud": 9.0}, {"fraud": lambda step: 2.0}, answering={})
    (silent,) = measure_usage(recorded, Scope(), END, HOUR)
    assert silent.coverage == 0.0


def test_what_prometheus_did_not_measure_lessens_the_coverage() -> None:
    def half(step: int) -> float | None:
        return 3.0 if step >= 60 else None

    (fraud,) = measure_usage(Recorded({"fraud": 9.0}, {"fraud": half}, measured=half), Scope(), END, HOUR)
    assert fraud.coverage == pytest.approx(0.5)
    assert fraud.replica_hours == pytest.approx(1.5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_number_is_no_measurement(value: float) -> None:
    recorded = Recorded({"fraud": value}, {"fraud": lambda step: 1.0})
    (fraud,) = measure_usage(recorded, Scope(), END, HOUR)
    assert fraud.predictions is None
    recorded = Recorded({"fraud": 1.0}, {"fraud": lambda step: value})
    (fraud,) = measure_usage(recorded, Scope(), END, HOUR)
    assert fraud.replica_seconds == 0.0
    assert fraud.coverage == 0.0


def test_one_side_alone_leaves_the_other_unknown() -> None:
    (fraud,) = measure_usage(Recorded({"fraud": 1.0}, {}), Scope(), END, HOUR)
    assert (fraud.predictions, fraud.replica_seconds, fraud.coverage) == (1.0, None, 0.0)
    (fraud,) = measure_usage(Recorded({}, {"fraud": lambda step: 1.0}), Scope(), END, HOUR)
    assert fraud.predictions is None
    assert fraud.replica_hours == pytest.approx(1.0)


def test_a_service_that_was_asked_for_is_there_even_if_unseen() -> None:
    assert measure_usage(Recorded({}, {}), Scope("ml"), END, HOUR) == ()
    (unseen,) = measure_usage(Recorded({}, {}), Scope("ml", "fraud"), END, HOUR)
    assert (unseen.namespace, unseen.service) == ("ml", "fraud")
    assert (unseen.predictions, unseen.replica_seconds, unseen.coverage) == (None, None, 0.0)


def test_the_scope_is_in_every_query_of_the_service() -> None:
    recorded = Recorded({}, {})
    measure_usage(recorded, Scope("ml", 'a"} or vector(1) #', "job"), END, 300.0)
    predictions, replicas, answering, measured = recorded.asked
    for promql in (predictions, replicas, answering):
        assert 'job="a\\"} or vector(1) #"' in promql
        assert 'namespace="ml"' in promql
        assert "by (namespace, job)" in promql
        assert "[5m]" in promql
    assert 'code="200"' in predictions
    assert 'code="200"' not in replicas
    assert measured == "count(up)"


def test_a_label_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a label name"):
        _ = UsageQueries(Scope(label="a b"), HOUR).predictions
