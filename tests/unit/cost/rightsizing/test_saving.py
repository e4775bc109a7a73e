"""What is claimed is a sum over requests; what is realised are nodes that can be emptied."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.cost.metering.model import GIB, NodeRef
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH
from maestro_cli.cost.rightsizing.demands import demands_of
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Facts
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, ContainerId, Size, WorkloadId
from maestro_cli.cost.rightsizing.packing import FULL, Demands, pack
from maestro_cli.cost.rightsizing.placement import ANY_NODE, PlacedPod, Room
from maestro_cli.cost.rightsizing.saving import NodeRate, claim_of, realised_by
from maestro_cli.cost.rightsizing.sizing import advise
from tests.unit.cost.rightsizing.usages import DAY, usage

API = WorkloadId("shop", "Deployment", "api")
MAIN = ContainerId(API, "main")
AGENT = WorkloadId("sys", "DaemonSet", "agent")
RATE = NodeRate(0.2, 0.03, 0.01)
HOURS = 14 * 24.0
ZONE = "topology.kubernetes.io/zone"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def room(name: str, zone: str = "a", cpu: float = 4.0, pods: float | None = 110) -> Room:
    return Room(NodeRef(name, zone=zone), cpu, 16 * GIB, pods)


def pod(
    node: str, number: int, cpu: float, workload: WorkloadId | None = API, memory: float = GIB
) -> PlacedPod:
    return PlacedPod("shop", f"p{number}", node, workload, cpu, memory)


def other(name: str) -> WorkloadId:
    return WorkloadId("shop", "Deployment", name)


def test_a_claim_is_requests_by_rates_by_hours() -> None:
    size = Size(2.0, None, 2048 * MIB, None)
    measured = Measured(MAIN, usage(), KrrSeries(), pod_hours=3 * HOURS, hours=HOURS)
    advice = advise(
        API, [measured], Facts({MAIN: size}, {API: 3}, endings=frozenset({MAIN})), (), Looked(14 * DAY)
    )
    (one,) = advice.containers
    assert (one.next.cpu_request, one.next.memory_request) == (1.0, 1024 * MIB)
    claim = claim_of(advice, [pod("n1", 1, 2.0)], {"n1": RATE})
    assert claim.monthly == pytest.approx(3 * (1.0 * 0.03 + 1.0 * 0.01) * HOURS_OF_A_MONTH)
    assert claim_of(advice, [pod("n1", 1, 2.0)], {"n1": NodeRate(None, None, None)}).monthly is None


def test_a_claim_is_of_how_many_there_were_since_it_was_seen_first() -> None:
    """Three pods for half of the window are three, and not one and a half."""
    size = Size(2.0, None, 2048 * MIB, None)
    facts = Facts({MAIN: size}, {API: 3}, endings=frozenset({MAIN}))

    def claim(pod_hours: float, hours: float) -> float | None:
        measured = Measured(MAIN, usage(), KrrSeries(), pod_hours, hours)
        return claim_of(advise(API, [measured], facts, (), Looked(14 * DAY)), [], {"n1": RATE}).monthly

    assert claim(3 * HOURS / 2, HOURS / 2) == claim(3 * HOURS, HOURS)
    assert claim(0.0, 0.0) == 0.0


def test_a_node_goes_when_its_pods_find_places() -> None:
    nodes = [room("n1"), room("n2")]
    pods = [pod("n1", 1, 1.0, other("x")), pod("n2", 2, 1.0, other("y"))]
    found = pack(nodes, pods, {"n1": 0.2, "n2": 0.3})
    assert (found.stay, found.go, found.bound) == (("n1",), ("n2",), 1)


def test_no_node_is_filled_over_85_percent() -> None:
    nodes = [room("n1"), room("n2")]
    pods = [pod("n1", 1, 2.0, other("x")), pod("n2", 2, 1.41, other("y"))]
    assert pack(nodes, pods, {}).go == ()
    pods[1] = replace(pods[1], cpu=1.39)
    assert len(pack(nodes, pods, {}).go) == 1


def test_memory_and_the_number_of_pods_count_as_well() -> None:
    nodes = [room("n1", pods=1), room("n2", pods=1)]
    pods = [pod("n1", 1, 0.1, other("x")), pod("n2", 2, 0.1, other("y"))]
    assert pack(nodes, pods, {}).go == ()
    heavy = [pod("n1", 1, 0.1, other("x"), 10 * GIB), pod("n2", 2, 0.1, other("y"), 10 * GIB)]
    assert pack([room("n1"), room("n2")], heavy, {}).go == ()


def test_a_daemon_sets_pods_go_with_their_node() -> None:
    nodes = [room("n1"), room("n2")]
    pods = [pod("n1", 1, 3.0, AGENT), pod("n2", 2, 3.0, AGENT)]
    assert len(pack(nodes, pods, {}).go) == 1


def test_replicas_that_are_apart_stay_apart() -> None:
    nodes = [room("n1"), room("n2"), room("n3")]
    apart = [pod("n1", 1, 0.1), pod("n2", 2, 0.1)]
    assert pack(nodes, apart, {}).go == ("n3",)
    together = [pod("n1", 1, 0.1), pod("n1", 2, 0.1), pod("n2", 3, 0.1)]
    assert len(pack(nodes, together, {}).go) == 2


def test_a_workload_stays_in_as_many_zones() -> None:
    nodes = [room("n1", "a"), room("n2", "b"), room("n3", "a")]
    pods = [pod("n1", 1, 0.1), pod("n1", 2, 0.1), pod("n2", 3, 0.1), pod("n3", 4, 0.1, other("x"))]
    assert pack(nodes, pods, {"n2": 9.0}).go == ("n1",) or pack(nodes, pods, {"n2": 9.0}).go == ("n3",)


def test_what_a_template_demands_holds_and_what_it_does_not_is_free() -> None:
    nodes = [room("n1", "a"), room("n2", "b"), room("n3", "c")]
    pods = [pod("n1", 1, 0.1), pod("n2", 2, 0.1), pod("n3", 3, 0.1)]
    assert pack(nodes, pods, {}).go == ()
    free = Demands(nodes={API: ANY_NODE})
    assert len(pack(nodes, pods, {}, free).go) == 1  # two zones stay
    apart = Demands(apart=frozenset({API}), nodes={API: ANY_NODE})
    assert pack(nodes, pods, {}, apart).go == ()
    zoned = Demands(zoned=frozenset({API}), nodes={API: ANY_NODE})
    assert pack(nodes, pods, {}, zoned).go == ()


@pytest.mark.parametrize(
    ("spec", "apart", "zoned"),
    [
        ({}, False, False),
        (
            {"topologySpreadConstraints": [{"topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway"}]},
            False,
            False,
        ),
        ({"topologySpreadConstraints": [{"topologyKey": ZONE}]}, False, True),
        (
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": "kubernetes.io/hostname"}]}}},
            True,
            False,
        ),
    ],
)
def test_demands_are_read_from_pod_templates(spec: dict[str, object], apart: bool, zoned: bool) -> None:
    ref, now = WorkloadRef("Deployment", "shop", "api"), datetime(2026, 1, 1, tzinfo=UTC)
    workload = Workload(ref, "u", "1", 1, 1, 1, 3, 3, 3, 3, 3, False, "", now, template={"spec": spec})
    found = demands_of([workload])
    assert (API in found.apart, API in found.zoned, found.is_known(API)) == (apart, zoned, True)


def test_only_a_node_that_goes_is_money() -> None:
    size = Size(2.0, None, 2048 * MIB, None)
    nodes = [room("n1", cpu=2.5), room("n2", cpu=2.5)]
    pods = [pod("n1", 1, 2.0, memory=2 * GIB), pod("n2", 2, 0.9, other("x"))]
    measured = Measured(MAIN, usage(), KrrSeries(), HOURS, HOURS)
    advice = advise(
        API, [measured], Facts({MAIN: size}, {API: 1}, endings=frozenset({MAIN})), (), Looked(14 * DAY)
    )
    found = realised_by([advice], nodes, pods, {"n1": RATE, "n2": RATE})
    assert found is not None
    assert (found.nodes, len(found.before.go), len(found.after.go)) == (2, 0, 1)
    assert found.monthly == pytest.approx(0.2 * HOURS_OF_A_MONTH)
    assert found.share == 0.5
    unpriced = realised_by([advice], nodes, pods, {"n1": RATE})
    assert unpriced is not None
    assert unpriced.bill is None
    assert unpriced.share is None


def test_without_nodes_nothing_is_realised() -> None:
    assert realised_by([], [], [], {}) is None


def test_whatever_goes_the_rest_has_room_for_it() -> None:
    """A property of a hundred random clusters: sums alone already need as many nodes as stay at the least."""
    chance = random.Random(12)
    for _ in range(100):
        nodes = [room(f"n{i}", chance.choice("ab"), chance.choice([2.0, 4.0, 8.0])) for i in range(8)]
        pods = [
            pod(chance.choice(nodes).name, i, chance.uniform(0.05, 0.5), other(chance.choice("xyz")))
            for i in range(30)
        ]
        found = pack(nodes, pods, {one.name: chance.random() for one in nodes})
        stays = [one for one in nodes if one.name in found.stay]
        assert set(found.stay) | set(found.go) == {one.name for one in nodes}
        assert found.bound <= len(found.stay)
        if found.go:
            over: dict[str, float] = defaultdict(float)
            for one in pods:
                over[one.node] += one.cpu
            most = sum(max(one.cpu * FULL, over[one.name]) for one in stays)
            assert sum(one.cpu for one in pods) <= most + 1e-9
