"""A light cluster with its controllers and two nodes; each test gets a namespace of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.local.control_plane import start_control_plane
from tests.contract.local.running import CONTROLLERS, Kubectl, Platform


@pytest.fixture(scope="session", params=["lite", pytest.param("kubernetes", marks=pytest.mark.kubernetes)])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Cluster, controllers, nodes a and b, balancer and metrics."""
    made = Platform(tmp_path_factory.mktemp("platform") / "state", request.param)
    try:
        if made.kind == "lite":
            made.start("cluster", "cluster")
            made.start("controllers", "controllers", *CONTROLLERS)
        else:
            start_control_plane(made)
        made.start_node("a")
        made.start_node("b")
        made.start("balancer", "balancer")
        made.start("metrics", "metrics")
        yield made
        for name in made.processes:
            assert "Traceback" not in made.log(name), made.log(name)
    finally:
        made.stop()
    assert made.survivors() == []


@pytest.fixture
def kubectl(platform: Platform, tmp_path: Path) -> Iterator[Kubectl]:
    namespace = f"t-{uuid.uuid4().hex[:8]}"
    run = Kubectl(platform.state, tmp_path, namespace)
    run("create", "namespace", namespace)
    yield run
    run("delete", "pod", "--all", "--grace-period=1", "--wait=false")
    run("delete", "namespace", namespace, "--wait=false")
