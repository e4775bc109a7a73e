"""Manifests that were applied and did not change since cost nothing more, whatever a cluster completed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import config_dir
from maestro_cli.config.strict import Document
from maestro_cli.cost.gate.defaults import container_defaults
from maestro_cli.cost.gate.objects import objects_of
from tests.cli.program import Result, maestro
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import Platform

pytestmark = pytest.mark.contract
PRICES = """currency: EUR
CPU: 0.03
RAM: 0.004
GPU: 1.0
defaultLBPrice: 0.025
storage: 0.0006
storage_classes:
  - {name: CLASS, per_gib_month: 0.1}
"""
REQUESTS = {"requests": {"cpu": 0.5, "memory": "0.5Gi"}}
POD = {"containers": [{"name": "a", "image": "x", "resources": REQUESTS}], "nodeSelector": {"none": "such"}}
LABELS = {"app": "a"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
ONCE = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}


def thing(api: str, kind: str, name: str, spec: Any = None, **more: Any) -> dict[str, Any]:
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}
    return body if spec is None else {**body, "spec": spec}


LIMIT = {"type": "Container", "max": {"cpu": "2", "memory": "1Gi"}, "min": {"cpu": "100m"}}
LIMITS = thing("v1", "LimitRange", "limits", {"limits": [LIMIT]})


def workloads() -> list[dict[str, Any]]:
    """What both clusters have."""
    selected = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
    scaled = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    return [
        thing("apps/v1", "Deployment", "web", {"replicas": 2, **selected}),
        thing("apps/v1", "Deployment", "unsaid", selected),
        thing("batch/v1", "Job", "once", ONCE),
        thing("batch/v1", "Job", "thrice", {"completions": 3, **ONCE}),
        thing("batch/v1", "Job", "beside", {"parallelism": 3, **ONCE}),
        thing("v1", "Pod", "alone", POD),
        thing("v1", "Service", "web", {"type": "LoadBalancer", "selector": LABELS, "ports": [{"port": 80}]}),
        thing(
            "autoscaling/v2", "HorizontalPodAutoscaler", "web", {"scaleTargetRef": scaled, "maxReplicas": 4}
        ),
    ]


def others(kubectl: Kubectl) -> list[dict[str, Any]]:
    """What the real one alone has; the class is the default one of its cluster."""
    name, sets = kubectl.namespace, {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    volume = {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
    made = thing("storage.k8s.io/v1", "StorageClass", name, provisioner="example.com/none")
    made["metadata"]["annotations"] = default
    template = {"metadata": {"name": "data"}, "spec": CLAIM}
    return [
        made,
        thing("apps/v1", "DaemonSet", "everywhere", sets),
        thing("batch/v1", "CronJob", "nightly", {"schedule": "0 3 * * *", "jobTemplate": {"spec": ONCE}}),
        thing("v1", "PersistentVolumeClaim", "data", CLAIM),
        thing("v1", "PersistentVolume", name, volume),
        thing("apps/v1", "StatefulSet", "sets",
              {"serviceName": "sets", "replicas": 2, "volumeClaimTemplates": [template], **sets}),
        LIMITS,
        thing("networking.k8s.io/v1", "Ingress", "web", {"defaultBackend": backend}),
        thing("node.k8s.io/v1", "RuntimeClass", name, handler="runc", overhead={"podFixed": {"cpu": "0.25"}}),
    ]  # fmt: skip


@pytest.fixture
def gated(kubectl: Kubectl, platform: Platform, tmp_path: Path) -> Iterator[Path]:
    """A folder with the manifests in `applied.json`, which were, and a context of the cluster."""
    things = [*workloads(), *(others(kubectl) if platform.kind == "kubernetes" else [])]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": things})
    (tmp_path / "applied.json").write_text(text)
    (tmp_path / "prices.yaml").write_text(PRICES.replace("CLASS", kubectl.namespace))
    for one in things:  # the class before the claim that has it by default
        kubectl("apply", "-f", "-", given=json.dumps(one))
    config_dir().mkdir(parents=True, exist_ok=True)
    cluster = f"kubeconfig: {platform.state / 'admin.kubeconfig'}"
    (config_dir() / "config.yaml").write_text(
        f"current_context: c\ncontexts:\n  c: {{namespace: {kubectl.namespace}, cluster: {{{cluster}}}}}\n"
    )
    yield tmp_path
    for kind in (
        ("storageclass", "persistentvolume", "runtimeclass") if len(things) > len(workloads()) else ()
    ):
        kubectl("delete", kind, kubectl.namespace, "--wait=false")


def gate(folder: Path, *words: str) -> Result:
    limits = "--prices", "prices.yaml", "--job-hours", "10", "--max-increase", "0"
    found = maestro("cost", "gate", *words, *limits, "-o", "json", cwd=folder)
    assert found.out, found.err
    return found


def test_what_was_applied_and_is_unchanged_costs_nothing_more(gated: Path) -> None:
    found = gate(gated, "applied.json")
    told = json.loads(found.out)
    assert (told["items"], told["notes"], told["verdict"], found.code) == ([], [], "PASS", 0)
    assert told["unchanged"] >= len(workloads()) - 1


def test_without_what_was_applied_the_defaults_of_a_job_are_none_either(
    gated: Path, kubectl: Kubectl
) -> None:
    """As server-side apply, Flux or `kubectl create` leave objects."""
    claims = ("pvc/data",) if kubectl.kind == "kubernetes" else ()  # of the class that the server gave it
    for one in ("job/once", "job/thrice", "job/beside", "deployment/web", *claims):
        kubectl("annotate", one, "kubectl.kubernetes.io/last-applied-configuration-")
    found = gate(gated, "applied.json")
    told = json.loads(found.out)
    assert (told["items"], told["verdict"]) == ([], "PASS")


@pytest.mark.kubernetes
def test_a_limit_range_gives_what_the_api_server_makes_of_it(gated: Path, kubectl: Kubectl) -> None:
    """By its maximum alone, and its minimum where there is none."""
    if kubectl.kind == "lite":
        pytest.skip("the light cluster has no limit ranges")
    there = kubectl.get("limitrange", "limits")
    given = Document("limits", {**LIMITS, "metadata": {"name": "limits", "namespace": kubectl.namespace}})
    read = [container_defaults(objects_of([one], "")) for one in (given, Document("there", there))]
    assert read[0] == read[1] == {kubectl.namespace: {"cpu": 2.0, "memory": 2.0**30}}
    assert there["spec"]["limits"][0]["defaultRequest"] == {"cpu": "2", "memory": "1Gi"}


def test_a_job_that_runs_more_often_is_not_known(gated: Path) -> None:
    items = json.loads((gated / "applied.json").read_text())["items"]
    (job,) = (one for one in items if one["metadata"]["name"] == "once" and one["kind"] == "Job")
    job["spec"] = {**job["spec"], "completions": 2}
    (gated / "changed.json").write_text(json.dumps(job))
    found = gate(gated, "changed.json")
    assert (found.code, json.loads(found.out)["verdict"]) == (15, "INDETERMINATE")
