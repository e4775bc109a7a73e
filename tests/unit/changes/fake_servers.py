"""The FAKE model servers of the fake cluster: three replicas that follow its ConfigMap, in its state.

A call reaches the replica that it names, and each tells a pod of the fake cluster as its own. What a real
server tells of a document (its digest, what is wrong with it) is made up; what a load or an unload leaves
is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.changes.routing_document import named_versions, read_document
from maestro_cli.core.canonical import canonical_json, digest
from maestro_cli.core.errors import NotFound, StalePlan, UsageError
from maestro_cli.core.facts.inference import Move, RoutingInForce, RoutingPreview, ServedReplica
from tests.unit.changes import fake_pods
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.fake_configs import IDS, ROUTING

CONFIG = "ml/fraud-routing"


class FakeServers:
    """Implements ServingPort over the state of a FakeCluster; `alone`: one server with an admin API."""

    def __init__(self, cluster: FakeCluster, *, alone: bool = False) -> None:
        self._cluster = cluster
        self._alone = alone

    def routing(self) -> RoutingInForce:
        with self._cluster.state() as state:
            text, change = self._text(state)
        document = read_document(text, "the fake")
        return RoutingInForce(digest(document), canonical_json(document), change)

    def preview_routing(self, document: str) -> RoutingPreview:
        read = read_document(document, "the fake")
        if any(version > 9 for _, version in named_versions(read)):
            raise UsageError("the routing is refused: it is not served here")
        moves = (Move("fraud", "fraud@1", "fraud@2", 100), Move("fraud", "fraud@1", "fraud@1", 900))
        return RoutingPreview(digest(read), 1000, 100, moves)

    def put_routing(
        self, document: str, *, replaces: str, change: str, dry_run: bool = False
    ) -> RoutingInForce:
        def land(state: dict[str, Any]) -> None:
            if digest(read_document(self._text(state)[0], "the fake")) != replaces:
                raise StalePlan("another routing is in force")
            state["servers"]["routing"] = [document, change]

        self._cluster.send(land, change, dry_run, "")  # the fake's own wire
        return self.routing()

    def replicas(self, count: int) -> Mapping[str, ServedReplica]:
        held = self.routing().digest
        with self._cluster.state() as state:
            there = IDS[:1] if self._alone else IDS[:count]
            stuck = state["servers"].get("stuck", [])
            own = [pod.uid for pod in fake_pods.pods(state) if pod.ready]
            pods = dict(zip(IDS, state["servers"].get("pods", own), strict=False))
            found = {
                name: ServedReplica(
                    name,
                    "of before" if name in stuck else held,
                    dict(state["servers"]["models"][name]),
                    state["servers"]["cleared"].get(name, ""),
                    "" if self._alone else pods.get(name, ""),
                )
                for name in there
            }
        self._cluster.arrive()  # the fake's own wire
        return found

    def load_model(self, model: str, version: int, *, replica: str, dry_run: bool = False) -> None:
        self._set(replica, f"{model}@{version}", "READY", dry_run)

    def unload_model(self, model: str, version: int, *, replica: str, dry_run: bool = False) -> None:
        self._set(replica, f"{model}@{version}", "UNAVAILABLE", dry_run)

    def clear_cache(self, model: str, *, replica: str, change: str, dry_run: bool = False) -> None:
        def land(state: dict[str, Any]) -> None:
            state["servers"]["cleared"][replica] = change

        self._cluster.send(land, f"cleared {replica}", dry_run, "")

    def _set(self, replica: str, named: str, to: str, dry_run: bool) -> None:
        def land(state: dict[str, Any]) -> None:
            state["servers"]["models"][replica][named] = to

        word = "loaded" if to == "READY" else "unloaded"
        self._cluster.send(land, f"{word} {named} on {replica}", dry_run, "")

    def _text(self, state: Mapping[str, Any]) -> tuple[str, str]:
        if self._alone:
            text, change = state["servers"].get("routing", [ROUTING, ""])
            return text, change
        found = state["configs"].get(CONFIG)
        if found is None:
            raise NotFound("no routing is in force")
        return found["data"]["routing.yaml"], found["annotations"].get("maestro.io/change", "")
