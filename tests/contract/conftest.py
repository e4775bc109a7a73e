"""One platform of each cluster for the whole suite; each test gets a namespace of its own on it."""

from __future__ import annotations

import json
import os
import ssl
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import FAILS, PASS, RECORD, REFUSAL, REFUSES
from tests.contract.cluster.control_plane import start_control_plane
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import idle_deployment, idle_pod
from tests.contract.cluster.running import CONTROLLERS, HISTORY, Platform
from tests.contract.cluster.wire import Connect, settled
from tests.kubernetes_binary import binary_of

RESULTS = "CONTRACT_RESULTS"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "behaviour(area, rule, lite): what this test proves of a cluster")


@pytest.fixture(scope="session", params=["lite", pytest.param("kubernetes", marks=pytest.mark.kubernetes)])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """API server, controllers, nodes a and b, balancer and metrics."""
    made = Platform(tmp_path_factory.mktemp("platform") / "state", request.param)
    try:
        if made.kind == "lite":
            made.start("cluster", "cluster", "--history", str(HISTORY))
            made.start("controllers", "controllers", *CONTROLLERS)
        else:
            start_control_plane(made, binary_of(request.config))
        made.start_node("a")
        made.start_node("b")
        made.start("balancer", "balancer")
        made.start("metrics", "metrics")
        yield made
        for name in made.processes:
            assert "Traceback" not in made.log(name), made.log(name)
            assert "panic:" not in made.log(name), made.log(name)
    finally:
        made.stop()
    assert made.survivors() == []


@pytest.fixture(scope="session")
def cluster(platform: Platform) -> Path:
    """The state folder, with a kubeconfig for each identity."""
    return platform.state


@pytest.fixture(scope="session")
def connect(cluster: Path) -> Iterator[Connect]:
    """HTTP clients with the identity's token."""
    opened: list[httpx.Client] = []

    def client(identity: str) -> httpx.Client:
        config = json.loads((cluster / f"{identity}.kubeconfig").read_text())
        context = ssl.create_default_context(cafile=str(cluster / "pki" / "ca.crt"))
        opened.append(
            httpx.Client(
                base_url=config["clusters"][0]["cluster"]["server"],
                verify=context,
                headers={"Authorization": f"Bearer {config['users'][0]['user']['token']}"},
                timeout=30,
                trust_env=False,
            )
        )
        return opened[-1]

    yield client
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def http(connect: Connect) -> httpx.Client:
    """The administrator's client."""
    return connect("admin")


@pytest.fixture
def namespace(http: httpx.Client) -> Iterator[str]:
    name = f"t-{uuid.uuid4().hex[:8]}"
    made = http.post("/api/v1/namespaces", json={"metadata": {"name": name}})
    assert made.status_code == 201, made.text
    yield name
    http.delete(f"/api/v1/namespaces/{name}/pods", params={"gracePeriodSeconds": "1"})
    http.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def kubectl(platform: Platform, tmp_path: Path, namespace: str) -> Kubectl:
    """Stock kubectl in the test's namespace."""
    return Kubectl(platform.state, tmp_path, namespace, kind=platform.kind)


@pytest.fixture
def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


@pytest.fixture
def configs(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A Deployment `web` of three whose pods nobody schedules."""
    return idle_deployment()


@pytest.fixture
def pod() -> Callable[..., dict[str, Any]]:
    """Makes pods that nobody schedules: `pod(name, label="value")`."""
    return idle_pod


@pytest.fixture
def web(http: httpx.Client, namespace: str) -> str:
    """The path of an idle Deployment `web` of three that its controllers have done with."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert http.post(path, json=idle_deployment()).status_code == 201

    settled(http, f"{path}/web")
    return f"{path}/web"


def _cluster_of(item: pytest.Item) -> str:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return str(parameters.get("platform", "lite"))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Where the light cluster must refuse, a test passes when it does, naming the cluster that would not."""
    declared = pyfuncitem.get_closest_marker("behaviour")
    if declared is None or declared.kwargs["lite"] != REFUSES or _cluster_of(pyfuncitem) != "lite":
        return (yield)
    try:
        yield
    except Exception as refused:
        if REFUSAL in str(refused):
            return True
        raise
    raise AssertionError("the light cluster does what its behaviour says it refuses")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the outcome of each declared behaviour."""
    report = yield
    declared = item.get_closest_marker("behaviour")
    if declared is not None and (report.failed or (report.when == "call" and report.passed)):
        cluster = _cluster_of(item)
        good = str(declared.kwargs["lite"]) if cluster == "lite" else PASS
        RECORD.behaved(
            declared.kwargs["area"], declared.kwargs["rule"], cluster, FAILS if report.failed else good
        )
    return report


def pytest_sessionfinish() -> None:
    if os.environ.get(RESULTS):
        RECORD.write(Path(os.environ[RESULTS]))
