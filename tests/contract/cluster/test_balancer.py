"""The load balancer that follows EndpointSlices."""

from __future__ import annotations

import http.client
import threading
from collections import Counter

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment, service
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract

ANNOTATION = "maestro.io/local-endpoint"


def address_of(kubectl: Kubectl, name: str) -> str:
    def annotated() -> str | None:
        found: str | None = kubectl.get("svc", name)["metadata"].get("annotations", {}).get(ANNOTATION)
        return found

    return str(until(annotated, "the balancer's annotation"))


class Client:
    """A keep-alive client that asks until stopped and counts who answered."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()
        self.errors: list[str] = []
        self.reconnects = 0
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(120)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        while not self._over.wait(0.03):
            for attempt in (1, 2):
                try:
                    connection.request("GET", "/")
                    answer = connection.getresponse()
                    self.answers[answer.read().decode()] += 1
                    if answer.status != 200:
                        self.errors.append(str(answer.status))
                    break
                except (http.client.HTTPException, OSError) as problem:
                    # a closed idle connection is normal for keep-alive; a fresh one must work
                    connection.close()
                    self.reconnects += 1
                    if attempt == 2:
                        self.errors.append(repr(problem))
        connection.close()


@behaviour("load balancer", "traffic survives a rollout and moves to the new pods")
def test_traffic_survives_a_rollout_and_moves_to_the_new_pods(kubectl: Kubectl) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    kubectl.apply(service("web", appProtocol="http"), deployment("web", 2, strategy=strategy))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    address = address_of(kubectl, "web")
    with Client(address) as one, Client(address) as two, Client(address) as three:
        until(lambda: one.answers and two.answers and three.answers, "answers")
        kubectl("set", "env", "deploy/web", "A=1")
        kubectl("rollout", "status", "deploy/web", "--timeout=90s")
        new = {pod["metadata"]["name"] for pod in kubectl.items("pods", "-l", "app=web")
               if "deletionTimestamp" not in pod["metadata"]}  # fmt: skip
        clients = (one, two, three)

        def moved() -> bool:
            for client in clients:
                client.answers.clear()
            until(lambda: all(sum(client.answers.values()) > 5 for client in clients), "answers after it")
            return all(set(client.answers) <= new for client in clients)

        until(moved, "answers of the new pods alone")
    assert [client.errors for client in clients] == [[], [], []]


@behaviour("load balancer", "connections spread when a pod is added")
def test_connections_spread_when_a_pod_is_added(kubectl: Kubectl) -> None:
    kubectl.apply(service("web"), deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    address = address_of(kubectl, "web")
    clients = [Client(address) for _ in range(4)]
    for client in clients:
        client.__enter__()
    try:
        until(lambda: all(client.answers for client in clients), "answers")
        kubectl("scale", "deploy/web", "--replicas=2")
        kubectl("rollout", "status", "deploy/web", "--timeout=90s")

        def spread() -> bool:
            for client in clients:
                client.answers.clear()
            until(lambda: all(client.answers for client in clients), "answers")
            served = Counter(next(iter(client.answers)) for client in clients)
            return sorted(served.values()) == [2, 2]

        until(spread, "two connections to each pod")
    finally:
        for client in clients:
            client.__exit__()
    assert [client.errors for client in clients] == [[], [], [], []]
