"""Who comes in by an entrance is served where its slice leads, on either cluster."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import NotFound, StalePlan, UsageError
from maestro_cli.core.facts.entrances import Entrance
from maestro_cli.core.refs import ObjectRef
from maestro_cli.journal.store import Journal
from maestro_cli.services.regions import listening_url
from maestro_cli.sources.front_door import ails
from maestro_cli.sources.kube import KubeCluster
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment, service
from tests.contract.cluster.running import Platform, until
from tests.patience import PATIENCE_SECONDS
from tests.unit.changes.bench import YES
from tests.unit.changes.some_world import SomeWorld

pytestmark = pytest.mark.contract
ANNOTATION = "maestro.io/local-endpoint"


class Entrances:
    """Those of the cluster of the suite, asked as the embedded platform's are."""

    def __init__(self, cluster: KubeCluster) -> None:
        self._kept = cluster.entrances

    def get(self, namespace: str, name: str) -> Entrance:
        return self._kept.get(namespace, name)

    def write(self, *given: Any, **named: Any) -> Entrance:
        return self._kept.write(*given, **named)

    def ails(self, url: str) -> str:
        return ails(listening_url(url))

    def forbids(self, ref: ObjectRef) -> tuple[()]:
        return ()

    def judged(self, *_: Any) -> tuple[()]:
        return ()


@pytest.fixture
def kept(platform: Platform) -> Iterator[KubeCluster]:
    made = KubeCluster(ClusterEndpoint(str(platform.state / "oncall.kubeconfig")))
    yield made
    made.close()


@pytest.fixture
def pipeline(kept: KubeCluster, journal: Journal) -> ChangePipeline:
    world = SomeWorld(kept, doors=Entrances(kept))
    rules = Policy(context="test", poll_seconds=0.05, verify_timeout_seconds=PATIENCE_SECONDS)
    return ChangePipeline(journal, world, policy=rules, clock=SystemClock(), actor="oncall")


def address_of(kubectl: Kubectl, name: str) -> str:
    def annotated() -> str | None:
        found: str | None = kubectl.get("svc", name)["metadata"].get("annotations", {}).get(ANNOTATION)
        return found

    return str(until(annotated, "the balancer's annotation"))


@pytest.fixture
def entrance(kubectl: Kubectl, namespace: str) -> ObjectRef:
    """It leads to `east`; both regions are Services of this cluster, and `gone` is nowhere."""
    regions = {}
    for name in ("east", "west"):
        kubectl.apply(deployment(name, 1), service(name))
        address = address_of(kubectl, name)
        until(lambda at=address, who=name: answered(at) == who, f"{name} answers")  # type: ignore[misc]
        regions[name] = address.replace("127.0.0.1", "10.244.0.1")
    notes = {f"region.maestro.io/{name}": f"http://{at}/" for name, at in regions.items()}
    notes["region.maestro.io/gone"] = "http://10.244.0.1:9/"
    host, _, port = regions["east"].partition(":")
    kubectl.apply(
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "entrance", "annotations": notes},
            "spec": {"ports": [{"name": "http", "port": 80}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "entrance", "labels": {"kubernetes.io/service-name": "entrance"}},
            "endpoints": [{"addresses": [host]}], "ports": [{"name": "http", "port": int(port)}],
        },
    )  # fmt: skip
    return ObjectRef("Service", namespace, "entrance")


def answered(address: str) -> str:
    """By which workload, as its pods' names begin."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode().partition("-")[0]
    except (http.client.HTTPException, OSError):
        return ""
    finally:
        connection.close()


def test_callers_go_where_the_slice_leads_and_come_back_with_the_undo(
    kubectl: Kubectl, pipeline: ChangePipeline, kept: KubeCluster, entrance: ObjectRef
) -> None:
    address = address_of(kubectl, "entrance")
    until(lambda: answered(address) == "east", "east answers")
    plan = pipeline.plan("switch-region", entrance, {"to": "west"})
    before = kept.entrances.get(entrance.namespace, entrance.name)
    pipeline.execute(plan, YES)
    until(lambda: answered(address) == "west", "west answers")
    pipeline.take_back(plan.id, cause="the end")
    until(lambda: answered(address) == "east", "east answers again")
    after = kept.entrances.get(entrance.namespace, entrance.name)
    assert (after.endpoints, after.ports) == (before.endpoints, before.ports)


def test_a_slice_that_was_written_since_is_not_written_over(
    kubectl: Kubectl, pipeline: ChangePipeline, kept: KubeCluster, entrance: ObjectRef
) -> None:
    plan = pipeline.plan("switch-region", entrance, {"to": "west"})
    now = kept.entrances.get(entrance.namespace, entrance.name)
    kept.entrances.write(
        now, uid=now.uid, resource_version=now.resource_version, endpoints=[], ports=now.ports, annotations={}
    )
    with pytest.raises(StalePlan):
        pipeline.execute(plan, YES)
    assert not kept.entrances.get(entrance.namespace, entrance.name).endpoints


def test_a_service_that_has_a_selector_or_names_no_regions_is_no_entrance(
    kubectl: Kubectl, kept: KubeCluster, namespace: str
) -> None:
    kubectl.apply(service("web"))
    with pytest.raises(UsageError, match="is no entrance"):
        kept.entrances.get(namespace, "web")
    with pytest.raises(NotFound):
        kept.entrances.get(namespace, "nowhere")
