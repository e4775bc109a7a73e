"""What a pod asks of a node."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.local.controllers.scheduler import misfit, requested

NODE: dict[str, Any] = {
    "metadata": {"name": "node-a"},
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "allocatable": {"cpu": "2", "memory": "1Gi", "pods": "10"},
    },
}


def container(restart: str = "", **requests: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": "c", "resources": {"requests": requests}}
    return made | ({"restartPolicy": restart} if restart else {})


def pod(*containers: dict[str, Any], inits: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), "initContainers": list(inits)}}


@pytest.mark.parametrize(
    ("inits", "expected"),
    [
        ((), 3),
        ((container(cpu="2"),), 3),
        ((container(cpu="5"), container(cpu="4")), 5),
        ((container("Always", cpu="1"),), 4),
        ((container("Always", cpu="2"), container(cpu="4")), 6),
        ((container(cpu="4"), container("Always", cpu="2")), 5),
    ],
)
def test_an_init_container_counts_when_it_asks_for_more_and_a_sidecar_always(
    inits: tuple[dict[str, Any], ...], expected: float
) -> None:
    assert requested(pod(container(cpu="1"), container(cpu="2"), inits=inits), "cpu") == expected


def test_no_pod_goes_to_a_node_without_what_it_asks_for() -> None:
    gpu = {"nvidia.com/gpu": "1"}
    assert misfit(pod(container(**gpu)), NODE, []) == "Insufficient nvidia.com/gpu"
    assert misfit(pod(container(), inits=(container(cpu="3"),)), NODE, []) == "Insufficient cpu"
    assert misfit(pod(container(cpu="2")), NODE, []) == ""
    assert misfit(pod(container(cpu="1")), NODE, [pod(container(cpu="2"))]) == "Insufficient cpu"
