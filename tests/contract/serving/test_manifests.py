"""deploy/serving on a cluster: applied as it is, answered through its Service, switched without a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.serving.routing.document import read_routing
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import until
from tests.contract.cluster.test_balancer import address_of

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[3]
SERVING = ROOT / "deploy" / "serving"
BASE, CANARY, SHADOW = SERVING / "base", SERVING / "overlays" / "canary", SERVING / "overlays" / "shadow"
NAME = "model-server"


def digest_of(folder: Path) -> str:
    """What /v2 tells once this folder's routing document is in force."""
    path = folder / "routing.yaml"
    return read_routing(path.read_text(), str(path)).digest


def question() -> dict[str, Any]:
    """One applicant of the recorded traffic."""
    traffic = json.loads((ROOT / "deploy" / "models" / "fraud" / "traffic.json").read_text())
    return {"inputs": [one | {"data": traffic["rows"][0][one["name"]]} for one in traffic["inputs"]]}


@pytest.fixture
def key(kubectl: Kubectl, tmp_path: Path) -> str:
    """The key of one who may predict and view; its hash is in keys.yaml, not yet on the cluster."""
    command = [sys.executable, "-m", "maestro_cli", "serve", "keys", "add", str(tmp_path / "keys.yaml")]
    options = ["--id", "shop", "--role", "predictor", "--role", "viewer", "--days", "1"]
    told = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return next(word for word in told.stdout.split() if word.startswith("mk_"))


@pytest.fixture
def applied(kubectl: Kubectl, namespace: str) -> None:
    """The base with all its replicas, applied by who is on call; no pod outside the restricted profile."""
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    kubectl("apply", "-k", str(BASE), identity="oncall")
    least = 2 if kubectl.kind == "kubernetes" else 1  # the autoscaler's least, where it is acted on
    until(lambda: kubectl.get("deploy", NAME)["status"].get("readyReplicas") == least, "the replicas")


class Replicas:
    """The pods, asked one by one at the addresses they listen at."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def pods(self) -> list[dict[str, Any]]:
        return self._kubectl.items("pods", "-l", f"app.kubernetes.io/name={NAME}")

    def identities(self) -> list[tuple[str, int]]:
        """Uid and restarts of each: the same as long as nothing was restarted."""
        return sorted(
            (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
            for pod in self.pods()
        )

    def uids(self) -> set[str]:
        return {pod["metadata"]["uid"] for pod in self.pods()}

    def asked(self, path: str, **headers: str) -> list[httpx.Response]:
        """The answer of each."""
        addresses = [pod["status"]["podIP"].replace("10.", "127.", 1) for pod in self.pods()]
        return [httpx.get(f"http://{one}:8080{path}", headers=headers, trust_env=False) for one in addresses]

    def know(self, key: str) -> bool:
        """Whether each has been told of a key."""
        return {answer.status_code for answer in self.asked("/v2/models", **{"x-api-key": key})} == {200}

    def digests(self) -> set[str]:
        return {answer.json()["routing"] for answer in self.asked("/v2")}


def test_the_base_is_ready_and_answers_who_has_a_key(
    kubectl: Kubectl, tmp_path: Path, key: str, applied: None
) -> None:
    address = address_of(kubectl, NAME)
    with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=30) as shop:
        assert shop.get("/v2").json()["routing"] == digest_of(BASE)

        def ask() -> httpx.Response:
            return shop.post("/v2/models/fraud/infer", json=question(), headers={"x-api-key": key})

        assert ask().status_code == 401, "nobody may call until there is a Secret"
        before = Replicas(kubectl).identities()
        kubectl("create", "secret", "generic", "model-server-keys", f"--from-file={tmp_path}/keys.yaml")
        until(lambda: ask().status_code == 200, "an answer to a key of the Secret")
        assert ask().headers["x-maestro-served"].startswith("fraud@1#")
        assert Replicas(kubectl).identities() == before


def test_an_overlay_is_in_force_without_a_restart(
    kubectl: Kubectl, tmp_path: Path, key: str, applied: None
) -> None:
    kubectl("create", "secret", "generic", "model-server-keys", f"--from-file={tmp_path}/keys.yaml")
    replicas, address = Replicas(kubectl), address_of(kubectl, NAME)
    before = replicas.identities()
    with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=30) as shop:
        shop.headers["x-api-key"] = key

        def versions() -> dict[str, set[str]]:
            """Which versions answered each of 40 users, asked twice."""
            answered: dict[str, set[str]] = {}
            for user in [f"user-{number}" for number in range(40)] * 2:
                answer = shop.post("/v2/models/fraud/infer", json=question(), headers={"x-user-id": user})
                assert answer.status_code == 200, answer.text
                answered.setdefault(user, set()).add(answer.headers["x-maestro-served"].partition("#")[0])
            return answered

        until(lambda: replicas.know(key), "the key to hold everywhere")
        kubectl("apply", "-k", str(CANARY))
        until(lambda: replicas.digests() == {digest_of(CANARY)}, "the canary's document in force")
        answered = versions()
        assert all(len(by) == 1 for by in answered.values()), "a user stays with an arm"
        assert set.union(*answered.values()) == {"fraud@1", "fraud@2"}

        kubectl("apply", "-k", str(SHADOW))
        until(lambda: replicas.digests() == {digest_of(SHADOW)}, "the shadow's document in force")
        assert set.union(*versions().values()) == {"fraud@1"}
        until(lambda: '"rows":0' not in shop.get("/v2/shadows").text.replace(" ", ""), "rows compared")

        kubectl("apply", "-k", str(BASE))
        until(lambda: replicas.digests() == {digest_of(BASE)}, "the base's document in force")
    assert replicas.identities() == before


def test_no_request_is_lost_while_the_pods_are_replaced(
    kubectl: Kubectl, tmp_path: Path, key: str, applied: None
) -> None:
    kubectl("create", "secret", "generic", "model-server-keys", f"--from-file={tmp_path}/keys.yaml")
    replicas, address = Replicas(kubectl), address_of(kubectl, NAME)
    until(lambda: replicas.know(key), "the key to hold everywhere")
    before = replicas.uids()
    statuses: set[int] = set()

    def replaced() -> bool:
        """Asks on a connection of its own, then looks."""
        url = f"http://{address}/v2/models/fraud/infer"
        answer = httpx.post(url, json=question(), headers={"x-api-key": key}, trust_env=False, timeout=30)
        statuses.add(answer.status_code)
        return not before & replicas.uids()

    kubectl("rollout", "restart", f"deploy/{NAME}")
    until(replaced, "other pods")
    assert statuses == {200}


def test_what_was_applied_differs_in_nothing(kubectl: Kubectl, applied: None) -> None:
    assert kubectl("diff", "-k", str(BASE)) == ""
    assert "-        to: {model: fraud, version: 1}" in kubectl("diff", "-k", str(CANARY), fails=True)


def test_an_empty_list_of_rules_is_none_alike(kubectl: Kubectl) -> None:
    made = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}}
    spec: dict[str, Any] = {"podSelector": {}, "ingress": [], "egress": []}
    kubectl("create", "-f", "-", given=json.dumps(made | {"spec": spec}))
    assert kubectl.get("netpol", "x")["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


def test_what_is_only_kept_is_kept_alike(kubectl: Kubectl, applied: None) -> None:
    autoscaler = kubectl.get("hpa", NAME)["spec"]
    target = {"type": "Utilization", "averageUtilization": 70}
    assert autoscaler == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    policy = kubectl.get("netpol", NAME)["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": "http"}]
    assert kubectl.get("servicemonitors", NAME)["spec"]["endpoints"][0]["port"] == "http"
    shown = kubectl("get", "hpa,netpol,servicemonitors")
    for words in (
        f"Deployment/{NAME}",
        "cpu: <unknown>/70%",
        "POD-SELECTOR",
        f"app.kubernetes.io/name={NAME}",
    ):
        assert words in shown


def test_a_mistake_in_what_is_only_kept_is_refused_alike(kubectl: Kubectl) -> None:
    def like(kind: str, **spec: Any) -> dict[str, Any]:
        version = {"HorizontalPodAutoscaler": "autoscaling/v2", "NetworkPolicy": "networking.k8s.io/v1"}
        api = version.get(kind, "monitoring.coreos.com/v1")
        return {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec}

    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    hpa = like("HorizontalPodAutoscaler", scaleTargetRef=target, minReplicas=3, maxReplicas=2)
    assert "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`" in (
        kubectl.refused(hpa)
    )
    misspelt = like("NetworkPolicy", podSelector={}, policyTypez=["Ingress"])
    assert 'unknown field "spec.policyTypez"' in kubectl.refused(misspelt)
    wrong = like("NetworkPolicy", podSelector={}, policyTypes=["Sideways"])
    assert 'spec.policyTypes[0]: Unsupported value: "Sideways"' in kubectl.refused(wrong)
    assert "spec.selector: Required value" in kubectl.refused(like("ServiceMonitor", endpoints=[]))


def test_an_autoscaler_is_filled_in_alike(kubectl: Kubectl) -> None:
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"},
        "maxReplicas": 3,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    }
    made = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"}}
    kubectl("create", "-f", "-", given=json.dumps(made | {"spec": spec}))
    double = {"type": "Percent", "value": 100, "periodSeconds": 15}
    four = {"type": "Pods", "value": 4, "periodSeconds": 15}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    assert kubectl.get("hpa", "x")["spec"] == spec | {
        "minReplicas": 1,
        "metrics": [{"type": "Resource", "resource": cpu}],
        "behavior": {
            "scaleDown": {"stabilizationWindowSeconds": 60, "selectPolicy": "Max", "policies": [double]},
            "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [four, double]},
        },
    }
    kubectl("create", "deployment", "web", "--image=x:1")
    kubectl("autoscale", "deployment", "web", "--min=1", "--max=4", "--cpu=50%")
    assert "cpu: <unknown>/50%" in kubectl("get", "hpa", "web")
