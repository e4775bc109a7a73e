"""What changed between two windows, and why, adds up."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.comparing import Comparison, compare
from maestro_cli.cost.allocation.model import Allocation, RowKind
from maestro_cli.cost.metering.model import HOUR, Metered
from maestro_cli.cost.prices.model import ALWAYS, PriceBook, PriceVersion, UnitRates
from maestro_cli.output.renderers.cost_diff import difference_view
from maestro_cli.output.views import Fields
from tests.unit.cost.allocation.generated import cluster


def told(metered: Metered, book: PriceBook) -> Allocation:
    return allocate(metered, book, ("namespace", "workload")).allocation


def test_changes_of_rows_add_up_to_that_of_the_bill() -> None:
    for seed in range(200):
        found = compare(cluster(seed), cluster(seed + 1), told)
        assert math.fsum(row.change for row in found.rows) == pytest.approx(found.change, abs=1e-9)
        for row in found.rows:
            assert row.by_price + row.by_amount == pytest.approx(row.change, abs=1e-12)


def dearer(book: PriceBook, factor: float) -> PriceBook:
    def times(rates: UnitRates | None) -> UnitRates | None:
        if rates is None:
            return None
        return UnitRates(rates.cpu * factor, rates.memory * factor, (rates.gpu or 0.0) * factor)

    last = book.versions[-1]
    nodes = tuple(replace(one, hourly=one.hourly * factor) for one in last.nodes)
    gpus = {name: price * factor for name, price in last.gpus.items()}
    made = PriceVersion(ALWAYS, times(last.on_demand), times(last.spot), nodes, gpus)
    return PriceBook.of(book.currency, [made])


def of_hours(metered: Metered, count: int) -> Metered:
    """The first hours of a cluster, without what is no machine."""
    return replace(
        metered,
        hours=replace(metered.hours, count=count),
        requested={one: rows[:, :count] for one, rows in metered.requested.items()},
        used={one: rows[:, :count] for one, rows in metered.used.items()},
        capacity={one: rows[:, :count] for one, rows in metered.capacity.items()},
        present=metered.present[:, :count],
        volume_gib=metered.volume_gib[:, :count],
        coverage=metered.coverage[:count],
        sent_gib={one: rows[:, :count] for one, rows in metered.sent_gib.items()},
        balancer_hours=None,
        balancers=(),
        telemetry=(),
        telemetry_amounts=None,
    )


def compared(seed: int, factor: float) -> Comparison:
    metered, book = cluster(seed)
    plain = replace(
        metered, balancers=(), balancer_hours=None, sent_gib={}, telemetry=(), telemetry_amounts=None
    )
    return compare((plain, dearer(book, 1.0)), (plain, dearer(book, factor)), told)


def test_of_the_same_amounts_at_other_prices_all_is_by_price() -> None:
    for seed in range(40):
        found = compared(seed, 1.5)
        assert found.change == pytest.approx(found.by_price)
        for row in found.rows:
            assert row.by_amount == pytest.approx(0.0, abs=1e-9)
            assert row.after == pytest.approx(row.before * 1.5)
            assert row.why == ("prices" if abs(row.change) > 1e-9 else "")


def test_a_price_that_changed_within_the_earlier_window_is_no_amount() -> None:
    for seed in range(40):
        metered, book = cluster(seed)
        plain = replace(metered, balancers=(), balancer_hours=None, sent_gib={})
        (cheap,), (dear,) = dearer(book, 1.0).versions, dearer(book, 2.0).versions
        late = replace(dear, since=metered.hours.end - HOUR)
        changed = PriceBook.of(book.currency, [cheap, late])
        found = compare((plain, changed), (plain, dearer(book, 2.0)), told)
        assert found.change == pytest.approx(found.by_price)
        assert all(row.by_amount == pytest.approx(0.0, abs=1e-9) for row in found.rows)
        if metered.hours.count == 1:
            assert found.change == pytest.approx(0.0, abs=1e-9)


def test_what_had_no_price_before_is_dearer_by_price_and_not_new() -> None:
    for seed in range(40):
        metered, book = cluster(seed)
        plain = replace(metered, balancers=(), balancer_hours=None, sent_gib={})
        (version,) = dearer(book, 1.0).versions
        unpriced = PriceBook.of(book.currency, [replace(version, since=metered.hours.end)])
        found = compare((plain, unpriced), (plain, dearer(book, 1.0)), told)
        assert found.change == pytest.approx(found.by_price)
        assert {row.why for row in found.rows} <= {"prices", ""}


def test_of_the_same_window_nothing_changed() -> None:
    for seed in range(40):
        assert {row.why for row in compared(seed, 1.0).rows} <= {""}


def test_windows_of_two_lengths_are_compared_by_the_longer_ones_rate() -> None:
    metered, book = next(found for found in map(cluster, range(99)) if found[0].hours.count == 8)
    half = of_hours(metered, 4)
    found = compare((half, book), (metered, book), told)
    assert found.scale == 2.0
    assert sum(row.before for row in found.rows) == pytest.approx(2 * found.before.total)


def test_what_came_is_new_and_what_went_is_gone() -> None:
    metered, book = next(
        found for found in map(cluster, range(99)) if len(found[0].containers) > 5 and found[0].nodes
    )
    nobody = replace(
        metered,
        containers=(),
        requested={one: rows[:0] for one, rows in metered.requested.items()},
        used={one: rows[:0] for one, rows in metered.used.items()},
        sent_gib={},
        balancers=(),
        balancer_hours=None,
        telemetry=(),
        telemetry_amounts=None,
    )
    came, went = (
        compare((nobody, book), (metered, book), told),
        compare((metered, book), (nobody, book), told),
    )
    assert {row.why for row in came.rows if row.kind is RowKind.SPENDER} == {"new"}
    assert {row.why for row in went.rows if row.kind is RowKind.SPENDER} == {"gone"}


def test_two_currencies_are_refused() -> None:
    metered, book = cluster(1)
    with pytest.raises(UsageError):
        compare((metered, book), (metered, replace(book, currency="USD")), told)


def test_an_hour_that_is_not_over_weighs_as_much_of_it_as_is() -> None:
    """Of 70 minutes two were measured: they are all of what the hour of now has, and 2 % of all of it."""
    metered, book = cluster(3)
    short = of_hours(metered, 2)
    now = short.hours.start + HOUR + timedelta(minutes=10)
    told_so_far = replace(short, coverage=np.array([0.0, 0.2]), until=now)
    assert told(told_so_far, book).coverage == pytest.approx(2 / 70)
    over = replace(short, coverage=np.array([0.0, 0.2]))
    assert told(over, book).coverage == pytest.approx(0.1)


def test_windows_of_which_other_shares_were_measured_are_unlike() -> None:
    metered, book = cluster(3)
    whole = replace(metered, coverage=np.ones(metered.hours.count))
    half = replace(whole, coverage=whole.coverage / 2)
    fields = difference_view(compare((half, book), (whole, book), told)).blocks[0]
    assert isinstance(fields, Fields)
    shares = "50.0% of the earlier window and 100.0% of the later were measured"
    assert ("note", f"{shares}: a part of the change is of that alone") in fields.rows
    assert not compare((whole, book), (whole, book), told).is_unlike
