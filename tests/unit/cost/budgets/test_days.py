"""What was spent day by day: of whom a filter takes, and of what was measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.grouping import Filter
from maestro_cli.cost.allocation.model import Component
from maestro_cli.cost.allocation.sharing import IdleSharing, Sharing
from maestro_cli.cost.budgets.days import daily_spend, one_day
from maestro_cli.cost.metering.model import Signal, TelemetryRef
from maestro_cli.cost.prices.model import PriceBook
from tests.unit.cost.budgets.metered_month import BOOK, START, metered_days

NODES_A_DAY = 2 * 24 * 0.5


def test_days_of_the_whole_bill_are_what_the_nodes_cost() -> None:
    metered = metered_days(3)
    days = daily_spend(allocate(metered, BOOK), metered, metered.hours.end)
    assert [one.day for one in days] == [date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 4)]
    assert [one.amount for one in days] == [pytest.approx(NODES_A_DAY)] * 3
    assert {(one.coverage, one.over) for one in days} == {(1.0, 1.0)}


def test_days_of_a_filter_are_those_that_it_takes_and_of_all_filters_the_bill() -> None:
    metered = metered_days(2)
    found = {}
    for name in ("ml", "web"):
        hourly = allocate(metered, BOOK, where=Filter.parse(f"namespace={name}"))
        found[name] = daily_spend(hourly, metered, metered.hours.end)
    shared = allocate(
        metered, BOOK, sharing=Sharing(idle=IdleSharing.CLUSTER), where=Filter.parse("namespace!=x")
    )
    assert (found["ml"][0].amount or 0.0) > (found["web"][0].amount or 0.0) > 0
    assert daily_spend(shared, metered, metered.hours.end)[0].amount == pytest.approx(NODES_A_DAY)


def test_a_day_of_which_nothing_was_measured_has_no_amount() -> None:
    metered = metered_days(3, missing=(1,))
    days = daily_spend(allocate(metered, BOOK), metered, metered.hours.end)
    assert (days[1].amount, days[1].coverage) == (None, 0.0)
    assert days[0].coverage == days[2].coverage == 1.0


def test_a_filter_that_takes_nobody_is_no_spender_of_nothing() -> None:
    metered = metered_days(2)
    days = daily_spend(
        allocate(metered, BOOK, where=Filter.parse("namespace=mll")), metered, metered.hours.end
    )
    assert [one.amount for one in days] == [None, None]


def test_a_day_that_goes_on_is_covered_as_far_as_it_went() -> None:
    metered = metered_days(1)
    now = START + timedelta(hours=6)
    later = metered.coverage.copy()
    later[6:] = 0.0
    object.__setattr__(metered, "coverage", later)
    (today,) = daily_spend(allocate(metered, BOOK), metered, now)
    assert today.over == 0.25
    assert today.coverage == pytest.approx(1.0)


def test_one_day_is_cut_out_and_costs_what_it_did() -> None:
    metered = metered_days(5)
    day = one_day(metered, date(2026, 2, 4))
    assert day is not None
    assert day.hours.start == datetime(2026, 2, 4, tzinfo=UTC)
    whole = daily_spend(allocate(metered, BOOK), metered, metered.hours.end)
    assert allocate(day, BOOK).allocation.total == pytest.approx(whole[2].amount)
    assert one_day(metered, date(2026, 2, 1)) is None
    assert one_day(metered, date(2026, 2, 7)) is None
    assert np.isfinite(day.coverage).all()


def test_what_was_logged_in_a_day_and_up_to_when_it_was_looked_at_are_cut_out_with_it() -> None:
    days = metered_days(3)
    until = START + timedelta(days=2, hours=5)
    logged = np.vstack([np.arange(72.0), np.ones(72)])
    refs = (TelemetryRef(Signal.LOGS, "ml"), TelemetryRef(Signal.SPANS))
    metered = replace(days, telemetry=refs, telemetry_amounts=logged, until=until)
    second, third = (one_day(metered, (START + timedelta(days=number)).date()) for number in (1, 2))
    assert second is not None
    assert third is not None
    assert second.telemetry_amounts is not None
    assert second.telemetry_amounts.tolist() == logged[:, 24:48].tolist()
    assert (second.until, third.until) == (None, until)
    version = replace(BOOK.versions[-1], per_gib_logged=1.0)
    priced = PriceBook.of(BOOK.currency, [*BOOK.versions[:-1], version])
    told = allocate(second, priced).allocation
    assert told.bill[Component.LOGS] == pytest.approx(logged[0, 24:48].sum())
