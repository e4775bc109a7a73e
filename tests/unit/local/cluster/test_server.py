"""The server's border: whatever comes in, the answer is JSON, and a failure is a Status."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from maestro_cli.local.cluster.access import Tokens
from maestro_cli.local.cluster.kinds import NAMESPACES
from maestro_cli.local.cluster.registry import Registry
from maestro_cli.local.cluster.server import Server
from maestro_cli.local.cluster.store import Store

PODS = "/api/v1/namespaces/default/pods"
CONFIGS = "/api/v1/namespaces/default/configmaps"
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def asked(ask: Ask, registry: Registry | None = None) -> httpx.Response:
    """What a server answers the administrator; it has the namespace `default`."""
    served = registry or Registry(Store())
    served.create(NAMESPACES, "", {"metadata": {"name": "default"}})

    async def settled() -> None:
        """Nothing is kept on disk."""

    tokens = Tokens([["secret", "admin", "1", "system:masters"]])
    server = Server(served, tokens, "https://127.0.0.1:1", ssl.create_default_context(), settled)

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
