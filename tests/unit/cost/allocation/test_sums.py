"""The rows of an allocation add up to the bill, whatever is grouped, filtered and shared in any order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import permutations, product

import numpy as np
import pytest

from maestro_cli.cost.allocation import charging, sharing
from maestro_cli.cost.allocation.allocate import Hourly, allocate, tell
from maestro_cli.cost.allocation.charging import charge
from maestro_cli.cost.allocation.grouping import GROUPINGS, Filter
from maestro_cli.cost.allocation.model import Component, RowKind
from maestro_cli.cost.allocation.sharing import IdleSharing, SharedNamespace, Sharing, Spread, Step
from maestro_cli.cost.allocation.sums import quotient
from tests.unit.cost.allocation.definition import defined
from tests.unit.cost.allocation.generated import cluster

CLUSTERS, AT_ONCE = 2_000, 250
WEIGHTS = {"ml": 3.0, "batch": 1.0}
GROUPED = [(key,) for key in GROUPINGS] + [("label:tier",), ("namespace", "team"), ("model", "version")]
FILTERS = ("", "namespace=ml", "team!=risk", 'workload=~".*/app-1"', "tier=t1", "node=node-0")


def sharings() -> list[Sharing]:
    """Every way to share idle capacity, a namespace and the overhead, in every order."""
    found = []
    for idle, spread, overhead in product(IdleSharing, (None, *Spread), (None, *Spread)):
        spaces = () if spread is None else (SharedNamespace("kube-system", spread, WEIGHTS),)
        if spread is not None:
            spaces = (*spaces, SharedNamespace("monitoring", Spread.COST))
        found += [Sharing(idle, spaces, overhead, WEIGHTS, order) for order in permutations(Step)]
    return found


SHARINGS = sharings()


def deviation(told: Hourly) -> float:
    """How far the rows are from the bill, relative to it."""
    rows = math.fsum(row.total for row in told.allocation.rows)
    scale = max(abs(told.allocation.total), 1e-12)
    return max(abs(rows - told.allocation.total), abs(float(told.costs.sum()) - rows)) / scale


def worst(clusters: range) -> tuple[float, int]:
    """The greatest deviation, and how many allocations were made; every cluster has every grouping."""
    greatest, made = 0.0, 0
    for seed in clusters:
        charges = charge(*cluster(seed))
        for number, grouping in enumerate(GROUPED):
            turn = seed * len(GROUPED) + number
            where = Filter.parse(FILTERS[turn % len(FILTERS)])
            told = tell(charges, grouping, SHARINGS[turn % len(SHARINGS)], where)
            greatest, made = max(greatest, deviation(told)), made + 1
    return greatest, made


@pytest.mark.parametrize("first", range(0, CLUSTERS, AT_ONCE))  # in parts, so that every core has some
def test_the_rows_of_2000_clusters_add_up_to_their_bills_in_every_grouping(first: int) -> None:
    greatest, made = worst(range(first, first + AT_ONCE))
    assert made == AT_ONCE * len(GROUPED)
    assert greatest < 1e-6


def test_every_grouping_adds_up_under_every_order_of_sharing() -> None:
    for seed in (11,):
        metered, book = cluster(seed)
        charges = charge(metered, book)
        for one, grouping in product(SHARINGS, GROUPED):
            assert deviation(tell(charges, grouping, one, Filter())) < 1e-6


def cells_of(told: Hourly) -> dict[tuple[tuple[RowKind, tuple[str, ...]], Component], float]:
    return {
        ((row.kind, row.keys), component): amount
        for row in told.allocation.rows
        for component, amount in row.costs.items()
    }


def differing(seed: int) -> Iterator[str]:
    """The cells in which an allocation is not what its definition says."""
    metered, book = cluster(seed)
    grouping, one = GROUPED[seed % len(GROUPED)], SHARINGS[(seed * 7) % len(SHARINGS)]
    told, meant = cells_of(allocate(metered, book, grouping, one)), defined(metered, book, grouping, one)
    for cell in told.keys() | meant.keys():
        if told.get(cell, 0.0) != pytest.approx(meant.get(cell, 0.0), rel=1e-9, abs=1e-12):
            yield f"{seed} {one} {cell}: {told.get(cell)} is not {meant.get(cell)}"


SEEDS = range(250)


def test_each_cell_is_what_the_definition_says() -> None:
    assert [text for seed in SEEDS for text in differing(seed)] == []


def _idle_by_total_cost(charges: charging.Charges, how: IdleSharing) -> None:
    """Shares the idle capacity of the cluster by all that somebody pays."""
    spenders = charges.rows(lambda kind, _: kind is RowKind.SPENDER)
    paid = charges.total[spenders]
    if how is IdleSharing.ROW or not len(spenders):
        return
    for resource in sharing.RESOURCES:
        cells = charges.of(resource)
        pool = cells[charges.idle_rows].sum(axis=0)
        charges.of(Component.IDLE)[spenders] += quotient(paid, paid.sum(axis=0)) * pool
        cells[charges.idle_rows] *= paid.sum(axis=0) <= 0


def _no_overcommit(monkeypatch: pytest.MonkeyPatch) -> None:
    real = charging._charge_nodes

    def clamped(charges: charging.Charges, *rest: object) -> object:
        found = real(charges, *rest)  # type: ignore[arg-type]
        for cells in charges.cells.values():
            np.maximum(cells, 0.0, out=cells)
        return found

    monkeypatch.setattr(charging, "_charge_nodes", clamped)


def _no_unallocated(monkeypatch: pytest.MonkeyPatch) -> None:
    real = charging._charge_volumes

    def dropped(charges: charging.Charges, prices: object, first: int) -> object:
        found = real(charges, prices, first)  # type: ignore[arg-type]
        charges.of(Component.STORAGE)[first:] = 0.0
        return found

    monkeypatch.setattr(charging, "_charge_volumes", dropped)


def _twice_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    real = sharing._fractions
    monkeypatch.setattr(sharing, "_fractions", lambda *given: real(*given) * 1.000_01)


@pytest.mark.parametrize("broken", [_no_overcommit, _no_unallocated, _twice_shared])
def test_an_allocation_that_loses_or_makes_money_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    assert worst(range(60))[0] > 1e-6


def test_idle_capacity_that_is_not_shared_by_resource_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_share_idle", _idle_by_total_cost)
    assert any(True for seed in SEEDS for _ in differing(seed))


def test_a_filter_changes_no_row_that_it_leaves_in() -> None:
    for seed in range(100):
        charges = charge(*cluster(seed))
        for turn, namespace in enumerate(("ml", "web", "batch")):
            one = SHARINGS[(seed * 5 + turn) % len(SHARINGS)]
            whole = tell(charges, ("namespace", "workload"), one, Filter())
            part = tell(charges, ("namespace", "workload"), one, Filter.parse(f"namespace={namespace}"))
            kept = [row for row in part.allocation.rows if row.kind is not RowKind.OTHER]
            assert kept == [row for row in whole.allocation.rows if row.keys[0] == namespace]
            assert part.allocation.bill == whole.allocation.bill


def test_without_sharing_each_component_adds_up_to_its_own_bill() -> None:
    for seed in range(200):
        told = allocate(*cluster(seed), ("team",)).allocation
        for component, amount in told.bill.items():
            cells = math.fsum(row.costs.get(component, 0.0) for row in told.rows)
            assert cells == pytest.approx(amount, rel=1e-9, abs=1e-12)


def test_two_parts_of_a_window_add_up_to_all_of_it() -> None:
    """Sharing is by the hour: a report of a week is the sum of those of its days."""
    metered, book = next(found for found in map(cluster, range(50)) if found[0].hours.count == 8)
    for one in SHARINGS[::5]:
        told = allocate(metered, book, ("namespace",), one)
        assert told.costs.shape == (len(told.allocation.rows), 8)
        for row, hourly in zip(told.allocation.rows, told.costs, strict=True):
            assert math.fsum(hourly) == pytest.approx(row.total, rel=1e-9, abs=1e-12)
