"""A kubelet that says nothing costs the page its own series, and no time but once."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from maestro_cli.local.metrics import nodes
from maestro_cli.local.metrics.nodes import NodeMetrics

NODES = [{"metadata": {"name": name}} for name in ("node-a", "node-b")]


class Silent(NodeMetrics):
    """Node-a answers when it may, node-b at once."""

    def __init__(self) -> None:
        super().__init__(ssl.create_default_context())
        self.may = threading.Event()
        self.asked: list[str] = []

    def _fetch(self, node: Any) -> str:
        name = node["metadata"]["name"]
        self.asked.append(name)
        if name == "node-a":
            self.may.wait(60)
        return "# TYPE machine_cpu_cores gauge\nmachine_cpu_cores 2\n"


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    made = Silent()
    yield made
    made.may.set()
    made.close()


def test_the_page_has_the_nodes_that_answer(metrics: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_WAIT_SECONDS", 0.2)
    page = metrics.text(NODES)
    assert 'machine_cpu_cores{node="node-b"} 2' in page
    assert "node-a" not in page


def test_a_silent_node_is_not_asked_again_before_it_answered(
    metrics: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "_WAIT_SECONDS", 0.2)
    for _ in range(3):
        metrics.text(NODES)
    assert metrics.asked.count("node-a") == 1
    assert metrics.asked.count("node-b") == 3
    monkeypatch.setattr(nodes, "_WAIT_SECONDS", 60.0)
    metrics.may.set()
    page, _ = metrics._asked["node-a"]
    page.result(timeout=60)
    assert 'machine_cpu_cores{node="node-a"} 2' in metrics.text(NODES)
