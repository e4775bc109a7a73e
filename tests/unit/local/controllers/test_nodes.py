"""What becomes of nodes that renew their lease no more, by looks instead of seconds."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any, cast

import pytest

from maestro_cli.core.errors import Unreachable
from maestro_cli.local.api import ApiClient, ApiError, Resource
from maestro_cli.local.controllers.nodes import NodeController
from maestro_cli.local.controllers.world import World
from maestro_cli.local.objects import condition

GRACE, EVICT_AFTER = 6, 3
Object = dict[str, Any]


class _Api:
    """An API server that keeps what is written, and can be away or slow."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Object] = {}
        self.deleted: list[str] = []
        self.away = False
        self.hang_seconds = 0.0
        self.versions = 100

    def put(self, thing: Object) -> Object:
        self.versions += 1
        thing["metadata"]["resourceVersion"] = str(self.versions)
        self.held[thing["kind"], thing["metadata"]["name"]] = thing
        return copy.deepcopy(thing)

    async def get(self, *_: Any) -> Object:
        if self.away:
            raise Unreachable("it is away")
        loop = asyncio.get_running_loop()
        at = loop.time() + self.hang_seconds
        loop.time = lambda: at  # type: ignore[method-assign]
        return {}

    async def patch(self, resource: Resource, _: str, name: str, patch: Object, **__: Any) -> Object:
        thing = self.held[resource.kind, name]
        if patch["metadata"].get("resourceVersion") != thing["metadata"]["resourceVersion"]:
            raise ApiError(409, "Conflict", "the object has been modified")
        return self.put(
            thing
            | {"spec": thing["spec"] | patch.get("spec", {})}
            | {"status": thing["status"] | patch.get("status", {})}
        )

    async def delete(self, resource: Resource, _: str, name: str, **__: Any) -> Object:
        self.deleted.append(name)
        return {"kind": "Status"}


class _Stage:
    """Nodes with a pod each, on an API server of the test's own."""

    def __init__(self, *nodes: str) -> None:
        self.api = _Api()
        self.world = World(cast(ApiClient, self.api))
        self.controller = NodeController(self.world, grace_seconds=GRACE, evict_after_seconds=EVICT_AFTER)
        self.renewals = 0
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        for node in nodes:
            self.note("Node", node, status=ready)
            tolerant = {"operator": "Exists", "tolerationSeconds": 300}
            spec = {"nodeName": node, "tolerations": [tolerant]}
            self.note("Pod", f"on-{node}", spec=spec, status={**ready, "phase": "Running"})
            self.renew(node)

    def note(self, kind: str, name: str, uid: str = "", **more: Any) -> None:
        namespace = {"Lease": "kube-node-lease", "Pod": "ml"}.get(kind, "")
        meta = {"name": name, "uid": uid or name, "namespace": namespace}
        thing = {"kind": kind, "metadata": meta, "spec": {}, "status": {}} | more
        self.world.informers[kind].note(self.api.put(thing))

    def renew(self, *nodes: str) -> None:
        self.renewals += 1
        for node in nodes:
            self.note("Lease", node, spec={"renewTime": str(self.renewals)})

    async def look(self, times: int, *renewing: str) -> None:
        for _ in range(times):
            self.renew(*renewing)
            await self.controller.look()

    def ready(self, kind: str, name: str) -> str:
        found = condition(self.api.held[kind, name], "Ready")
        assert found is not None
        return str(found["status"])


def played(act: Callable[[], Any]) -> None:
    asyncio.run(act())


def test_a_silent_node_is_lost_after_its_grace_and_then_emptied() -> None:
    async def act() -> None:
        stage = _Stage("a", "b")
        await stage.look(GRACE + 1, "a")
        assert stage.ready("Node", "b") == "True"
        await stage.look(1, "a")
        assert (stage.ready("Node", "b"), stage.ready("Pod", "on-b")) == ("Unknown", "False")
        await stage.look(EVICT_AFTER - 1, "a")
        assert stage.api.deleted == []
        await stage.look(1, "a")
        assert stage.api.deleted == ["on-b"]
        assert stage.ready("Pod", "on-a") == "True"

    played(act)


@pytest.mark.parametrize("hang_seconds", [0.0, GRACE * 1.5], ids=["away", "hanging"])
def test_silence_of_the_api_server_is_not_silence_of_a_node(hang_seconds: float) -> None:
    async def act() -> None:
        stage = _Stage("a", "b")
        await stage.look(GRACE, "a", "b")
        stage.api.away, stage.api.hang_seconds = not hang_seconds, hang_seconds
        await stage.look(3 * GRACE if stage.api.away else 1)
        stage.api.away, stage.api.hang_seconds = False, 0
        await stage.look(GRACE, "a")
        await stage.look(EVICT_AFTER + 2, "a", "b")
        assert (stage.ready("Node", "b"), stage.ready("Pod", "on-b")) == ("True", "True")
        assert stage.api.deleted == []

    played(act)


def test_nobody_is_evicted_while_every_node_is_lost() -> None:
    async def act() -> None:
        stage = _Stage("a", "b")
        await stage.look(GRACE + EVICT_AFTER + 20)
        assert (stage.ready("Node", "a"), stage.ready("Node", "b")) == ("Unknown", "Unknown")
        assert stage.api.deleted == []
        stage.note("Node", "a", status={"conditions": [{"type": "Ready", "status": "True"}]})
        await stage.look(EVICT_AFTER - 1, "a")
        assert stage.api.deleted == [], "the patience of those that are still lost starts anew"
        await stage.look(2, "a")
        assert stage.api.deleted == ["on-b"]

    played(act)


def test_what_was_said_since_is_not_replaced() -> None:
    async def act() -> None:
        stage = _Stage("a", "b")
        await stage.look(GRACE + 1, "a")
        both = (("Node", "b"), ("Pod", "on-b"))
        for place in both:
            newer = copy.deepcopy(stage.api.held[place])
            newer["status"]["conditions"].append({"type": "News", "status": "True"})
            stage.api.put(newer)
        await stage.look(EVICT_AFTER, "a")
        for place in both:
            assert condition(stage.api.held[place], "News"), "the cache did not know of it yet"

    played(act)


def test_a_node_that_was_made_again_has_its_own_patience() -> None:
    async def act() -> None:
        stage = _Stage("a", "b")
        await stage.look(GRACE + 2, "a")
        assert stage.ready("Node", "b") == "Unknown"
        stage.world.nodes.forget(stage.api.held["Node", "b"])
        lost = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
        stage.note("Node", "b", uid="b-again", status=lost)
        await stage.look(EVICT_AFTER, "a")
        assert stage.api.deleted == []
        await stage.look(2, "a")
        assert stage.api.deleted == ["on-b"]

    played(act)
