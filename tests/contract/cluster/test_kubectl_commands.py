"""Every kubectl command that both clusters serve, with the newest kubectl and with 1.32."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import KUBECTL, Kubectl
from tests.contract.cluster.objects import config_map, deployment, pod
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract
READY = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"


@pytest.fixture(scope="module", params=["newest", "1.32"])
def kubectl(
    request: pytest.FixtureRequest, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubectl]:
    """One namespace for all of them, with the deployment `web` of two in it."""
    program = KUBECTL if request.param == "newest" else KUBECTL.with_name("kubectl-1.32")
    if not program.exists():
        pytest.skip(f"there is no kubectl 1.32: make {program.relative_to(program.parents[2])}")
    home, namespace = tmp_path_factory.mktemp("kubectl"), f"t-{uuid.uuid4().hex[:8]}"
    run = Kubectl(platform.state, home, namespace, program, kind=platform.kind)
    run("create", "namespace", run.namespace)
    run("apply", "-f", "-", given=json.dumps(deployment("web", 2)))
    run("rollout", "status", "deploy/web", "--timeout=90s", seconds=120)
    yield run
    run("delete", "namespace", run.namespace, "--wait=false")


def names(kubectl: Kubectl, *words: str) -> list[str]:
    """The names in a table without its head."""
    return [line.split()[0] for line in kubectl("get", *words, "--no-headers").splitlines()]


def pods(kubectl: Kubectl, app: str = "web") -> list[str]:
    return names(kubectl, "pods", "-l", f"app={app}")


@behaviour("kubectl", "get wide")
def test_get_wide(kubectl: Kubectl) -> None:
    lines = kubectl("get", "pods", "-o", "wide").splitlines()
    assert lines[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    rows = [line.split() for line in lines[1:] if line.startswith("web-")]
    assert [row[1:4] for row in rows] == [["1/1", "Running", "0"]] * 2
    assert {row[6] for row in rows} <= {"node-a", "node-b"}


@behaviour("kubectl", "get json and yaml")
def test_get_json_and_yaml(kubectl: Kubectl) -> None:
    found = kubectl.get("deploy", "web")
    assert (found["kind"], found["apiVersion"], found["spec"]["replicas"]) == ("Deployment", "apps/v1", 2)
    assert "\n  replicas: 2\n" in kubectl("get", "deploy", "web", "-o", "yaml")
    assert kubectl.get("deploy")["kind"] == "List"


@behaviour("kubectl", "get by label")
def test_get_by_label(kubectl: Kubectl) -> None:
    assert len(pods(kubectl)) == 2
    assert names(kubectl, "pods", "-l", "app in (web,other),pod-template-hash") == pods(kubectl)
    assert "No resources found" in kubectl("get", "pods", "-l", "app!=web,!app")


@behaviour("kubectl", "get by field")
def test_get_by_field(kubectl: Kubectl) -> None:
    [one, other] = pods(kubectl)
    assert names(kubectl, "pods", "--field-selector", f"metadata.name={one}") == [one]
    both = f"status.phase=Running,metadata.name!={one}"
    assert names(kubectl, "pods", "-l", "app=web", "--field-selector", both) == [other]
    told = kubectl("get", "pods", "--field-selector", "spec.colour=red", fails=True)
    assert "field label not supported: spec.colour" in told


@behaviour("kubectl", "get sorted")
def test_get_sorted(kubectl: Kubectl) -> None:
    for name, size in (("sorted-a", "3"), ("sorted-b", "1"), ("sorted-c", "2")):
        made = config_map(name, size=size)
        made["metadata"]["labels"] = {"sorted": "yes"}
        kubectl("apply", "-f", "-", given=json.dumps(made))
    found = names(kubectl, "cm", "-l", "sorted=yes", "--sort-by", "{.data.size}")
    assert found == ["sorted-b", "sorted-c", "sorted-a"]
    assert len(names(kubectl, "pods", "-l", "app=web", "--sort-by", ".spec.nodeName")) == 2


@behaviour("kubectl", "get in chunks")
def test_get_in_chunks(kubectl: Kubectl) -> None:
    for number in range(5):
        kubectl("create", "configmap", f"chunk-{number}", "--from-literal=a=b")
    whole = names(kubectl, "configmaps")
    assert len(whole) >= 5
    assert names(kubectl, "configmaps", "--chunk-size=2") == whole
    found = json.loads(kubectl("get", "configmaps", "--chunk-size=2", "-o", "json"))
    assert [item["metadata"]["name"] for item in found["items"]] == whole


@behaviour("kubectl", "get watch")
def test_get_watch(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "watched", "--from-literal=a=1")
    only = ("--field-selector", "metadata.name=watched")
    with kubectl.following("get", "configmaps", "--watch", "--no-headers", *only) as watching:
        assert watching.line().split()[:2] == ["watched", "1"]
        kubectl("patch", "configmap/watched", "--type=merge", "-p", '{"data":{"b":"2"}}')
        assert watching.line().split()[:2] == ["watched", "2"]
        kubectl("delete", "configmap", "watched")
        assert watching.line().split()[:2] == ["watched", "2"]


@behaviour("kubectl", "describe")
def test_describe(kubectl: Kubectl) -> None:
    [one, _] = pods(kubectl)
    pages = {
        f"pod/{one}": ("Status: Running", "Controlled By: ReplicaSet/web-", "Successfully assigned"),
        "deployment/web": (
            "2 desired | 2 updated | 2 total | 2 available",
            "NewReplicaSet: web-",
            "Scaled up",
        ),
        "node/node-a": ("Unschedulable: false", "HolderIdentity: node-a", "KubeletReady", "Allocated"),
    }
    for thing, parts in pages.items():
        told = " ".join(kubectl("describe", thing).split())
        for part in parts:
            assert part in told


@behaviour("kubectl", "logs")
def test_logs(kubectl: Kubectl) -> None:
    [one, _] = pods(kubectl)
    assert kubectl("logs", one, "--tail=1").count("\n") == 1
    assert "serving" in kubectl("logs", one)
    assert "serving" in kubectl("logs", "deploy/web", "--timestamps")


@behaviour("kubectl", "logs followed and of the run before")
def test_logs_followed_and_of_the_run_before(kubectl: Kubectl) -> None:
    script = "import os,sys,time;print('run',flush=True);time.sleep(1.5);print('end',flush=True);sys.exit(1)"
    kubectl("apply", "-f", "-", given=json.dumps(pod("restless", script)))

    def container_status() -> dict[str, Any]:
        found: list[dict[str, Any]] = kubectl.get("pod", "restless")["status"].get("containerStatuses", [{}])
        return found[0]

    until(lambda: container_status().get("restartCount"), "a restart")
    assert kubectl("logs", "restless", "--previous").split() == ["run", "end"]
    until(lambda: "running" in container_status()["state"], "another run")
    assert kubectl("logs", "restless", "-f").split() == ["run", "end"]
    kubectl("delete", "pod", "restless", "--grace-period=1")


@behaviour("kubectl", "apply create and delete")
def test_apply_create_and_delete(kubectl: Kubectl) -> None:
    given = json.dumps(config_map("applied", a="1", b="2"))
    assert "created" in kubectl("apply", "-f", "-", given=given)
    assert "unchanged" in kubectl("apply", "-f", "-", given=given)
    assert "configured" in kubectl("apply", "-f", "-", given=json.dumps(config_map("applied", a="9")))
    assert kubectl.get("cm", "applied")["data"] == {"a": "9"}, "what is not applied any more goes"
    assert "already exists" in kubectl("create", "-f", "-", given=given, fails=True)
    assert "deleted" in kubectl("delete", "-f", "-", given=given)
    assert 'configmaps "applied" not found' in kubectl("get", "cm", "applied", fails=True)


@behaviour("kubectl", "apply without change makes no rollout")
def test_apply_without_change_makes_no_rollout(kubectl: Kubectl) -> None:
    before = kubectl.get("deploy", "web")["metadata"]
    assert "unchanged" in kubectl("apply", "-f", "-", given=json.dumps(deployment("web", 2)))
    assert kubectl.get("deploy", "web")["metadata"]["generation"] == before["generation"]


@behaviour("kubectl", "create generators")
def test_create_generators(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "made", "--image=maestro.local/x:1", "--replicas=0")
    kubectl("create", "secret", "generic", "made", "--from-literal=k=v")
    kubectl("create", "service", "clusterip", "made", "--tcp=80:8080")
    kubectl("create", "pdb", "made", "--selector=app=made", "--min-available=1")
    kubectl("create", "serviceaccount", "made")
    found = kubectl("get", "deploy/made", "secret/made", "service/made", "pdb/made", "sa/made", "-o", "name")
    assert len(found.split()) == 5
    kubectl("delete", "deploy/made", "secret/made", "service/made", "pdb/made", "sa/made")


@pytest.fixture(scope="module")
def rolled(kubectl: Kubectl) -> str:
    """A deployment of one, `roll`, in its second revision."""
    kubectl("apply", "-f", "-", given=json.dumps(deployment("roll", 1)))
    kubectl("rollout", "status", "deploy/roll", "--timeout=90s", seconds=120)
    kubectl("set", "env", "deploy/roll", "COLOUR=blue")
    kubectl("rollout", "status", "deploy/roll", "--timeout=90s", seconds=120)
    return "deploy/roll"


def environment(kubectl: Kubectl) -> dict[str, str]:
    container = kubectl.get("deploy", "roll")["spec"]["template"]["spec"]["containers"][0]
    return {entry["name"]: entry["value"] for entry in container.get("env", [])}


def revisions(kubectl: Kubectl) -> list[int]:
    lines = kubectl("rollout", "history", "deploy/roll").splitlines()
    return [int(line.split()[0]) for line in lines if line[:1].isdigit()]


@behaviour("kubectl", "rollout history undo and status")
def test_rollout_history_undo_and_status(kubectl: Kubectl, rolled: str) -> None:
    assert environment(kubectl)["COLOUR"] == "blue"
    last = revisions(kubectl)[-1]
    assert "COLOUR:\tblue" in kubectl("rollout", "history", rolled, f"--revision={last}")
    kubectl("rollout", "undo", rolled)
    assert "successfully rolled out" in kubectl("rollout", "status", rolled, "--timeout=90s", seconds=120)
    assert "COLOUR" not in environment(kubectl)
    assert revisions(kubectl)[-1] == last + 1
    told = kubectl("rollout", "undo", rolled, "--to-revision=99", fails=True)
    assert "unable to find specified revision 99 in history" in told


@behaviour("kubectl", "rollout restart")
def test_rollout_restart(kubectl: Kubectl, rolled: str) -> None:
    before = pods(kubectl, "roll")
    kubectl("rollout", "restart", rolled)
    kubectl("rollout", "status", rolled, "--timeout=90s", seconds=120)
    until(lambda: len(pods(kubectl, "roll")) == 1, "the old pod to go")
    assert pods(kubectl, "roll") != before


@behaviour("kubectl", "rollout pause and resume")
def test_rollout_pause_and_resume(kubectl: Kubectl, rolled: str) -> None:
    kubectl("rollout", "pause", rolled)
    before = revisions(kubectl)
    kubectl("set", "env", rolled, "PAUSED=yes")
    assert "paused" in kubectl("rollout", "undo", rolled, fails=True)
    assert revisions(kubectl) == before
    kubectl("rollout", "resume", rolled)
    kubectl("rollout", "status", rolled, "--timeout=90s", seconds=120)
    assert revisions(kubectl)[-1] == before[-1] + 1


@behaviour("kubectl", "scale")
def test_scale(kubectl: Kubectl) -> None:
    kubectl("scale", "deploy/web", "--replicas=3", "--current-replicas=2")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s", seconds=120)
    assert len(pods(kubectl)) == 3
    kubectl("scale", "deploy/web", "--replicas=2")
    until(lambda: len(pods(kubectl)) == 2, "the third pod to go")
    told = kubectl("scale", "deploy/web", "--replicas=5", "--current-replicas=9", fails=True)
    assert "expected replicas to be 9" in told.lower()


@behaviour("kubectl", "set image")
def test_set_image(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=json.dumps(deployment("picture", 0)))
    kubectl("set", "image", "deploy/picture", "c=example.test/app:2")
    assert "example.test/app:2" in kubectl("get", "deploy", "picture", "-o", "wide")
    kubectl("delete", "deploy", "picture")


@behaviour("kubectl", "label and annotate")
def test_label_and_annotate(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "tagged", "--from-literal=a=b")
    kubectl("label", "cm/tagged", "tier=front")
    assert "already has a value" in kubectl("label", "cm/tagged", "tier=back", fails=True)
    kubectl("label", "cm/tagged", "tier=back", "--overwrite")
    kubectl("annotate", "cm/tagged", "note=hello world")
    assert names(kubectl, "cm", "-l", "tier=back") == ["tagged"]
    assert kubectl.get("cm", "tagged")["metadata"]["annotations"]["note"] == "hello world"
    kubectl("label", "cm/tagged", "tier-")
    kubectl("annotate", "cm/tagged", "note-")
    assert not {"labels", "annotations"} & kubectl.get("cm", "tagged")["metadata"].keys()


@behaviour("kubectl", "patches of three types")
def test_patches_of_three_types(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=json.dumps(deployment("patched", 0)))
    kubectl(
        "patch",
        "deploy/patched",
        "-p",
        '{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"A","value":"1"}]}]}}}}',
    )
    container = kubectl.get("deploy", "patched")["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"]) == ("example.test/app:1", [{"name": "A", "value": "1"}])
    kubectl("patch", "deploy/patched", "--type=merge", "-p", '{"metadata":{"labels":{"a":"b"}}}')
    kubectl(
        "patch",
        "deploy/patched",
        "--type=json",
        "-p",
        '[{"op":"add","path":"/spec/minReadySeconds","value":1}]',
    )
    found = kubectl.get("deploy", "patched")
    assert (found["metadata"]["labels"], found["spec"]["minReadySeconds"]) == ({"a": "b"}, 1)
    told = kubectl(
        "patch",
        "deploy/patched",
        "--type=json",
        "-p",
        '[{"op":"test","path":"/spec/paused","value":true}]',
        fails=True,
    )
    assert "the server rejected our request due to an error in our request" in told
    kubectl("delete", "deploy", "patched")


@behaviour("kubectl", "wait")
def test_wait(kubectl: Kubectl) -> None:
    kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=90s")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "deploy/web", "--timeout=90s")
    told = kubectl("wait", "--for=condition=Absent", "deploy/web", "--timeout=1s", fails=True)
    assert "timed out waiting for the condition on deployments/web" in told
    kubectl("run", "short", "--image=maestro.local/x:1")
    kubectl("delete", "pod", "short", "--wait=false", "--grace-period=1")
    kubectl("wait", "--for=delete", "pod/short", "--timeout=90s")


@behaviour("kubectl", "events")
def test_events(kubectl: Kubectl) -> None:
    assert "ScalingReplicaSet" in kubectl("events", "--for", "deploy/web")
    told = kubectl(
        "get", "events", "--field-selector", "reason=ScalingReplicaSet", "--sort-by=.lastTimestamp"
    )
    assert "Scaled up replica set web-" in told


@behaviour("kubectl", "auth")
def test_auth(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "delete", "nodes").startswith("yes")
    assert "pods" in kubectl("auth", "can-i", "--list") or "*" in kubectl("auth", "can-i", "--list")
    assert "admin" in kubectl("auth", "whoami")


@behaviour("kubectl", "api resources")
def test_api_resources(kubectl: Kubectl) -> None:
    told = kubectl("api-resources", "-o", "wide")
    for name in ("deployments", "jobs", "pods", "poddisruptionbudgets", "endpointslices"):
        assert f"\n{name} " in told
    assert "apps/v1" in kubectl("api-versions")
    assert "Server Version: v1.37" in kubectl("version")


@behaviour("kubectl", "cordon and drain")
def test_cordon_and_drain(kubectl: Kubectl) -> None:
    """Last: it moves the pods of a node, but those that have no controller stop it."""
    placed = [
        one for one in kubectl.items("pods", "-l", "app=web") if "deletionTimestamp" not in one["metadata"]
    ]
    node = placed[0]["spec"]["nodeName"]
    kubectl("cordon", node)
    try:
        assert "SchedulingDisabled" in kubectl("get", "node", node)
        told = kubectl("drain", node, "--pod-selector=app=web", "--timeout=90s", seconds=120)
        assert "evicting pod" in told
        kubectl("rollout", "status", "deploy/web", "--timeout=90s", seconds=120)
        left = kubectl.items("pods", "-l", "app=web", "--field-selector", f"spec.nodeName={node}")
        assert left == []
    finally:
        kubectl("uncordon", node)
    assert "SchedulingDisabled" not in kubectl("get", "node", node)
