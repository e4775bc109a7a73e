"""A server with faults for drills, in the process of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from maestro_cli.serving.faults.encounter import Fault
from maestro_cli.serving.faults.injector import Injector
from tests.unit.serving.served import FEATURES, Served, request

INFER = "/v2/models/fraud/infer"


class Drilled(Served):
    """A server with faults enabled, asked many things on one event loop."""

    def __init__(self, journal: Path, *arguments: str) -> None:
        super().__init__("--enable-faults", "--fault-journal", str(journal), *arguments)
        self.journal = journal
        injector = self.application.replica.injector
        assert injector is not None
        self.injector: Injector = injector

    def run(self, scenario: Callable[[Client], Awaitable[None]]) -> None:
        async def whole() -> None:
            transport = httpx.ASGITransport(self.application)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://server", timeout=60, headers=self.headers
            ) as http:
                try:
                    await scenario(Client(http, self.injector))
                finally:
                    self.injector.close()

        asyncio.run(whole())

    def page(self) -> str:
        return self.application.replica.metrics.exposition("", with_faults=True)[0].decode()


class Client:
    def __init__(self, http: httpx.AsyncClient, injector: Injector) -> None:
        self.http = http
        self.injector = injector

    async def order(self, kind: str, parameters: Any = None, seconds: float = 60, **members: Any) -> Fault:
        body = {"kind": kind, "seconds": seconds, "parameters": parameters or {}, **members}
        answer = await self.http.post("/v2/faults", json=body)
        assert answer.status_code == 200, answer.text
        return next(fault for fault in self.injector.active if fault.id == answer.json()["id"])

    async def end(self, fault: Fault) -> None:
        assert (await self.http.delete(f"/v2/faults/{fault.id}")).status_code == 200

    async def infer(self, features: Any = None, headers: Any = None, version: str = "") -> httpx.Response:
        path = f"/v2/models/fraud/versions/{version}/infer" if version else INFER
        body = request({"data": FEATURES if features is None else features})
        return await self.http.post(path, json=body, headers=headers)

    async def outputs(self, features: Any = None) -> dict[str, list[float]]:
        answer = await self.infer(features)
        assert answer.status_code == 200, answer.text
        return {one["name"]: one["data"] for one in answer.json()["outputs"]}
