"""What each rule of an allocation comes to, in figures that can be checked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.grouping import Filter, parse_grouping
from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind
from maestro_cli.cost.allocation.sharing import IdleSharing, SharedNamespace, Sharing, Spread, Step
from maestro_cli.cost.metering.model import BalancerRef, ContainerRef, Hours, Metered, NodeRef, VolumeRef
from maestro_cli.cost.prices.model import (
    Egress,
    NodePrice,
    PriceBook,
    PriceVersion,
    Resource,
    StorageClass,
    UnitRates,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
NAN = float("nan")
LISTED = UnitRates(cpu=1.0, memory=0.1, gpu=10.0)  # round, to be checked by hand
BOOK = PriceBook.of("EUR", [PriceVersion(START - timedelta(days=1), LISTED, LISTED)])


def container(name: str, namespace: str = "ml", node: str = "a", **more: object) -> ContainerRef:
    return replace(ContainerRef(namespace, name, "main", node), **more)  # type: ignore[arg-type]


def metered(
    asked: Sequence[tuple[ContainerRef, float, float]],
    used: Mapping[str, tuple[float, float]] | None = None,
    **more: object,
) -> Metered:
    """One hour of one node `a` of 8 cores and 20 GiB: 8 + 2 = 10 EUR. Cores and GiB that each asked for."""
    containers = tuple(ref for ref, *_ in asked)
    uses = [(used or {}).get(one.pod, (NAN, NAN)) for one in containers]
    kinds = (Resource.CPU, Resource.MEMORY)
    made = Metered(
        cluster="lab",
        hours=Hours(START, 1),
        containers=containers,
        nodes=(NodeRef("a", zone="eu-a"),),
        volumes=(),
        requested={one: np.array([[amounts[n]] for _, *amounts in asked]) for n, one in enumerate(kinds)},
        used={one: np.array([[use[n]] for use in uses]) for n, one in enumerate(kinds)},
        capacity={Resource.CPU: np.array([[8.0]]), Resource.MEMORY: np.array([[20.0]])},
        present=np.array([[1.0]]),
        volume_gib=np.zeros((0, 1)),
        coverage=np.ones(1),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def of(allocation: Allocation, *keys: str, kind: RowKind = RowKind.SPENDER) -> Row:
    (found,) = [row for row in allocation.rows if (row.keys, row.kind) == (keys, kind)]
    return found


SMALL, BIG, SYSTEM = container("small"), container("big", "web"), container("dns", "kube-system")
THREE = metered([(SMALL, 1.0, 8.0), (BIG, 3.0, 2.0), (SYSTEM, 1.0, 0.0)])


def test_the_greater_of_request_and_use_is_paid_of_each_resource_by_itself() -> None:
    found = allocate(metered([(SMALL, 1.0, 8.0)], {"small": (2.0, 4.0)}), BOOK).allocation
    row = of(found, "ml")
    assert row.costs == {Component.CPU: 2.0, Component.MEMORY: pytest.approx(0.8)}
    assert (row.efficiency(Resource.CPU), row.efficiency(Resource.MEMORY)) == (1.0, 0.5)
    assert row.efficiency(Resource.GPU) is None
    assert of(found, "", kind=RowKind.IDLE).total == pytest.approx(10 - 2.8)


def test_more_than_a_node_has_is_a_negative_row_and_told() -> None:
    found = allocate(metered([(SMALL, 10.0, 8.0)]), BOOK).allocation
    assert of(found, "", kind=RowKind.OVERCOMMIT).costs == {Component.CPU: -2.0}
    assert found.total == pytest.approx(10.0)
    assert found.notes == (
        "nodes by the list prices: no instance type on-demand",
        "1 node-hours are over-committed: more was asked for or used than there is",
    )


def test_what_never_ran_costs_nothing() -> None:
    pending = container("pulling", node="")
    found = allocate(metered([(SMALL, 1.0, 8.0), (pending, 4.0, 4.0)]), BOOK, ("pod",)).allocation
    assert [row.keys for row in found.rows if row.kind is RowKind.SPENDER] == [("ml/small",)]


def test_idle_memory_falls_to_who_pays_for_memory() -> None:
    found = allocate(THREE, BOOK, sharing=Sharing(IdleSharing.NODE)).allocation
    # idle: 3 cores at 1 over 5 that are paid, 10 GiB at 0.1 over 10 that are paid
    assert of(found, "ml").costs[Component.IDLE] == pytest.approx(3 * 1 / 5 + 1 * 8 / 10)
    assert of(found, "web").costs[Component.IDLE] == pytest.approx(3 * 3 / 5 + 1 * 2 / 10)
    assert not [row for row in found.rows if row.kind is RowKind.IDLE]


def test_idle_of_a_resource_that_nobody_has_keeps_its_row() -> None:
    gpus = {**THREE.capacity, Resource.GPU: np.array([[2.0]])}
    found = allocate(replace(THREE, capacity=gpus), BOOK, sharing=Sharing(IdleSharing.CLUSTER)).allocation
    assert of(found, "", kind=RowKind.IDLE).costs == {Component.GPU: 20.0}


@pytest.mark.parametrize(
    ("spread", "ml", "web"),
    [(Spread.COST, 1.8 / 5, 3.2 / 5), (Spread.EVEN, 0.5, 0.5), (Spread.METRIC, 0.75, 0.25)],
)
def test_a_shared_namespace_falls_to_the_others(spread: Spread, ml: float, web: float) -> None:
    one = SharedNamespace("kube-system", spread, {"ml": 3.0, "web": 1.0, "gone": 9.0})
    found = allocate(THREE, BOOK, sharing=Sharing(namespaces=(one,))).allocation
    assert of(found, "ml").costs[Component.SHARED] == pytest.approx(ml)
    assert of(found, "web").costs[Component.SHARED] == pytest.approx(web)
    assert not [row for row in found.rows if row.keys == ("kube-system",)]


def test_a_shared_namespace_brings_its_idle_share_along_when_idle_comes_first() -> None:
    spaces = (SharedNamespace("kube-system"),)
    first = allocate(THREE, BOOK, sharing=Sharing(IdleSharing.NODE, spaces)).allocation
    last = Sharing(IdleSharing.NODE, spaces, order=(Step.NAMESPACES, Step.IDLE, Step.OVERHEAD))
    brought = sum(row.costs[Component.SHARED] for row in first.rows)
    alone = sum(row.costs[Component.SHARED] for row in allocate(THREE, BOOK, sharing=last).allocation.rows)
    assert brought == pytest.approx(1 + 3 / 5)
    assert alone == pytest.approx(1.0)


def test_a_shared_namespace_that_nobody_can_bear_keeps_its_row() -> None:
    only = metered([(SYSTEM, 1.0, 0.0)])
    found = allocate(only, BOOK, sharing=Sharing(namespaces=(SharedNamespace("kube-system"),))).allocation
    assert of(found, "kube-system", kind=RowKind.SHARED).total == 1.0


def test_a_volume_falls_to_the_pods_that_mount_it_and_is_unallocated_without_one() -> None:
    stored = [PriceVersion(START, LISTED, LISTED, storage=(StorageClass("ssd", 0.01),))]
    volumes = (
        VolumeRef("shared", "ssd", "ml", "data", ("small", "other")),
        VolumeRef("left", "ssd", "ml", "old"),
        VolumeRef("dear", "unheard-of", "ml", "new", ("small",)),
    )
    here = metered([(SMALL, 1.0, 1.0), (container("other"), 1.0, 1.0)], volumes=volumes)
    here = replace(here, volume_gib=np.array([[100.0], [10.0], [5.0]]))
    found = allocate(here, PriceBook.of("EUR", stored), ("pod",)).allocation
    assert of(found, "ml/small").costs[Component.STORAGE] == pytest.approx(0.5)
    assert of(found, "ml/other").costs[Component.STORAGE] == pytest.approx(0.5)
    assert of(found, "", kind=RowKind.UNALLOCATED).costs == {Component.STORAGE: pytest.approx(0.1)}
    assert found.unpriced == ("storage class unheard-of",)


def test_overhead_and_what_is_sent_are_paid_where_they_have_a_price() -> None:
    version = PriceVersion(
        START, LISTED, LISTED, egress=Egress(zone=0.5), control_plane_hourly=0.2, load_balancer_hourly=0.1
    )
    here = replace(
        metered([(SMALL, 1.0, 1.0), (BIG, 1.0, 1.0)]),
        sent_gib={"zone": np.array([[2.0], [NAN]]), "internet": np.array([[1.0], [NAN]])},
        balancers=(BalancerRef("web", "front"),),
        balancer_hours=np.ones((1, 1)),
    )
    alone = allocate(here, PriceBook.of("EUR", [version]), ("workload",)).allocation
    assert of(alone, "ml/pod/small").costs[Component.NETWORK] == 1.0
    assert of(alone, "web/service/front").costs == {Component.OVERHEAD: 0.1}
    assert of(alone, "", kind=RowKind.OVERHEAD).total == 0.2
    assert alone.unpriced == ("network to internet",)
    even = Sharing(overhead=Spread.EVEN)
    shared = allocate(here, PriceBook.of("EUR", [version]), sharing=even).allocation
    assert [row.costs[Component.SHARED] for row in shared.rows if row.kind is RowKind.SPENDER] == [0.1, 0.1]


def test_hours_before_the_first_prices_are_missing_and_not_free() -> None:
    late = PriceBook.of("EUR", [PriceVersion(START + timedelta(hours=1), LISTED, LISTED)])
    found = allocate(THREE, late).allocation
    assert found.total == 0.0
    assert found.unpriced == ("nodes: no instance type on-demand", "1 hours before the first prices")


@pytest.mark.parametrize("told", [{}, {Resource.CPU: 8.0}, {Resource.CPU: 8.0, Resource.MEMORY: np.nan}])
def test_a_node_of_unknown_size_makes_the_bill_a_lower_bound(told: dict[Resource, float]) -> None:
    capacity = {resource: np.array([[amount]]) for resource, amount in told.items()}
    found = allocate(replace(THREE, capacity=capacity), BOOK).allocation
    assert "nodes whose capacity was not told: a" in found.unpriced
    gone = replace(THREE, capacity=capacity, present=np.array([[0.0]]))
    assert not any("capacity" in text for text in allocate(gone, BOOK).allocation.unpriced)


def test_a_node_of_a_known_price_and_an_unknown_size_costs_its_price() -> None:
    line = PriceVersion(START - timedelta(days=1), LISTED, nodes=(NodePrice("m5", 4.0),))
    node = NodeRef("a", "m5")
    for told in ({}, {Resource.CPU: 8.0, Resource.MEMORY: np.nan, Resource.GPU: 2.0}):
        capacity = {resource: np.array([[amount]]) for resource, amount in told.items()}
        here = replace(THREE, nodes=(node,), capacity=capacity)
        found = allocate(here, PriceBook.of("EUR", [line])).allocation
        assert found.total == 4.0
        assert of(found, "", kind=RowKind.IDLE).costs == {Component.OVERHEAD: 4.0}
        assert "nodes whose capacity was not told: a" in found.unpriced  # who pays for it is not known
    apart = replace(line, nodes=(NodePrice("m5", 4.0, gpus_apart=True),))
    assert allocate(here, PriceBook.of("EUR", [apart])).allocation.total == 24.0


@pytest.mark.parametrize("lacking", list(Resource))
def test_a_size_that_was_told_in_other_hours_alone_is_not_0_whatever_the_resource(lacking: Resource) -> None:
    line = PriceVersion(START - timedelta(days=1), LISTED, nodes=(NodePrice("p3", 4.0),))
    told = {Resource.CPU: 8.0, Resource.MEMORY: 20.0, Resource.GPU: 1.0, lacking: NAN}
    capacity = {resource: np.array([[amount]]) for resource, amount in told.items()}
    here = replace(THREE, nodes=(NodeRef("a", "p3"),), capacity=capacity)
    found = allocate(here, PriceBook.of("EUR", [line])).allocation
    assert found.total == 4.0
    assert found.unpriced == ("nodes whose capacity was not told: a",)


def test_what_a_filter_leaves_out_is_one_row() -> None:
    found = allocate(THREE, BOOK, where=Filter.parse("namespace=ml")).allocation
    assert [(row.kind, round(row.total, 9)) for row in found.rows] == [
        (RowKind.SPENDER, 1.8),
        (RowKind.OTHER, 8.2),
    ]
    assert found.total == pytest.approx(10.0)
    assert found.selected == pytest.approx(1.8)


def test_two_workloads_of_one_name_are_two_rows() -> None:
    refs = [container("p", space, workload_kind="Deployment", workload="api") for space in ("ml", "web")]
    found = allocate(metered([(ref, 1.0, 1.0) for ref in refs]), BOOK, ("workload",)).allocation
    assert [row.keys for row in found.rows][:2] == [("ml/deploy/api",), ("web/deploy/api",)]


def test_any_label_of_pods_tells_costs_and_its_value_is_but_a_value() -> None:
    evil = '\x1b[31m"} or vector(1)'
    labelled = container("p", labels={"app_kubernetes_io_name": evil})
    grouping = parse_grouping("label:app.kubernetes.io/name")
    found = allocate(metered([(labelled, 1.0, 0.0), (BIG, 1.0, 0.0)]), BOOK, grouping).allocation
    assert of(found, evil).total == 1.0
    assert of(found, "", kind=RowKind.UNALLOCATED).total == 1.0


@pytest.mark.parametrize("text", ["", "namspace", "team,team", "label:", ","])
def test_a_grouping_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_grouping(text)
    assert raised.value.fix


def test_a_mistyped_grouping_has_a_suggestion() -> None:
    with pytest.raises(UsageError) as raised:
        parse_grouping("namspace")
    assert raised.value.fix == "--by namespace"


@pytest.mark.parametrize("text", ["namespace", 'team=~"("', "team=a,team=a"])
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Filter.parse(text)


@pytest.mark.parametrize(
    ("present", "coverage", "hours"),
    [
        ([0.5, 0.5], 1.0, 1.0),  # one took the place of the other at half past
        ([0.7, 0.6], 1.0, 1.0),  # side by side for a while
        ([0.25, 0.25], 1.0, 0.5),  # both at once, or one after the other: the most is taken
        ([0.5, 0.5], 0.5, 0.5),  # of the other half nothing was measured
        ([0.5, NAN], 0.0, 0.5),
        ([], 1.0, 0.0),
    ],
)
def test_an_hour_in_which_all_nodes_were_replaced_is_a_whole_one(
    present: list[float], coverage: float, hours: float
) -> None:
    """The control plane was there all the while, and a month is made of as many hours as were seen."""
    shares = np.array(present).reshape(-1, 1)
    amounts = {one: known * shares for one, known in ((Resource.CPU, 8.0), (Resource.MEMORY, 20.0))}
    nodes = tuple(NodeRef(name, zone="eu-a") for name in "ab"[: len(present)])
    replaced = replace(
        THREE, nodes=nodes, capacity=amounts, present=shares, coverage=np.array([coverage]),
    )  # fmt: skip
    version = PriceVersion(START - timedelta(days=1), LISTED, control_plane_hourly=0.1)
    found = allocate(replaced, PriceBook.of("EUR", [version])).allocation
    assert found.seen_hours == pytest.approx(hours)
    plane = [row for row in found.rows if row.kind is RowKind.OVERHEAD]
    assert sum(row.total for row in plane) == pytest.approx(0.1 * hours)
