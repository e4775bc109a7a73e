"""With the time-outs people get: a backend that says nothing costs less than five seconds."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import ClusterEndpoint, Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.sources.alertmanager import Alertmanager
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.prometheus import Prometheus
from maestro_cli.sources.serving import InferenceServer
from tests.patience import least_seconds

pytestmark = pytest.mark.contract


@pytest.fixture
def blackhole() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def kubeconfig(path: Path, server: str) -> ClusterEndpoint:
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return ClusterEndpoint(str(path))


def test_every_source_gives_up_in_time(blackhole: int, tmp_path: Path) -> None:
    plain, tls = f"http://127.0.0.1:{blackhole}", f"https://127.0.0.1:{blackhole}"
    sources: list[tuple[Any, Callable[[Any], object]]] = [
        (Prometheus(Endpoint(plain)), lambda source: source.query("up")),
        (Prometheus(Endpoint(tls)), lambda source: source.alerts()),
        (Alertmanager(Endpoint(plain)), lambda source: source.alerts()),
        (Alertmanager(Endpoint(tls)), lambda source: source.alerts()),
        (InferenceServer(Endpoint(plain)), lambda source: source.index()),
        (KubeCluster(kubeconfig(tmp_path / "a", plain)), lambda source: source.list_pods(None)),
        (KubeCluster(kubeconfig(tmp_path / "b", tls)), lambda source: source.version()),
    ]

    def measure(item: tuple[Any, Callable[[Any], object]]) -> float:
        source, ask = item

        def give_up() -> None:
            with pytest.raises(Unreachable, match=f"127.0.0.1:{blackhole}"):
                ask(source)

        return least_seconds(give_up, 5)

    with ThreadPoolExecutor(len(sources)) as pool:
        waited = list(pool.map(measure, sources))
    for source, _ in sources:
        source.close()
    assert max(waited) < 5, waited
