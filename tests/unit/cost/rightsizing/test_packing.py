"""A pod moves to where it may be: GPUs, taints, labels and volumes hold it, and pods that wait come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.cost.metering.model import GIB, NodeRef
from maestro_cli.cost.prices.model import (
    ALWAYS,
    HOURS_OF_A_MONTH,
    NodePrice,
    PriceBook,
    PriceVersion,
    UnitRates,
)
from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice, Decision, Step
from maestro_cli.cost.rightsizing.model import Amount, ContainerId, Proposal, Size, WorkloadId
from maestro_cli.cost.rightsizing.node_rates import rates_of
from maestro_cli.cost.rightsizing.packing import Demands, pack
from maestro_cli.cost.rightsizing.placement import (
    ANY_NODE,
    NodeDemand,
    PlacedPod,
    Room,
    Taint,
    Toleration,
    node_demand_of,
)
from maestro_cli.cost.rightsizing.saving import NodeRate, realised_by

GPU = "nvidia_com_gpu"
API = WorkloadId("shop", "Deployment", "api")
TRAINED = WorkloadId("ml", "Deployment", "trained")
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
KEPT = Taint("nvidia.com/gpu", "present")


def room(name: str, kind: str = "m5", zone: str = "a", cpu: float = 8.0, **more: Any) -> Room:
    return Room(NodeRef(name, kind, zone=zone), cpu, 32 * GIB, 110, **more)


def pod(node: str, cpu: float = 1.0, workload: WorkloadId | None = API, **more: Any) -> PlacedPod:
    name = f"{node}-{workload}-{cpu}"
    return PlacedPod("shop", name, node, workload, cpu, GIB, **more)


def gone(nodes: list[Room], pods: list[PlacedPod], demands: Demands = Demands(), **hourly: float) -> set[str]:
    return set(pack(nodes, pods, hourly, demands).go)


def test_a_pod_with_a_gpu_goes_nowhere_without_one() -> None:
    free = Demands(nodes={TRAINED: ANY_NODE, API: ANY_NODE})
    nodes = [room("m1"), room("p1", "p3", others={GPU: 1.0})]
    pods = [pod("m1"), pod("p1", workload=TRAINED, others={GPU: 1.0})]
    assert gone(nodes, pods, free, p1=3.06, m1=0.4) == {"m1"}
    two = [*nodes, room("p2", "p3", others={GPU: 1.0})]
    held = [*pods, pod("p2", 2.0, TRAINED, others={GPU: 1.0})]
    assert gone(two, held, free, p1=3.06, p2=3.06, m1=0.4) == {"m1"}
    assert "p2" in gone([two[0], replace(two[1], others={GPU: 2.0}), two[2]], held, free, p2=3.06)


def test_pods_that_wait_get_their_place_first() -> None:
    nodes = [room("n1"), room("n2"), room("n3")]
    pods = [pod("n1"), pod("n2")]
    assert len(gone(nodes, pods)) == 1
    batch = [WorkloadId("shop", "Deployment", f"w{number}") for number in range(4)]
    waiting = [pod("", 5.0, workload) for workload in batch]
    found = pack(nodes, [*pods, *waiting[:1]], {})
    assert (len(found.go), found.waiting) == (1, 0)
    found = pack(nodes, [*pods, *waiting], {})
    assert (found.go, found.waiting) == ((), 1)


def test_what_no_node_could_ever_take_hinders_none() -> None:
    nodes = [room("n1"), room("n2")]
    found = pack(nodes, [pod("n1"), pod("", 64.0), pod("", 1.0, others={GPU: 1.0})], {})
    assert (len(found.go), found.waiting) == (1, 2)


@pytest.mark.parametrize(
    ("tolerations", "may_go"),
    [
        ((), False),
        ((Toleration("nvidia.com/gpu"),), True),
        ((Toleration("nvidia.com/gpu", "present", "NoSchedule"),), True),
        ((Toleration("nvidia.com/gpu", "other"),), False),
        ((Toleration("nvidia.com/gpu", None, "NoExecute"),), False),
        ((Toleration(),), True),
    ],
)
def test_a_taint_keeps_out_who_does_not_tolerate_it(
    tolerations: tuple[Toleration, ...], may_go: bool
) -> None:
    nodes = [room("m1"), room("p1", taints=(KEPT,))]
    demands = Demands(nodes={API: NodeDemand(tolerations=tolerations)})
    assert ("m1" in gone(nodes, [pod("m1")], demands, m1=9.0)) is may_go


def test_a_cordoned_node_takes_no_pod_and_one_that_only_prefers_others_does() -> None:
    cordoned = room("m2", taints=(Taint("node.kubernetes.io/unschedulable"),))
    assert gone([room("m1"), cordoned], [pod("m1")], m1=9.0) == {"m2"}
    shy = room("m2", taints=(Taint("a", "b", "PreferNoSchedule"),))
    assert gone([room("m1"), shy], [pod("m1")], m1=9.0) == {"m1"}


def test_who_selects_nodes_stays_on_such() -> None:
    demands = Demands(nodes={API: node_demand_of({"nodeSelector": {"pool.example.com/name": "web"}})})
    nodes = [room("n1"), room("n2", labels={"pool_example_com_name": "web"}), room("n3")]
    assert gone(nodes, [pod("n1")], demands, n1=9.0) == {"n1", "n3"}
    assert gone([nodes[0], nodes[2]], [pod("n1")], demands, n1=9.0) == {"n3"}


@pytest.mark.parametrize(
    ("expressions", "is_met"),
    [
        ([{"key": "pool", "operator": "In", "values": ["web", "db"]}], True),
        ([{"key": "pool", "operator": "In", "values": ["db"]}], False),
        ([{"key": "pool", "operator": "Exists"}], True),
        ([{"key": "disk", "operator": "Exists"}], False),
        ([{"key": "disk", "operator": "DoesNotExist"}], False),
        ([{"key": "pool", "operator": "NotIn", "values": ["db"]}], False),
    ],
)
def test_a_required_affinity_is_judged_by_the_labels_that_are_known(
    expressions: list[Mapping[str, object]], is_met: bool
) -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert node_demand_of({"affinity": affinity}).is_met_by(room("n1", labels={"pool": "web"})) is is_met


def test_who_names_its_node_stays_there() -> None:
    assert not node_demand_of({"nodeName": "n1"}).is_met_by(room("n1"))


def test_tolerations_are_read_as_kubernetes_means_them() -> None:
    told = [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute"}, {"key": "c"}]
    assert node_demand_of({"tolerations": told}).tolerations == (
        Toleration("", None, ""),
        Toleration("a", "b", "NoExecute"),
        Toleration("c", "", ""),
    )


def test_without_its_template_a_pod_stays_on_nodes_alike() -> None:
    nodes = [room("m1"), room("c1", "c5")]
    assert gone(nodes, [pod("m1")], m1=9.0) == {"c1"}
    assert gone([*nodes, room("m2")], [pod("m1")], m1=9.0) == {"m1", "c1"}


def test_a_pod_that_nothing_owns_keeps_its_node_and_one_of_the_node_goes_with_it() -> None:
    nodes = [room("n1"), room("n2")]
    assert gone(nodes, [pod("n1", workload=None)], n1=9.0) == {"n2"}
    static = WorkloadId("kube-system", "Node", "n1")
    assert gone(nodes, [pod("n1", 7.0, static), pod("n2", 7.0, static)], n1=9.0) == {"n1"}


def test_a_pod_with_a_volume_stays_in_its_zone() -> None:
    nodes = [room("n1", zone="a"), room("n2", zone="b")]
    assert gone(nodes, [pod("n1")], n1=9.0) == {"n1"}
    assert gone(nodes, [pod("n1", keeps_zone=True)], n1=9.0) == {"n2"}


def test_nodes_that_could_go_anyway_are_no_saving_of_right_sizing() -> None:
    nodes = [room(f"n{i}") for i in range(10)]
    rates = {one.name: NodeRate(0.2, 0.03, 0.01) for one in nodes}
    found = realised_by([], nodes, [pod("n0", 0.1)], rates)
    assert found is not None
    assert (found.monthly, found.share, found.gone, len(found.before.go)) == (0.0, 0.0, (), 9)
    assert found.anyway == pytest.approx(9 * 0.2 * HOURS_OF_A_MONTH)


def test_a_raise_that_needs_a_node_which_could_go_costs_it() -> None:
    nodes = [room("n1"), room("n2")]
    rates = {one.name: NodeRate(0.2, 0.03, 0.01) for one in nodes}
    other = WorkloadId("shop", "Deployment", "other")
    step, still = Step(Decision.RAISE, 2.0, 5.0, 5.0), Step(Decision.KEEP, GIB, GIB, GIB)
    none = Proposal(Amount(None), Amount(None))
    container = ContainerAdvice(ContainerId(API, "main"), Size(), Size(), step, still, none, none, none)
    advice = Advice(API, 1, (container,))
    found = realised_by([advice], nodes, [pod("n1", 2.0), pod("n2", 3.0, other)], rates)
    assert found is not None
    assert (len(found.before.go), found.after.go, len(found.needed)) == (1, (), 1)
    assert found.monthly == pytest.approx(-0.2 * HOURS_OF_A_MONTH)


def test_a_core_beside_gpus_costs_its_part_of_the_node() -> None:
    """AWS's p3.2xlarge: of 3.06 an hour the GPU is nearly all, and a core is no eighth of it."""
    lines = (NodePrice("p3.2xlarge", 3.06), NodePrice("", 1.5, node="i-0abc"))
    book = PriceBook.of("USD", [PriceVersion(ALWAYS, UnitRates(0.031611, 0.004237, 0.95), nodes=lines)])
    has = {"cpu": 8.0, "memory": 61 * GIB, GPU: 1.0}
    gpu = Room(NodeRef("p1", "p3.2xlarge"), 7.9, 60 * GIB, 110, {GPU: 1.0}, has)
    own = Room(NodeRef("n1", "odd", provider_id="aws:///eu-west-1a/i-0abc"), 8.0, 32 * GIB)
    rates, unpriced = rates_of(book, [gpu, own], NOW)
    per_unit = 3.06 / (8 * 0.031611 + 61 * 0.004237 + 0.95)
    assert rates["p1"].cpu == pytest.approx(0.031611 * per_unit)
    assert (rates["p1"].hourly, rates["n1"].hourly, unpriced) == (3.06, 1.5, ())
