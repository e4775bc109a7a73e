"""Two embedded platforms as two regions, each a context of one session, with an entrance in the second."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maestro_cli.chaos.regions.sentinels import Sentinel, sentinel_of
from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import NotFound
from maestro_cli.sources.kube import KubeCluster
from tests.e2e.session import Session, eventually

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE, ENTRANCE, SENTINELS = "ml", "entrance", "sentinels"
_READY = "/v2/health/ready"


class Region:
    """One platform, with the context that it writes."""

    def __init__(self, home: Path, name: str) -> None:
        home.mkdir()
        self.name, self.session = name, Session(home)
        up = self.session.run("local", "up", "--region", name)
        assert up.returncode == 0, up.stderr
        file = self.session.state / "local" / "context.json"
        self.context: dict[str, Any] = json.loads(file.read_text("utf-8"))
        self.kubeconfig = Path(self.context["cluster"]["kubeconfig"])
        self.cluster = KubeCluster(ClusterEndpoint(kubeconfig=str(self.kubeconfig)))

    @property
    def address(self) -> str:
        """Of its load balancer, as an EndpointSlice can name it."""
        return str(self.context["serving"]["url"]).replace("127.0.0.1", "10.244.0.1")

    def down(self) -> None:
        self.cluster.close()
        self.session.run("local", "down")
        assert self.session.survivors() == []


class TwoRegions:
    """`east` is the region that is lost, in whose context everything is run; `west` takes over."""

    def __init__(self, east: Region, west: Region) -> None:
        self.east, self.west = east, west
        self._make_entrance()
        self._write_config()

    @property
    def session(self) -> Session:
        return self.east.session

    def leads_to(self) -> str:
        found = self.west.cluster.entrances.get(NAMESPACE, ENTRANCE)
        return found.region

    def sentinel(self) -> Sentinel | None:
        """What is of them in west."""
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{SENTINELS}"
        try:
            return sentinel_of(self.west.cluster.get_object(path)["data"])
        except NotFound:
            return None

    def replicate(self, seconds: float | None) -> None:
        """Have a pod of east copy the sentinels each so many seconds; None: nothing does."""
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/replicator"
        cluster = self.east.cluster
        if any(one.ref.name == "replicator" for one in cluster.list_all_workloads(NAMESPACE)):
            cluster.delete_object(path)
            eventually(lambda: not cluster.list_pods(NAMESPACE, selector="app=replicator"))
        if seconds is None:
            return
        cluster.create_object(path.rpartition("/")[0], self._replicator(seconds))
        eventually(
            lambda: [one.ready for one in cluster.list_pods(NAMESPACE, selector="app=replicator")] == [True]
        )

    def _replicator(self, seconds: float) -> dict[str, Any]:
        script = str(ROOT / "tests" / "e2e" / "replicator.py")
        place = f"{NAMESPACE}/{SENTINELS}"
        configs = [str(self.east.kubeconfig), str(self.west.kubeconfig)]
        command = [sys.executable, script, *configs, place, str(seconds)]
        labels = {"app": "replicator"}
        container = {
            "name": "replicator", "image": "replicator", "command": command,
            "env": [{"name": "PYTHONPATH", "value": str(ROOT)}],
        }  # fmt: skip
        return {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "replicator", "namespace": NAMESPACE},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }  # fmt: skip

    def _make_entrance(self) -> None:
        """In the cluster of west; it leads to east."""
        regions = {
            f"region.maestro.io/{one.name}": f"{one.address}{_READY}" for one in (self.east, self.west)
        }
        port = {"name": "http", "port": 80, "appProtocol": "http"}
        service = {
            "apiVersion": "v1", "kind": "Service", "spec": {"ports": [port]},
            "metadata": {"name": ENTRANCE, "namespace": NAMESPACE, "annotations": regions},
        }  # fmt: skip
        address, _, number = self.east.address.removeprefix("http://").partition(":")
        piece = {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {
                "name": ENTRANCE, "namespace": NAMESPACE,
                "labels": {"kubernetes.io/service-name": ENTRANCE},
            },
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "protocol": "TCP", "port": int(number)}],
        }  # fmt: skip
        cluster = self.west.cluster
        cluster.create_object(f"/api/v1/namespaces/{NAMESPACE}/services", service)
        cluster.create_object(f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices", piece)
        eventually(lambda: bool(self._listens_at()))

    def _listens_at(self) -> str:
        found = self.west.cluster.get_object(f"/api/v1/namespaces/{NAMESPACE}/services/{ENTRANCE}")
        return str(found["metadata"]["annotations"].get("maestro.io/local-endpoint", ""))

    def _write_config(self) -> None:
        """Both contexts, under names of their own: what a platform writes, and who takes over from east."""
        east = json.loads(json.dumps(self.east.context))
        east["experiments"]["failover"] = {
            "to": self.west.name,
            "entrance": f"{NAMESPACE}/{ENTRANCE}",
            "url": f"http://{self._listens_at()}{_READY}",
            "sentinels": f"{NAMESPACE}/{SENTINELS}",
            "service": "fraud",
        }
        contexts = {self.east.name: east, self.west.name: self.west.context}
        folder = self.session.home / "config" / "maestro"
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"current_context": self.east.name, "contexts": contexts}, indent=1)  # JSON is YAML
        (folder / "config.yaml").write_text(text, "utf-8")


@contextmanager
def two_regions(home: Path) -> Iterator[TwoRegions]:
    """Up until they are left; no process of either stays."""
    made: list[Region] = []
    try:
        for name in ("east", "west"):
            made.append(Region(home / name, name))
        yield TwoRegions(*made)
    finally:
        for one in made:
            one.down()
