"""The server's border: whatever comes in, the answer is JSON, and a failure is a Status."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from maestro_cli.local.cluster.access import Tokens
from maestro_cli.local.cluster.kinds import BY_PATH, NAMESPACES
from maestro_cli.local.cluster.registry import Registry
from maestro_cli.local.cluster.server import Durable, Server
from maestro_cli.local.cluster.status import ApiError
from maestro_cli.local.cluster.store import Event, Store
from maestro_cli.local.cluster.watching import Watch

PODS = "/api/v1/namespaces/default/pods"
CONFIGS = "/api/v1/namespaces/default/configmaps"
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


class Kept:
    """Nothing is kept on disk."""

    trouble = ""

    async def settled(self) -> None:
        """There is nothing to wait for."""


def asked(ask: Ask, registry: Registry | None = None, disk: Durable | None = None) -> httpx.Response:
    """What a server answers the administrator; it has the namespace `default`."""
    served = registry or Registry(Store())
    served.create(NAMESPACES, "", {"metadata": {"name": "default"}})

    tokens = Tokens([["secret", "admin", "1", "system:masters"]])
    server = Server(served, tokens, "https://127.0.0.1:1", ssl.create_default_context(), disk or Kept())

    async def run() -> httpx.Response:
        headers = {"Authorization": "Bearer secret"}
        transport = httpx.ASGITransport(server)
        async with httpx.AsyncClient(transport=transport, base_url="http://lite", headers=headers) as client:
            return await ask(client)

    return asyncio.run(run())


def posted(path: str, body: Any) -> httpx.Response:
    return asked(lambda client: client.post(path, json=body))


def with_limit(quantity: str) -> dict[str, Any]:
    container = {"name": "c", "image": "x:1", "resources": {"limits": {"cpu": quantity}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container]}}


@pytest.mark.parametrize("quantity", ["abc", "", "1e99999", "-1", "1" * 5000])
def test_a_quantity_that_is_none_is_told_as_such(quantity: str) -> None:
    refused = posted(PODS, with_limit(quantity))
    assert (refused.status_code, refused.json()["kind"]) == (422, "Status")
    assert "limits[cpu]" in refused.json()["message"]


def test_a_pod_is_told_its_quality_of_service_at_once() -> None:
    assert posted(PODS, with_limit("1")).json()["status"] == {"phase": "Pending", "qosClass": "Burstable"}


@pytest.mark.parametrize("depth", [98, 600, 800, 950, 20_000])
def test_a_patch_that_nests_too_deep_is_refused(depth: int) -> None:
    value = b"[" * depth + b"]" * depth
    added = b'{"op":"add","path":"/data","value":' + value + b"}"
    patch = b"[" + added + b',{"op":"copy","from":"/data","path":"/more"}]'

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        await client.post(CONFIGS, json={"metadata": {"name": "c"}})
        return await client.patch(f"{CONFIGS}/c", content=patch, headers=JSON_PATCH)

    refused = asked(ask)
    assert (refused.status_code, refused.json()["kind"]) == (400, "Status")


def test_a_defect_is_answered_as_a_status_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Registry):
        def get(self, *_: Any) -> Any:
            raise RuntimeError("a defect")

    failed = asked(lambda client: client.get(f"{PODS}/p"), Broken(Store()))
    assert (failed.status_code, failed.headers["content-type"]) == (500, "application/json")
    assert (failed.json()["kind"], failed.json()["reason"]) == ("Status", "InternalError")
    assert "a defect" not in failed.text
    assert "a defect" in caplog.text


class _Full(Kept):
    """A disk that refuses what was done, and has it undone; by then somebody else did the next thing."""

    def __init__(self, store: Store, refusals: int) -> None:
        self._store = store
        self._refusals = refusals
        self._noted: list[tuple[str, Event]] = []
        store._on_commit = lambda kind, event: self._noted.append((kind, event))

    async def settled(self) -> None:
        noted, self._noted[:] = tuple(self._noted), []
        if noted and self._refusals:
            self._refusals -= 1
            self.trouble = "the disk is full"
            for kind, event in reversed(noted):
                self._store.undo(kind, event)
            raise ApiError(500, "InternalError", "nothing was changed: the disk is full")


def test_a_read_on_a_full_disk_tells_what_is_kept_and_a_write_is_refused() -> None:
    registry = Registry(Store())
    body = {"metadata": {"name": "c"}, "data": {"a": "b"}}

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        await client.post(CONFIGS, json={**body, "metadata": {"name": "kept"}})
        disk._refusals = 2
        registry.create(BY_PATH["", "v1", "configmaps"], "default", {"metadata": {"name": "of-somebody"}})
        listed = (await client.get(CONFIGS)).json()["items"]
        assert [one["metadata"]["name"] for one in listed] == ["kept"]
        refused = await client.post(CONFIGS, json=body)
        assert (refused.status_code, refused.json()["kind"]) == (500, "Status")
        assert (await client.get(f"{CONFIGS}/c")).status_code == 404
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.text) == (500, "[-]disk failed: the disk is full\n")
        assert (await client.get("/healthz")).text == "ok"
        return await client.post(CONFIGS, json=body)

    disk = _Full(registry.store, 0)
    assert asked(ask, registry, disk).status_code == 201


def test_a_watch_is_not_told_what_was_taken_back() -> None:
    store = Store()
    watch = Watch(
        shelf="pods",
        select=lambda version: True,
        show=lambda version: version.raw,
        bookmark=lambda revision, end: b"{}",
        start=store.revision,
        initial=False,
        initial_end=False,
        bookmarks=False,
        timeout_seconds=60,
    )
    taken: list[tuple[str, Event]] = []
    store._on_commit = lambda kind, event: taken.append((kind, event))

    async def follow() -> list[bytes]:
        stream = watch.stream(store)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        for name in ("kept", "refused"):
            store.put("pods", ("ns", name), {"metadata": {"name": name}})
        store.undo(*taken[-1])
        watch.close()
        return [await first, *[chunk async for chunk in stream]]

    told = b"".join(asyncio.run(follow()))
    assert b"kept" in told
    assert b"refused" not in told
