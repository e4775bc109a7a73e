"""What a pod asks for, as the scheduler counts it; what it does not say is unknown and never nothing."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.config.strict import Document
from maestro_cli.core.errors import InvalidFile
from maestro_cli.cost.gate.model import Asked, Claim
from maestro_cli.cost.gate.pods import PodReader
from maestro_cli.cost.prices.model import Capacity


def read(spec: dict[str, Any]) -> Asked:
    return PodReader(Document("pod.yaml", spec)).read(spec, ())


def container(name: str = "app", **resources: Any) -> dict[str, Any]:
    return {"name": name, "resources": resources}


SMALL = container(requests={"cpu": "100m", "memory": "128Mi"})
BIG = container("init", requests={"cpu": "1", "memory": "1Gi"})


def test_containers_add_up() -> None:
    found = read({"containers": [SMALL, container("b", requests={"cpu": 1, "memory": "896Mi"})]})
    assert (found.cpu, found.memory_gib, found.unknown) == (1.1, 1.0, ())


def test_a_request_that_is_left_out_is_the_limit() -> None:
    found = read({"containers": [container(limits={"cpu": "2", "memory": "2Gi"}, requests={"cpu": "500m"})]})
    assert (found.cpu, found.memory_gib, found.unknown) == (0.5, 2.0, ())


def test_without_both_it_is_unknown() -> None:
    found = read({"containers": [SMALL, container("bare"), container("half", requests={"cpu": "1"})]})
    assert set(found.unknown) == {
        "container bare has no cpu request",
        "container bare has no memory request",
        "container half has no memory request",
    }
    assert found.cpu == 1.1


def test_a_container_that_asks_for_nothing_takes_what_it_likes() -> None:
    assert read({"containers": [container(requests={"cpu": 0, "memory": "0"})]}).unknown == (
        "container app asks for 0 cpu",
        "container app asks for 0 memory",
    )


def test_an_init_container_counts_where_it_asks_for_more_than_all_that_runs() -> None:
    assert read({"containers": [SMALL], "initContainers": [BIG]}).cpu == 1.0
    assert read({"containers": [BIG, BIG], "initContainers": [BIG]}).cpu == 2.0
    assert read({"containers": [SMALL], "initContainers": [container("bare")]}).unknown == ()


def test_a_sidecar_runs_beside_the_containers_and_the_init_containers_after_it() -> None:
    sidecar = {**container("mesh", requests={"cpu": "200m", "memory": "0"}), "restartPolicy": "Always"}
    assert read({"containers": [SMALL], "initContainers": [sidecar]}).cpu == pytest.approx(0.3)
    assert read({"containers": [SMALL], "initContainers": [sidecar, BIG]}).cpu == pytest.approx(1.2)
    assert read({"containers": [SMALL], "initContainers": [BIG, sidecar]}).cpu == pytest.approx(1.0)


def test_a_pod_that_says_what_all_of_it_asks_for_needs_no_more() -> None:
    whole = {"requests": {"cpu": "2", "memory": "4Gi"}}
    found = read({"containers": [container()], "resources": whole, "overhead": {"cpu": "250m"}})
    assert (found.cpu, found.memory_gib, found.unknown) == (2.25, 4.0, ())


def test_gpus_are_limits_and_their_kind_is_what_nodes_are_chosen_by() -> None:
    gpu = container(limits={"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": 2})
    found = read({"containers": [gpu], "nodeSelector": {"nvidia.com/gpu.product": "A100"}})
    assert (found.gpus, found.gpu) == (2.0, "A100")
    part = container(limits={"cpu": "1", "memory": "1Gi", "nvidia.com/mig-1g.5gb": 1})
    assert read({"containers": [part]}).extended == (("nvidia.com/mig-1g.5gb", 1.0),)


@pytest.mark.parametrize(
    ("placement", "capacity"),
    [
        ({"nodeSelector": {"karpenter.sh/capacity-type": "spot"}}, Capacity.SPOT),
        ({"nodeSelector": {"karpenter.sh/capacity-type": "on-demand"}}, Capacity.ON_DEMAND),
        ({"tolerations": [{"key": "karpenter.sh/capacity-type", "value": "spot"}]}, Capacity.ON_DEMAND),
    ],
)
def test_spot_is_what_a_pod_insists_on(placement: dict[str, Any], capacity: Capacity) -> None:
    assert read({"containers": [SMALL], **placement}).capacity is capacity


@pytest.mark.parametrize(("terms", "capacity"), [(1, Capacity.SPOT), (2, Capacity.ON_DEMAND)])
def test_affinity_insists_only_where_every_term_does(terms: int, capacity: Capacity) -> None:
    spot = {"key": "eks.amazonaws.com/capacityType", "operator": "In", "values": ["SPOT"]}
    other = {"key": "zone", "operator": "Exists"}
    found: list[dict[str, Any]] = [{"matchExpressions": [spot]}, {"matchExpressions": [other]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": found[:terms]}}
    assert read({"containers": [SMALL], "affinity": {"nodeAffinity": required}}).capacity is capacity


def test_volumes_of_a_pod_are_claims_of_each_replica() -> None:
    inner = {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}}
    volumes = [
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": inner}},
        {"name": "x", "emptyDir": {}},
    ]
    assert read({"containers": [SMALL], "volumes": volumes}).claims == (Claim("fast", 10.0),)


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ({"containers": [container(requests={"cpu": "much"})]}, "containers[0].resources.requests.cpu"),
        ({"containers": [container(requests={"cpu": True})]}, "containers[0].resources.requests.cpu"),
        ({"containers": [container(requests={"memory": "-1"})]}, "containers[0].resources.requests.memory"),
        ({"containers": [container(requests=[])]}, "containers[0].resources.requests"),
        ({"containers": {}}, "containers"),
        ({"containers": ["app"]}, "containers[0]"),
        ({"containers": [], "nodeSelector": "x"}, "nodeSelector"),
    ],
)
def test_what_is_none_is_refused_with_its_key(spec: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        read(spec)
    assert refused.value.key == key
