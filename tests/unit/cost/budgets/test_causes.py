"""What made a day dear: rows of two days, prices, and what was done meanwhile."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from maestro_cli.cost.allocation.grouping import Filter
from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind
from maestro_cli.cost.allocation.sharing import IdleSharing
from maestro_cli.cost.budgets.anomalies import Anomaly
from maestro_cli.cost.budgets.causes import Happening, Way, differences, explained_share
from maestro_cli.cost.budgets.explaining import explain
from maestro_cli.cost.budgets.model import Budget
from maestro_cli.cost.metering.model import Hours
from maestro_cli.cost.prices.model import NodePrice, PriceBook
from tests.unit.cost.budgets.metered_month import BOOK, START, metered_days

GROUPING = ("namespace", "workload")
AT = datetime(2026, 3, 9, 10, tzinfo=UTC)


def row(workload: str, cpu: float, *, kind: RowKind = RowKind.SPENDER) -> Row:
    return Row(("ml", workload), kind, {Component.CPU: cpu}, {}, {})


def day(*rows: Row, number: int = 9, currency: str = "USD") -> Allocation:
    return Allocation(
        cluster="lab",
        currency=currency,
        hours=Hours(datetime(2026, 3, number, tzinfo=UTC), 24),
        grouping=GROUPING,
        rows=rows,
        bill={Component.CPU: sum(one.total for one in rows)},
        coverage=1.0,
    )


def test_new_gone_more_and_less_the_largest_first() -> None:
    before = day(row("old", 5.0), row("fraud", 10.0), row("same", 1.0), row("thin", 3.0))
    after = day(row("fraud", 30.0), row("same", 1.0), row("thin", 2.0), row("batch", 8.0))
    found = differences(before, after)
    assert [(one.keys[1], one.way, one.amount) for one in found] == [
        ("fraud", Way.MORE, 20.0),
        ("batch", Way.NEW, 8.0),
        ("old", Way.GONE, -5.0),
        ("thin", Way.LESS, -1.0),
    ]


def test_differences_add_up_to_the_difference_of_the_bills() -> None:
    chance = random.Random(4)
    for _ in range(50):
        sides: list[Allocation] = []
        for _ in range(2):
            chosen = chance.sample(range(30), chance.randint(0, 20))
            kinds = [chance.choice(list(RowKind)) for _ in chosen]
            rows = [
                row(str(number), chance.uniform(-2, 9), kind=kind)
                for number, kind in zip(chosen, kinds, strict=True)
            ]
            sides.append(day(*rows))
        total = sum(one.amount for one in differences(sides[0], sides[1]))
        assert total == pytest.approx(sides[1].total - sides[0].total, abs=1e-9)


def test_a_price_is_told_from_an_amount_and_only_where_prices_changed() -> None:
    before, after = day(row("fraud", 10.0)), day(row("fraud", 36.0))
    (one,) = differences(before, after, at_one_price=(before, day(row("fraud", 18.0))))
    assert (one.of_price, one.of_amount) == (18.0, 8.0)
    (one,) = differences(before, after)
    assert (one.of_price, one.of_amount) == (0.0, 26.0)


@pytest.mark.parametrize("idle", list(IdleSharing))
def test_a_day_at_other_prices_alone_is_dearer_by_price_whatever_of_idle_capacity_falls_to_it(
    idle: IdleSharing,
) -> None:
    metered = metered_days(14, weekend=1.0, noise=0.0)
    (usual,) = BOOK.versions
    node = NodePrice("m", 2 * usual.nodes[0].hourly)
    dearer = replace(usual, since=START + timedelta(days=13), nodes=(node,))
    book = PriceBook.of(BOOK.currency, [usual, dearer])
    budget = Budget("ml", 100.0, "EUR", Filter.parse("namespace=ml"), idle=idle)
    anomaly = Anomaly(date(2026, 2, 15), 2.0, 1.0, 9.0, reference=date(2026, 2, 14))
    found = explain(anomaly, budget, metered, book, [])
    assert found.repriced
    assert found.differences
    for one in found.differences:
        assert one.of_price == pytest.approx(one.amount)
        assert one.of_amount == pytest.approx(0.0, abs=1e-9)


def test_what_was_done_stands_beside_what_it_was_done_to_and_nothing_else() -> None:
    scaled = Happening(AT, "scale to 6", "ml", "ml/deploy/fraud", "chg-1")
    other = Happening(AT, "scale to 9", "web", "web/deploy/fraud", "chg-2")
    limited = Happening(AT, "set a quota", "ml")
    before = day(row("ml/deploy/fraud", 10.0), row("ml/deploy/batch", 1.0))
    after = day(row("ml/deploy/fraud", 20.0), row("ml/deploy/batch", 2.0))
    fraud, batch = differences(before, after, [scaled, other, limited])
    assert (fraud.happenings, batch.happenings) == ((scaled, limited), (limited,))


def test_how_much_is_explained_is_told_of_the_largest() -> None:
    found = differences(day(row("fraud", 10.0)), day(row("fraud", 18.0), row("batch", 2.0)))
    assert explained_share(found, 10.0, 1) == pytest.approx(0.8)
    assert explained_share(found, 0.0, 1) is None


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="EUR and USD"):
        differences(day(currency="EUR"), day())
    one = day()
    with pytest.raises(ValueError, match="another length"):
        differences(one, Allocation("lab", "USD", Hours(AT, 3), GROUPING, (), {}, 1.0))
