"""Objectives of a cluster are read on both clusters; the light one has config maps alone, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import NotFound
from maestro_cli.services.objectives import find_context_objectives
from maestro_cli.sources.kube import KubeCluster
from tests.contract.cluster.running import Platform, until
from tests.unit.services.test_objectives_of_a_context import PYRRA, openslo, pyrra

pytestmark = pytest.mark.contract
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "servicelevelobjectives.pyrra.dev"},
    "spec": {
        "group": "pyrra.dev",
        "scope": "Namespaced",
        "names": {"plural": "servicelevelobjectives", "kind": "ServiceLevelObjective"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


@pytest.fixture
def kube(platform: Platform) -> Iterator[KubeCluster]:
    made = KubeCluster(ClusterEndpoint(str(platform.state / "admin.kubeconfig")))
    yield made
    made.close()


def services(kube: KubeCluster, *entries: str) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(origins={"t": "/nowhere/config.yaml"}),
        context_name="t",
        context=SimpleNamespace(objectives=list(entries), exclusions=[], contract=None),
        cluster=kube,
    )


def test_a_config_map_is_read(http: httpx.Client, kube: KubeCluster, namespace: str) -> None:
    data = {"good.yaml": openslo("good"), "bad.yaml": openslo("bad", "99.9")}
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert http.post(path, json={"metadata": {"name": "slos"}, "data": data}).status_code == 201
    found = find_context_objectives(services(kube, f"configmap:{namespace}/slos"))
    assert [one.name for one in found.objectives] == ["good"]
    assert [error.file for error in found.broken] == [f"configmap {namespace}/slos bad.yaml"]
    with pytest.raises(NotFound):
        find_context_objectives(services(kube, f"configmap:{namespace}/other"))


def test_resources_are_read_where_they_are_served_and_else_that_is_said(
    platform: Platform, http: httpx.Client, kube: KubeCluster, namespace: str
) -> None:
    entry = f"cluster:{namespace}"
    none = find_context_objectives(services(kube, entry))
    assert (none.objectives, none.broken) == ((), ())
    assert ["is not installed" in note.text for note in none.notes] == [True, True]
    if platform.kind == "lite":
        return
    assert http.post(CRDS, json=CRD).status_code == 201
    try:
        path = f"{PYRRA}/namespaces/{namespace}/servicelevelobjectives"
        until(lambda: http.get(path).status_code == 200, "the resource is served")
        for one in (pyrra("good"), pyrra("ratio", target="0.999")):
            made = {"apiVersion": "pyrra.dev/v1alpha1", "kind": "ServiceLevelObjective", **one}
            made["metadata"] = {"name": one["metadata"]["name"], "labels": {"pyrra.dev/team": "a"}}
            assert http.post(path, json=made).status_code == 201
        found = find_context_objectives(services(kube, entry))
        assert [(one.name, one.labels) for one in found.objectives] == [("good", {"team": "a"})]
        assert [error.key for error in found.broken] == ["spec.target"]
        assert len(found.notes) == 1
    finally:
        http.delete(f"{CRDS}/servicelevelobjectives.pyrra.dev")
