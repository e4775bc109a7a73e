"""What the bill would be: each change, several after one another, and bounds that hold all ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import numpy as np
import pytest

from maestro_cli.core.errors import NoData
from maestro_cli.cost.prices.model import ALWAYS, Capacity, NodePrice, PriceVersion, Resource, UnitRates
from maestro_cli.cost.what_if.model import CacheHits, Change, NodeType, Replicas, Running, SpotShare
from maestro_cli.cost.what_if.reckoning import Part, reckon
from maestro_cli.cost.what_if.replicas import running
from tests.unit.cost.budgets.metered_month import START, metered_days

PRICES = PriceVersion(
    since=ALWAYS,
    on_demand=UnitRates(0.04, 0.005),
    spot=UnitRates(0.01, 0.002),
    nodes=(
        NodePrice("m", 0.4),
        NodePrice("m", 0.1, Capacity.SPOT),
        NodePrice("dear", 0.8),
        NodePrice("dear", 0.4, Capacity.SPOT),
    ),
)
FRAUD, BATCH = "ml/deploy/fraud", "ml/deploy/batch"
PARTS = (
    Part(FRAUD, "m", Capacity.ON_DEMAND, 100.0, True),
    Part(BATCH, "m", Capacity.ON_DEMAND, 40.0, True),
    Part("", "m", Capacity.ON_DEMAND, 60.0, False),
)


def replicas(workload: str) -> Running | None:
    count = {FRAUD: 4.0, BATCH: 1.0}.get(workload)
    return None if count is None else Running(count, count, count)


def added(*changes: Change) -> tuple[float, float, float]:
    _, bill = reckon(PARTS, changes, replicas, PRICES)
    return round(bill.expected, 9), round(bill.low, 9), round(bill.high, 9)


def test_fewer_replicas_save_their_share_or_nothing() -> None:
    assert added(Replicas(FRAUD, 2)) == (-50.0, -50.0, 0.0)
    assert added(Replicas(FRAUD, 0)) == (-100.0, -100.0, 0.0)
    assert added(Replicas(FRAUD, 4)) == (0.0, 0.0, 0.0)


def test_more_replicas_cost_their_share_or_fit_into_what_is_unused() -> None:
    assert added(Replicas(FRAUD, 6)) == (50.0, 0.0, 50.0)


@pytest.mark.parametrize(
    ("now", "then", "left"), [(0.2, 0.6, 2), (0.2, 0.2, 4), (0.5, 0.0, 8), (0.2, 1.0, 1), (0.2, 0.5, 3)]
)
def test_hits_spare_the_replicas_that_would_have_computed_and_one_always_stays(
    now: float, then: float, left: int
) -> None:
    steps, bill = reckon(PARTS, [CacheHits(FRAUD, then, now)], replicas, PRICES)
    assert bill.expected == pytest.approx(25.0 * (left - 4))
    assert f"4 replicas → {left}" in steps[0].assumptions[0]


def test_spot_costs_the_ratio_of_the_prices_of_the_node_type_and_unused_capacity_stays() -> None:
    assert added(SpotShare(BATCH, 0.5)) == (-15.0, -15.0, 0.0)
    assert added(SpotShare("", 1.0)) == (-105.0, -105.0, 0.0)


def test_spot_of_a_type_without_a_line_costs_the_ratio_of_the_list() -> None:
    parts = [Part(FRAUD, "", Capacity.ON_DEMAND, 100.0, True)]
    _, bill = reckon(parts, [SpotShare("", 1.0)], replicas, PRICES)
    assert bill.expected == pytest.approx(-75.0)


def test_another_node_type_is_paid_for_unused_capacity_too() -> None:
    assert added(NodeType("m", "dear")) == (200.0, 200.0, 200.0)


def test_each_change_is_told_of_what_those_before_left() -> None:
    changes: list[Change] = [Replicas(FRAUD, 2), SpotShare(FRAUD, 1.0)]
    steps, bill = reckon(PARTS, changes, replicas, PRICES)
    assert [round(one.added.expected, 9) for one in steps] == [-50.0, -37.5]
    assert bill.expected == pytest.approx(-87.5)
    assert added(Replicas(FRAUD, 2), CacheHits(FRAUD, 0.5, 0.0))[0] == -75.0  # 4 → 2 → 1


def test_bounds_hold_all_ways_that_it_may_go() -> None:
    """Nodes that stay are all paid at the dearer price: the highs of the steps do not add up to that."""
    steps, bill = reckon(PARTS, [Replicas(FRAUD, 2), NodeType("m", "dear")], replicas, PRICES)
    assert bill.expected == pytest.approx(-50 + 150)
    assert bill.high == pytest.approx(200.0)
    assert steps[1].added.high == pytest.approx(200.0)
    scaled, spot, typed = Replicas(FRAUD, 9), SpotShare("", 0.7), NodeType("m", "dear")
    every: tuple[Change, ...] = (scaled, spot, typed, CacheHits(BATCH, 0.1, 0.4))
    for changes in permutations(every):
        _, bill = reckon(PARTS, list(changes), replicas, PRICES)
        assert bill.low <= bill.expected <= bill.high


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Replicas("ml/deploy/none", 2), "nothing was metered of ml/deploy/none"),
        (SpotShare("ml/deploy/none", 0.5), "nothing of ml/deploy/none was metered on on-demand nodes"),
        (NodeType("x", "m"), "no node of type x was metered"),
        (NodeType("m", "x"), "no on-demand price for nodes of type x"),
    ],
)
def test_what_is_not_there_or_has_no_price_is_refused(change: Change, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        reckon(PARTS, [change], replicas, PRICES)


def test_without_a_price_of_spot_there_is_no_ratio() -> None:
    with pytest.raises(ValueError, match="no price for spot nodes of type m"):
        reckon(PARTS, [SpotShare("", 1.0)], replicas, PriceVersion(ALWAYS, nodes=(NodePrice("m", 0.4),)))


def test_replicas_are_counted_over_the_hours_that_were_measured() -> None:
    metered = metered_days(4, missing=(1,), dear=2)
    assert running(metered, FRAUD) == Running(1.0, 1.0, 1.0)
    batch = running(metered, BATCH)
    assert batch is not None
    assert [batch.mean, batch.least, batch.most] == pytest.approx([1 / 3, 0.0, 1.0])
    assert running(metered, "ml/deploy/none") is None


def test_pods_that_followed_one_another_in_rollouts_are_one_replica() -> None:
    """Three replicas, rolled out five times within an hour: fifteen pods are seen in it, three at a time."""
    metered = metered_days(1)
    mine = metered.containers[0]
    pods = [replace(mine, pod=f"fraud-{generation}-{at}") for generation in range(5) for at in range(3)]
    ran = np.full((16, 24), np.nan)
    ran[:3, :10] = ran[12:15, 11:] = 1.0
    ran[:15, 10] = 0.2 + 1 / 60  # each waits for the next one to be ready
    ran[15] = ran[0]  # the container beside it in the first pod
    rows = {one: np.full((16, 24), 0.1) for one in metered.requested}
    told = replace(
        metered,
        containers=(*pods, replace(pods[0], container="proxy")),
        requested=rows,
        used=rows,
        running=ran,
    )
    found = running(told, FRAUD)
    assert found is not None
    assert (found.mean, found.least, found.most) == pytest.approx((3 + 15 / 60 / 24, 3.0, 3.25))
    assert not found.varied


def test_what_a_rollout_added_needs_no_replica_more() -> None:
    steps, _ = reckon(PARTS, [CacheHits(FRAUD, 0.5, 0.0)], lambda _: Running(4.03, 4.0, 4.3), PRICES)
    assert "4.03 replicas → 2" in steps[0].assumptions[0]


def test_of_an_hour_that_is_measured_in_part_the_part_tells_the_replicas() -> None:
    metered = metered_days(1)
    assert metered.running is not None
    part = np.where(np.arange(24) == 23, 0.25, 1.0)
    present, coverage = metered.present * part, metered.coverage * part
    told = replace(metered, running=metered.running * part, present=present)
    assert running(replace(told, coverage=coverage), FRAUD) == Running(1.0, 1.0, 1.0)
    now = START + timedelta(hours=23.25)  # all that is over of the hour was measured
    assert running(replace(told, until=now), FRAUD) == Running(1.0, 1.0, 1.0)


def test_nodes_that_were_all_replaced_within_an_hour_make_no_replica_more() -> None:
    metered = metered_days(1)
    present = metered.present.copy()
    present[0, 10:], present[1, :10] = 0.0, 0.0
    present[:, 10] = 0.5  # one took the place of the other at half past
    assert running(replace(metered, present=present), FRAUD) == Running(1.0, 1.0, 1.0)
    present[:, 10] = 0.7  # side by side for a while
    assert running(replace(metered, present=present), FRAUD) == Running(1.0, 1.0, 1.0)


def test_a_record_that_does_not_tell_how_long_pods_ran_tells_no_replicas() -> None:
    with pytest.raises(NoData, match="does not tell how long pods ran"):
        running(replace(metered_days(1), running=None), FRAUD)


def test_more_hits_never_cost_more_though_a_workload_was_there_for_a_part_of_the_time() -> None:
    def seldom(workload: str) -> Running | None:
        return Running(0.4, 0.0, 1.0) if workload == BATCH else None

    for then in (0.5, 0.9, 1.0):
        _, bill = reckon(PARTS, [CacheHits(BATCH, then, 0.2)], seldom, PRICES)
        assert bill.expected <= 0
    steps, bill = reckon(PARTS, [CacheHits(BATCH, 0.0, 0.9)], seldom, PRICES)
    assert bill.expected == pytest.approx(40 * (4 / 0.4 - 1))
    assert "it had 0 to 1 in an hour: what scales it would set another number" in steps[0].assumptions[-2]


def test_what_has_no_replicas_left_may_change_on_and_its_volumes_stay() -> None:
    steps, bill = reckon(PARTS, [Replicas(FRAUD, 0), SpotShare(FRAUD, 1.0)], replicas, PRICES)
    assert (bill.expected, bill.low) == (-100.0, -100.0)
    assert "its volumes and load balancers stay" in steps[0].assumptions


def test_prices_are_those_of_the_region() -> None:
    lines = [
        NodePrice(name, hourly, capacity, region)
        for region, name, hourly, capacity in (
            ("eu", "m", 0.4, Capacity.ON_DEMAND), ("eu", "m", 0.1, Capacity.SPOT),
            ("us", "m", 0.4, Capacity.ON_DEMAND), ("us", "m", 0.2, Capacity.SPOT),
            ("eu", "n", 0.8, Capacity.ON_DEMAND),
        )
    ]  # fmt: skip
    prices = PriceVersion(ALWAYS, nodes=tuple(lines))
    parts = [Part(FRAUD, "m", Capacity.ON_DEMAND, 100.0, True, region) for region in ("eu", "us")]
    assert reckon(parts, [SpotShare("", 1.0)], replicas, prices)[1].expected == pytest.approx(-75 - 50)
    assert reckon(parts[:1], [NodeType("m", "n")], replicas, prices)[1].expected == pytest.approx(100)
    with pytest.raises(ValueError, match="no on-demand price for nodes of type n in us"):
        reckon(parts, [NodeType("m", "n")], replicas, prices)


def test_list_prices_of_spot_are_weighed_by_what_is_paid_for() -> None:
    """A spot GPU that is hardly cheaper saves hardly anything, however cheap the cores beside it are."""
    prices = PriceVersion(ALWAYS, UnitRates(0.04, 0.005, 1.0), UnitRates(0.01, 0.002, 0.95))
    paid = {Resource.CPU: 1.0, Resource.GPU: 9.0}
    part = Part(FRAUD, "", Capacity.ON_DEMAND, 100.0, True, by_resource=paid)
    _, bill = reckon([part], [SpotShare("", 1.0)], replicas, prices)
    assert bill.expected == pytest.approx(-100 * (0.1 * 0.75 + 0.9 * 0.05))
    unpriced = PriceVersion(ALWAYS, UnitRates(0.04, 0.005, 1.0), UnitRates(0.01, 0.002))
    with pytest.raises(ValueError, match="no price for spot nodes"):
        reckon([part], [SpotShare("", 1.0)], replicas, unpriced)


def test_lines_without_gpus_say_nothing_of_nodes_whose_gpus_are_paid() -> None:
    apart = [NodePrice(name, 0.5, bought, gpus_apart=True) for name in "mn" for bought in Capacity]
    prices = PriceVersion(ALWAYS, nodes=tuple(apart))
    part = Part(FRAUD, "m", Capacity.ON_DEMAND, 100.0, True, by_resource={Resource.GPU: 9.0})
    for change in (SpotShare("", 1.0), NodeType("m", "n")):
        with pytest.raises(ValueError, match="nodes of type m are without their GPUs"):
            reckon([part], [change], replicas, prices)
