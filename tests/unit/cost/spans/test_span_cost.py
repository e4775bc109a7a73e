"""What a span cost is its part of the hours it touches, and what came on top is beside as long before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from maestro_cli.cost.allocation.allocate import Hourly
from maestro_cli.cost.allocation.model import Allocation, Row, RowKind
from maestro_cli.cost.metering.model import Hours
from maestro_cli.cost.spans.span import span_cost

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=4)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def spent(*by_hour: list[float]) -> Hourly:
    rows = tuple(Row((f"n{index}",), RowKind.SPENDER, {}, {}, {}) for index in range(len(by_hour)))
    allocation = Allocation("c", "USD", Hours(START, 4), ("namespace",), rows, {}, 1.0)
    return Hourly(allocation, np.array(by_hour), np.ones(4))


def test_a_drill_costs_its_part_of_each_hour_and_more_than_usual_by_what_ran_more() -> None:
    found = span_cost(spent([1.0, 1.0, 3.0, 3.0]), at(2), at(4), END)
    assert [found.cost, found.usual, found.more] == pytest.approx([6.0, 2.0, 4.0])
    assert span_cost(spent([1.0, 1.0, 3.0, 3.0]), at(2), at(3.5), END).cost == pytest.approx(4.5)


def test_within_an_hour_nothing_is_told_that_came_on_top() -> None:
    """All of an hour is taken to cost alike."""
    found = span_cost(spent([1.0, 1.0, 3.0, 3.0]), at(2.5), at(2.75), END)
    assert (found.cost, found.usual, found.more) == (0.75, None, None)


def test_hours_that_were_not_measured_have_no_figure() -> None:
    hourly = spent([0.0, 0.0, 3.0, 3.0])
    found = span_cost(replace(hourly, coverage=np.array([0.0, 0.0, 1.0, 1.0])), at(2), at(4), END)
    assert (found.cost, found.usual, found.more) == (6.0, None, None)


def test_the_last_hour_is_spent_in_the_time_that_was_measured_of_it() -> None:
    found = span_cost(spent([1.0, 1.0, 1.0, 0.5]), at(3), at(3.25), until=at(3.5))
    assert found.cost == pytest.approx(0.25)


def test_an_hour_that_was_seen_in_part_was_spent_in_that_part() -> None:
    hourly = replace(spent([0.5, 1.0, 1.0, 1.0]), coverage=np.array([0.5, 1.0, 1.0, 1.0]))
    assert span_cost(hourly, at(0.75), at(1.0), END).cost == pytest.approx(0.25)
    assert span_cost(hourly, at(0.25), at(1.0), END).cost is None
    unseen = replace(hourly, coverage=np.array([0.0, 1.0, 1.0, 1.0]))
    assert span_cost(unseen, at(0.995), at(1.5), END).cost is None


def test_only_the_rows_that_are_taken_count() -> None:
    both = spent([1.0] * 4, [10.0] * 4)
    found = span_cost(both, at(2), at(4), END, lambda row: row.keys == ("n1",))
    assert (found.cost, found.more) == (20.0, 0.0)
    assert span_cost(both, at(1), at(2), END, lambda row: False).cost == 0.0


@pytest.mark.parametrize(
    ("start", "end", "cost"),
    [(-0.5, 1, None), (3, 4.5, None), (3.5, 3.8, None), (2, 2, None), (0.5, 1.0, 0.5)],
)
def test_what_was_not_metered_has_no_figure(start: float, end: float, cost: float | None) -> None:
    found = span_cost(spent([1.0] * 4), at(start), at(end), until=at(3.6))
    assert found.cost == cost


def test_a_span_without_as_long_before_it_has_a_cost_and_nothing_to_compare_it_with() -> None:
    found = span_cost(spent([1.0] * 4), at(1.5), at(3.5), END)
    assert (found.cost, found.usual, found.more) == (2.0, None, None)
