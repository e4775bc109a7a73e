"""deploy/serving is what Kubernetes takes, what it says of itself, and what the process kubelets run."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.local import images
from maestro_cli.local.kubernetes.extensions import service_monitor_schema
from maestro_cli.serving.access.keys import read_keys
from maestro_cli.serving.assembly import POD_VARIABLE
from maestro_cli.serving.options import parse
from maestro_cli.serving.routing.document import Routing, models_of, read_routing

ROOT = Path(__file__).resolve().parents[2]
SERVING = ROOT / "deploy" / "serving"
FOLDERS = ("base", "overlays/canary", "overlays/shadow")
KINDS = (
    "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service",
    "ServiceAccount", "ServiceMonitor",
)  # fmt: skip
MINORS = tuple(kubernetes_validate.utils.all_versions()[-3:])
SPAN_SECONDS = 3.0  # docs/serving.md: what is left at the end of a drain is sent for 3 seconds at most
Thing = dict[str, Any]


def kustomize(folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("kubectl")), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def _rendered(folder: str) -> str:
    return kustomize(SERVING / folder)


def rendered(folder: str) -> list[Thing]:
    """The objects that `kubectl apply -k` sends."""
    return [document.data for document in parse_yaml_all(_rendered(folder), folder)]


def the(kind: str, folder: str = "base", name: str = "model-server") -> Thing:
    """The one object of a kind whose name begins so."""
    (found,) = [
        thing
        for thing in rendered(folder)
        if thing["kind"] == kind and thing["metadata"]["name"].startswith(name)
    ]
    return found


def closed(schema: Any) -> Any:
    """The same schema, in which an object has the fields that are named and no others."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(value) for name, value in schema.items()}
    if made.get("properties") and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


def check(thing: Thing, minor: str) -> None:
    """Raises when Kubernetes of that minor would refuse it; the extension is held against its definition."""
    if thing["kind"] == "ServiceMonitor":
        schema = closed(service_monitor_schema())
        schema["properties"]["metadata"] = {"type": "object"}
        jsonschema.validate(thing, schema)
    else:
        kubernetes_validate.validate(thing, minor, strict=True)


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_one_of_kubernetes(folder: str, minor: str) -> None:
    things = rendered(folder)
    assert {thing["kind"] for thing in things} == set(KINDS)
    for thing in things:
        check(thing, minor)


@pytest.mark.parametrize("kind", KINDS)
def test_a_misspelt_field_of_any_kind_is_noticed(kind: str) -> None:
    thing = next(thing for thing in rendered("base") if thing["kind"] == kind)
    thing.get("spec", thing)["misspelt"] = 1
    for minor in MINORS:
        with pytest.raises(Exception, match="'misspelt' was unexpected"):
            check(thing, minor)


@pytest.mark.parametrize("folder", FOLDERS[1:])
def test_an_overlay_changes_the_routing_document_alone(folder: str) -> None:
    def without_routing(name: str) -> list[Thing]:
        return [one for one in rendered(name) if one["metadata"]["name"] != "model-server-routing"]

    assert without_routing(folder) == without_routing("base")
    assert the("ConfigMap", folder, "model-server-routing") != the(
        "ConfigMap", "base", "model-server-routing"
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_routing_document_asks_for_versions_that_are_loaded(folder: str) -> None:
    loaded = {
        tuple(one.split("=")) for one in the("ConfigMap", folder, "model-server-models")["data"].values()
    }
    routing = _routing(folder)
    asked = {(name, str(version)) for name, version in models_of(routing)}
    assert asked <= loaded
    assert {name for name, _ in loaded} == set(routing.routes)


def _routing(folder: str) -> Routing:
    text = the("ConfigMap", folder, "model-server-routing")["data"]["routing.yaml"]
    return read_routing(text, f"{folder}/routing.yaml")


def test_each_overlay_does_what_it_is_called() -> None:
    (canary,) = _routing("overlays/canary").routes.values()
    assert canary.to.split is not None
    assert canary.to.split.key == "header:x-user-id", "users stay with their arm"
    assert canary.shadow is None
    (shadow,) = _routing("overlays/shadow").routes.values()
    assert shadow.shadow is not None
    assert (shadow.shadow.model, shadow.shadow.version) == ("fraud", 2)


def test_the_overlay_that_the_page_shows_is_rendered(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (SERVING / "README.md").read_text(), re.DOTALL)
    shown = "../maestro/deploy/serving/base"
    assert shown in example
    written = example.replace(shown, os.path.relpath(SERVING / "base", tmp_path))
    (tmp_path / "kustomization.yaml").write_text(written)
    shutil.copy(SERVING / "overlays" / "canary" / "routing.yaml", tmp_path)
    things = {
        document.data["kind"]: document.data for document in parse_yaml_all(kustomize(tmp_path), "overlay")
    }
    assert set(things) == set(KINDS) - {"ServiceMonitor"}
    assert {thing["metadata"]["namespace"] for thing in things.values()} == {"ml"}
    assert things["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == 20
    (container,) = things["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/model-server:1"


def test_nobody_may_call_until_there_is_a_secret() -> None:
    text = the("ConfigMap", name="model-server-no-keys")["data"]["keys.yaml"]
    assert read_keys(text, "keys.yaml").keys == ()
    sources = _volumes()["keys"]["projected"]["sources"]
    assert [next(iter(source)) for source in sources] == ["configMap", "secret"], "the later one wins"
    assert sources[1]["secret"] == {"name": "model-server-keys", "optional": True}


def _pod() -> Thing:
    return dict(the("Deployment")["spec"]["template"]["spec"])


def _container() -> Thing:
    (container,) = _pod()["containers"]
    return dict(container)


def _volumes() -> dict[str, Thing]:
    return {volume["name"]: volume for volume in _pod()["volumes"]}


def _arguments() -> list[str]:
    """The server's command line in a pod, but for files of the cluster."""
    known = the("ConfigMap", name="model-server-models")["data"] | {"POD_IP": "10.0.0.7"}
    given = [
        re.sub(r"\$\((\w+)\)", lambda match: str(known[match[1]]), word) for word in _container()["args"]
    ]
    mounts = [mount["mountPath"] for mount in _container()["volumeMounts"]]
    files = [word.partition("=")[2] for word in given if word.partition("=")[2].startswith("/")]
    assert all(any(file.startswith(f"{mount}/") for mount in mounts) for file in files), "from a volume"
    return [word for word in given if "/" not in word]


def test_the_pod_is_given_longer_to_end_than_the_server_takes() -> None:
    options = parse(["--models", str(ROOT / "deploy" / "models"), "--open", *_arguments()])
    assert options.serve == (("fraud", 1), ("fraud", 2))
    needed = options.drain_seconds + options.grace_seconds + SPAN_SECONDS
    assert _pod()["terminationGracePeriodSeconds"] >= needed + 2
    readiness = _container()["readinessProbe"]
    noticed = readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert options.drain_seconds > noticed, "who follows readiness alone stops sending before the drain ends"


def faults(pod: Thing) -> list[str]:
    """Where a pod leaves the restricted profile, or what this one promises beyond it."""
    own = pod.get("securityContext", {})
    kinds = {next(key for key in volume if key != "name") for volume in pod.get("volumes", [])}
    held = {
        "a token": pod.get("automountServiceAccountToken") is False,
        "root": own.get("runAsNonRoot") is True and own.get("runAsUser", 0) > 0,
        "seccomp": own.get("seccompProfile") == {"type": "RuntimeDefault"},
        "volumes": kinds <= {"configMap", "secret", "projected", "emptyDir"},
    }
    for context in (container.get("securityContext", {}) for container in pod["containers"]):
        held |= {
            "escalation": context.get("allowPrivilegeEscalation") is False,
            "writable root": context.get("readOnlyRootFilesystem") is True,
            "capabilities": context.get("capabilities") == {"drop": ["ALL"]},
        }
    return [name for name, holds in held.items() if not holds]


def test_the_pod_keeps_the_restricted_profile() -> None:
    assert faults(_pod()) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("automountServiceAccountToken",), True, "a token"),
        (("securityContext", "runAsUser"), 0, "root"),
        (("securityContext", "seccompProfile"), {"type": "Unconfined"}, "seccomp"),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True, "escalation"),
        (("containers", 0, "securityContext", "readOnlyRootFilesystem"), False, "writable root"),
        (("containers", 0, "securityContext", "capabilities"), {"add": ["NET_ADMIN"]}, "capabilities"),
        (("volumes", 0), {"name": "routing", "hostPath": {"path": "/"}}, "volumes"),
    ],
)
def test_what_leaves_the_restricted_profile_is_noticed(path: tuple[Any, ...], value: Any, fault: str) -> None:
    pod = copy.deepcopy(_pod())
    place: Any = pod
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert faults(pod) == [fault]


def test_everything_selects_the_pods_and_nothing_else() -> None:
    labels = the("Deployment")["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        the("Deployment")["spec"]["selector"]["matchLabels"],
        the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        the("Service")["spec"]["selector"],
        *(one["labelSelector"]["matchLabels"] for one in _pod()["topologySpreadConstraints"]),
    ]
    assert all(selector and selector.items() <= labels for selector in selectors)
    monitored = the("ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    assert monitored <= the("Service")["metadata"]["labels"].items()
    target = the("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model-server"}
    assert "replicas" not in the("Deployment")["spec"], "they are the autoscaler's"


def _containerfile() -> str:
    return (SERVING / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def test_the_containerfile_copies_what_is_there_and_pins_its_base() -> None:
    text = _containerfile()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert {"pyproject.toml", "maestro_cli", "deploy/models"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []
    (base,) = re.findall(r"^ARG PYTHON=(\S+)$", text, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+", base), "a tag of one release"
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert stages == ["${PYTHON}", "${PYTHON}"]
    (user,) = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    assert int(user) == _pod()["securityContext"]["runAsUser"]


def test_the_wheel_of_the_image_has_what_the_build_copies() -> None:
    """The folders that the wheel is told to take in must be there when it is built."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("force-include]")[2].partition("\n[")[0]
    wanted = set(re.findall(r"^(\w+) =", section, re.MULTILINE)) | {"maestro_cli", "README.md"}
    assert wanted <= set(re.findall(r"[\w./]+", " ".join(re.findall(r"^COPY (.+)$", _containerfile(), re.M))))


def test_the_process_kubelet_runs_what_the_image_runs() -> None:
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", _containerfile(), re.MULTILINE)
    words = json.loads(entry)
    image = images.resolve(_container()["image"], has_command=False)
    assert image.entrypoint[1:-1] == tuple(word for word in words[1:-1] if word not in ("-I", "-B"))
    assert Path(image.entrypoint[-1]) == ROOT / "deploy" / "models"
    assert words[-1] == "/models"


def test_every_server_is_told_the_pod_it_runs_in() -> None:
    """A change calls only replicas whose pods are those of its target."""
    local = parse_yaml_all((ROOT / "deploy" / "local" / "20-fraud.yaml").read_text(), "20-fraud.yaml")
    made = [document.data for document in local if document.data["kind"] == "Deployment"]
    told = {"name": POD_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    for deployment in (*made, *(the("Deployment", folder) for folder in FOLDERS)):
        (server,) = deployment["spec"]["template"]["spec"]["containers"]
        assert told in server["env"], deployment["metadata"]["name"]
