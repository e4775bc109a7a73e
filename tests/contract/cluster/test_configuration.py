"""What a pod is given: environment, config maps, secrets."""

from __future__ import annotations

import json

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import config_map, container_status, phase, pod, secret
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract

TELL = "import json,os,sys;print(json.dumps(dict(os.environ)|{'argv':sys.argv[1:]}),flush=True)"


@behaviour(
    "configuration", "environment and arguments come from literals, config maps, secrets, fields and limits"
)
def test_environment_and_arguments(kubectl: Kubectl) -> None:
    env = [
        {"name": "PLAIN", "value": "p"},
        {"name": "COMBINED", "value": "$(PLAIN)-$(FROM_MAP)-$(NOBODY)-$$(PLAIN)"},
        {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
        {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}},
        {"name": "MISSING", "valueFrom": {"configMapKeyRef": {"name": "nope", "key": "x", "optional": True}}},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
    ]
    fields = {
        "env": [env[0], env[2], *env[1:2], *env[3:]],
        "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "ALL_"}],
        "args": ["--name=$(ME)", "$(PLAIN)"],
        "resources": {"limits": {"memory": "64Mi"}},
    }
    kubectl.apply(config_map("settings", color="blue"), secret("hidden", word="s3cret"))
    kubectl.apply(pod("teller", TELL, container_fields=fields, restartPolicy="Never"))
    until(lambda: phase(kubectl, "teller") == "Succeeded", "the end")
    told = json.loads(kubectl("logs", "teller"))
    assert told["argv"] == ["--name=teller", "p"]
    assert (told["ALL_color"], told["FROM_MAP"], told["FROM_SECRET"]) == ("blue", "blue", "s3cret")
    assert told["COMBINED"] == "p-blue-$(NOBODY)-$(PLAIN)"
    assert (told["ME"], told["LABEL"], told["LIMIT"]) == ("teller", "teller", str(64 * 2**20))
    assert "MISSING" not in told
    assert told["POD_IP"].startswith("127.244.")
    assert kubectl.get("pod", "teller")["status"]["podIP"] == told["POD_IP"].replace("127", "10", 1)
    assert not {"KUBECONFIG", "PYTEST_CURRENT_TEST", "XDG_STATE_HOME"} & set(told), "nothing leaks in"


@behaviour("configuration", "a config map's volume waits for it and follows it")
def test_a_config_map_volume_follows_its_config_map(kubectl: Kubectl) -> None:
    script = (
        "import sys,time\nlast=None\n"
        "while True:\n"
        "    now=open(sys.argv[1]).read()\n"
        "    if now!=last: print(now,flush=True); last=now\n"
        "    time.sleep(0.05)\n"
    )
    mounts = [{"name": "settings", "mountPath": "/etc/settings"}]
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}]
    fields = {"args": ["/etc/settings/color"], "volumeMounts": mounts}
    kubectl.apply(pod("reader", script, container_fields=fields, volumes=volumes))
    kubectl.hear("FailedMount", 'configmap "settings" not found')
    assert phase(kubectl, "reader") == "Pending"
    kubectl.apply(config_map("settings", color="blue"))
    until(lambda: phase(kubectl, "reader") == "Running", "the pod to run once it is there")
    until(lambda: kubectl("logs", "reader").split() == ["blue"], "the first value")
    kubectl.apply(config_map("settings", color="green"))
    until(lambda: kubectl("logs", "reader").split() == ["blue", "green"], "the new value")


@behaviour("configuration", "a secret that the environment needs is waited for")
def test_a_secret_the_environment_needs_is_waited_for(kubectl: Kubectl) -> None:
    env = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}}]
    kubectl.apply(pod("needy", TELL, container_fields={"env": env}, restartPolicy="Never"))
    until(
        lambda: (
            container_status(kubectl, "needy").get("state", {}).get("waiting", {}).get("reason")
            == "CreateContainerConfigError"
        ),
        "the reason",
    )
    kubectl.apply(secret("hidden", word="x"))
    until(lambda: phase(kubectl, "needy") == "Succeeded", "the pod to run")
