"""The application behind httpx, in the process of the test."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from maestro_cli.serving import options
from maestro_cli.serving.application import Application
from maestro_cli.serving.assembly import assemble
from maestro_cli.serving.telemetry.logs import Log

MODELS = Path(__file__).resolve().parents[3] / "deploy" / "models"
FEATURES = [6.0, 1169.0, 4.0, 4.0, 2.0, 1.0, 0.0, 4.0, 4.0]


def request(features: Any = None, purpose: Any = None, **members: Any) -> dict[str, Any]:
    f = {"name": "features", "datatype": "FP32", "shape": [1, 9], "data": FEATURES}
    p = {"name": "purpose", "datatype": "INT64", "shape": [1, 1], "data": [3]}
    return {"inputs": [{**f, **(features or {})}, {**p, **(purpose or {})}], **members}


class Served:
    """fraud/1 behind httpx, in this process; with `models`, only what the arguments name.

    Its requests carry `headers`: an admin's key by default.
    """

    def __init__(self, *arguments: str, models: Path | None = None) -> None:
        self.log = io.StringIO()
        executor = ThreadPoolExecutor(1)  # its threads start with the first slow model
        with tempfile.TemporaryDirectory() as folder:
            key = Path(folder) / "key"
            common = ["--models", str(models or MODELS), *([] if models else ["--serve", "fraud=1"])]
            given = options.parse([*common, "--generate-key", str(key), *arguments])
            self.application = Application(assemble(given, Log(self.log), executor))
            self.headers = {"x-api-key": key.read_text(encoding="ascii").strip()} if key.exists() else {}

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.application)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://server", headers=self.headers
            ) as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(send())

    def infer(self, body: dict[str, Any]) -> httpx.Response:
        return self.post("/v2/models/fraud/infer", json=body)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]
