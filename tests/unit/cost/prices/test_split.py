"""A node's price is split over what it has in a held ratio, and adds up to the price."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.cost.metering.model import Hours, Matrix, Metered, NodeRef
from maestro_cli.cost.prices.model import (
    ALWAYS,
    Capacity,
    NodePrice,
    PriceBook,
    PriceVersion,
    Resource,
    UnitRates,
)
from maestro_cli.cost.prices.split import NodeRates, cluster_rates, kind_of, node_rates

START = datetime(2026, 11, 1, tzinfo=UTC)
LIST = UnitRates(cpu=0.031611, memory=0.004237, gpu=0.95)
SPOT = UnitRates(cpu=0.006655, memory=0.000892)
BIG = NodeRef("one", instance_type="big", region="eu", zone="eu-a")


def book(*nodes: NodePrice, since: datetime = ALWAYS, **more: object) -> PriceBook:
    version = PriceVersion(since, **{"on_demand": LIST, "spot": SPOT, "nodes": nodes, **more})  # type: ignore[arg-type]
    return PriceBook.of("USD", [version])


def amounts(cpu: float, memory: float, gpu: float = 0.0, hours: int = 2) -> dict[Resource, Matrix]:
    given_amounts = zip(Resource, (cpu, memory, gpu), strict=True)
    return {resource: np.full(hours, float(amount)) for resource, amount in given_amounts}


def rates_of(
    prices: PriceBook,
    has: dict[Resource, Matrix],
    node: NodeRef = BIG,
    present: float = 1.0,
) -> NodeRates:
    count = len(has[Resource.CPU])
    return node_rates(prices, node, Hours(START, count), has, np.full(count, present))


def paid(found: NodeRates, has: dict[Resource, Matrix]) -> Matrix:
    return np.asarray(sum(found.rates[resource] * has[resource] for resource in Resource))


def test_the_example_of_the_specification_splits_35_dollars_into_15_15_5() -> None:
    """OpenCost's specification, appendix A: parts that list at 30, 30 and 10 share 35 dollars."""
    prices = book(NodePrice("big", 35.0), on_demand=UnitRates(cpu=3.0, memory=1.0, gpu=10.0))
    has = amounts(cpu=10, memory=30, gpu=1)
    found = rates_of(prices, has)
    parts = [float((found.rates[resource] * has[resource])[0]) for resource in Resource]
    assert parts == pytest.approx([15.0, 15.0, 5.0])


def test_memory_is_weighed_in_gib_on_a_node_with_gpus_too() -> None:
    """Where OpenCost falls back on GPU nodes it weighs memory in bytes: cores and GPUs then cost nothing."""
    has = amounts(cpu=8, memory=32, gpu=1)
    found = rates_of(book(NodePrice("big", 2.0)), has)
    cpu, memory, gpu = (float(found.rates[resource][0]) for resource in Resource)
    assert cpu / memory == pytest.approx(LIST.cpu / LIST.memory)
    assert gpu / memory == pytest.approx(0.95 / LIST.memory)
    assert memory == pytest.approx(2.0 / (0.95 / LIST.memory + 8 * LIST.cpu / LIST.memory + 32))
    assert float(paid(found, has)[0]) == pytest.approx(2.0)


def test_a_node_without_gpus_pays_nothing_for_one() -> None:
    priced = rates_of(book(NodePrice("big", 2.0)), amounts(8, 32, 0))
    listed = rates_of(book(), amounts(8, 32, 0))
    assert not np.any(priced.rates[Resource.GPU])
    assert not np.any(listed.rates[Resource.GPU])
    no_gpu_price = rates_of(book(on_demand=UnitRates(0.03, 0.004)), amounts(8, 32, 0))
    assert no_gpu_price.hourly[0] == pytest.approx(8 * 0.03 + 32 * 0.004)


def test_a_kind_that_no_line_prices_has_the_list_rates_and_says_so() -> None:
    has = amounts(8, 32)
    found = rates_of(book(NodePrice("small", 2.0)), has)
    assert (found.by_list, found.unpriced) == (True, False)
    assert found.rates[Resource.CPU][0] == LIST.cpu
    assert found.hourly[0] == pytest.approx(0.388, abs=5e-4)


def test_without_a_line_and_a_list_there_is_no_price_rather_than_none_to_pay() -> None:
    found = rates_of(book(on_demand=None, spot=None), amounts(8, 32))
    assert (found.by_list, found.unpriced) == (False, True)
    assert np.all(np.isnan(found.hourly))
    assert np.all(np.isnan(found.rates[Resource.CPU]))


def test_a_line_needs_no_list_to_be_split() -> None:
    has = amounts(8, 32)
    found = rates_of(book(NodePrice("big", 2.0), on_demand=None, spot=None), has)
    assert paid(found, has) == pytest.approx(2.0)
    assert not found.unpriced


def test_a_gpu_that_the_list_does_not_price_leaves_the_node_without_a_price() -> None:
    node = NodeRef("one", capacity=Capacity.SPOT)
    found = rates_of(book(), amounts(8, 32, 1), node)
    assert found.unpriced
    assert np.isnan(found.hourly[0])
    assert np.isnan(found.rates[Resource.GPU][0])
    assert found.rates[Resource.CPU][0] == SPOT.cpu


def test_the_price_of_a_kind_of_gpu_comes_before_that_of_the_list() -> None:
    node = NodeRef("one", gpu="a100")
    found = rates_of(book(gpus={"a100": 3.0}), amounts(8, 32, 2), node)
    assert found.rates[Resource.GPU][0] == 3.0


def test_gpus_priced_apart_are_added_to_the_price_of_the_node() -> None:
    has = amounts(8, 32, 2)
    prices = book(NodePrice("big", 0.9, gpu="a100", gpus_apart=True), gpus={"a100": 0.5})
    found = rates_of(prices, has)
    assert found.hourly[0] == pytest.approx(1.9)
    assert found.rates[Resource.GPU][0] == 0.5
    assert paid(found, has) == pytest.approx(1.9)


def test_the_line_of_the_region_comes_before_the_one_of_any_and_the_nodes_own_before_both() -> None:
    lines = [NodePrice("big", 1.0), NodePrice("big", 2.0, region="eu"), NodePrice("big", 9.0, region="us")]
    assert rates_of(book(*lines), amounts(1, 1)).hourly[0] == 2.0
    assert rates_of(book(*lines, NodePrice("", 3.0, node="ONE")), amounts(1, 1)).hourly[0] == 3.0


def test_spot_and_on_demand_of_one_kind_have_each_their_line() -> None:
    lines = [NodePrice("big", 1.0), NodePrice("big", 0.3, Capacity.SPOT)]
    spot = NodeRef("one", instance_type="big", capacity=Capacity.SPOT)
    assert rates_of(book(*lines), amounts(1, 1), spot).hourly[0] == 0.3
    assert rates_of(book(*lines), amounts(1, 1)).hourly[0] == 1.0


def test_the_version_that_holds_when_an_hour_begins_prices_it() -> None:
    old = PriceVersion(START, nodes=(NodePrice("big", 1.0),))
    new = PriceVersion(START.replace(hour=2, minute=30), nodes=(NodePrice("big", 3.0),))
    prices = PriceBook.of("USD", [old, new])
    has = amounts(1, 1, hours=6)
    early = Hours(START.replace(month=10, day=31, hour=23), 6)
    found = node_rates(prices, BIG, early, has, np.ones(6))
    assert np.isnan(found.hourly[0])
    assert found.hourly[1:].tolist() == [1.0, 1.0, 1.0, 3.0, 3.0]
    assert found.unpriced


def test_half_an_hour_of_a_node_costs_half_of_its_price() -> None:
    has = amounts(4, 16)
    found = rates_of(book(NodePrice("big", 2.0)), has, present=0.5)
    assert paid(found, has) == pytest.approx(1.0)
    assert found.hourly[0] == 2.0


def test_an_hour_without_the_node_costs_nothing_and_one_without_a_measurement_is_not_known() -> None:
    has = {resource: np.array([0.0, np.nan, 4.0]) for resource in Resource}
    found = node_rates(book(NodePrice("big", 2.0)), BIG, Hours(START, 3), has, np.array([0.0, 1.0, 1.0]))
    sums = paid(found, has)
    assert sums[0] == 0
    assert np.isnan(sums[1])
    assert sums[2] == pytest.approx(2.0)
    assert not found.unpriced


def test_a_cluster_names_the_kinds_that_have_no_line_once() -> None:
    nodes = (BIG, NodeRef("two", instance_type="odd"), NodeRef("three", instance_type="odd"))
    has = {resource: np.ones((3, 2)) for resource in Resource}
    metered = Metered(
        "c", Hours(START, 2), (), nodes, (), {}, {}, has, np.ones((3, 2)), np.zeros((0, 2)), np.ones(2)
    )
    found = cluster_rates(book(NodePrice("big", 2.0)), metered)
    assert found.by_list == (kind_of(nodes[1]),) == ("odd on-demand",)
    assert found.hourly.shape == (3, 2)
    unlisted = cluster_rates(book(NodePrice("big", 2.0), on_demand=None), metered)
    assert unlisted.unpriced == ("odd on-demand",)


AMOUNT = st.floats(0, 1e4)


@given(
    cpu=st.floats(1e-3, 1e4),
    memory=AMOUNT,
    gpu=st.integers(0, 64),
    hourly=st.floats(1e-3, 1e4),
    present=st.floats(1e-2, 1),
    listed=st.builds(UnitRates, st.floats(1e-4, 10), st.floats(1e-4, 10), st.floats(1e-4, 10)),
    kind=st.sampled_from(["", "a100"]),
    apart=st.booleans(),
)
def test_what_the_parts_cost_adds_up_to_what_the_node_costs(
    cpu: float,
    memory: float,
    gpu: int,
    hourly: float,
    present: float,
    listed: UnitRates,
    kind: str,
    apart: bool,
) -> None:
    line = NodePrice("big", hourly, gpu=kind, gpus_apart=apart)
    prices = book(line, on_demand=listed, gpus={"a100": 2.5})
    has = amounts(cpu * present, memory * present, gpu * present)
    found = rates_of(prices, has, present=present)
    assert paid(found, has) == pytest.approx(found.hourly * present, rel=1e-9)
    if not apart or not gpu:
        assert found.hourly[0] == hourly
    assert all(rate >= 0 for row in found.rates.values() for rate in row)
