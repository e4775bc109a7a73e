"""A pod that the kubelet cannot run, for a reason nobody thought of: it fails alone and leaves nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from maestro_cli.core.errors import Unreachable
from maestro_cli.local.api import ApiClient
from maestro_cli.local.kubelet.pods import PodSet
from maestro_cli.local.kubelet.processes import Processes
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.objects import Object
from maestro_cli.local.recorder import EventRecorder
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux'")]


class Api:
    """Keeps one pod and what was done to it."""

    def __init__(self) -> None:
        self.pod: Object = {
            "metadata": {"name": "p", "namespace": "ml", "uid": "u", "resourceVersion": "1"},
            "spec": {
                "containers": [
                    {"name": name, "image": "x:1", "command": ["sleep", "601"]} for name in ("good", "bad")
                ],
                "terminationGracePeriodSeconds": 1,
            },
        }
        self.away = 0
        self.deleted = 0

    @property
    def status(self) -> Object:
        return dict(self.pod.get("status") or {})

    def seen(self, **more: Any) -> Object:
        """The pod's next version, with this in its metadata."""
        version = str(int(self.pod["metadata"]["resourceVersion"]) + 1)
        self.pod = self.pod | {"metadata": self.pod["metadata"] | more | {"resourceVersion": version}}
        return dict(self.pod)

    async def get(self, *_: Any) -> Object:
        """A config map, as soon as something of the pod runs."""
        await until(sleepers, "the other container")
        return {"data": {}}

    async def patch(self, *words: Any, **_: Any) -> Object:
        if self.away:
            self.away -= 1
            raise Unreachable("the API server is away")
        self.pod = self.pod | {"status": self.status | words[3]["status"]}
        return self.seen()

    async def delete(self, *_: Any, **__: Any) -> Object:
        self.deleted += 1
        return {}


class Silent:
    def record(self, *_: Any, **__: Any) -> None:
        """Nobody reads events here."""


@asynccontextmanager
async def node(folder: Path, api: Api) -> AsyncIterator[PodSet]:
    processes = Processes()
    spawner = asyncio.create_task(processes.run())
    client, silent = cast(ApiClient, api), cast(EventRecorder, Silent())
    made = PodSet(client, Settings(folder, "node-a", "zone-a", 200), processes, silent)
    try:
        yield made
    finally:
        await made.leave(0)
        spawner.cancel()
        await asyncio.gather(spawner, return_exceptions=True)


def sleepers() -> list[int]:
    """What runs of the pod."""

    def found() -> Iterator[int]:
        for process in psutil.Process().children(recursive=True):
            try:
                if process.cmdline() == ["sleep", "601"] and process.status() != psutil.STATUS_ZOMBIE:
                    yield process.pid
            except psutil.Error:
                continue

    return list(found())


async def until(holds: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.02)
    assert holds(), what


SPOILT: dict[str, Callable[[Object], Object]] = {
    "a container that cannot be prepared, once another runs": lambda bad: (
        bad | {"env": [{}], "envFrom": [{"configMapRef": {"name": "m"}}]}
    ),
    "a container that cannot be watched": lambda bad: bad | {"resources": {"limits": {"memory": "many"}}},
}


def fails_alone(folder: Path, api: Api) -> None:
    """Nothing of the pod is left, it is told and not started again; deleted, it is gone."""

    async def run() -> None:
        async with node(folder, api) as made:
            made._changed(None, api.pod)
            [running] = made.workers()
            await until(lambda: api.status.get("phase") == "Failed", "the failure to be told")
            assert (api.status["reason"], sleepers()) == ("UnexpectedError", [])
            assert "the kubelet cannot run this pod" in api.status["message"]
            made._changed(api.pod, api.seen())
            assert made.workers() == [running], "no second copy"
            assert made._pool._held, "its address stays its own"
            going = {"deletionTimestamp": "2026-11-25T00:00:00Z", "deletionGracePeriodSeconds": 1}
            made._changed(api.pod, api.seen(**going))
            await until(lambda: not made.workers(), "the end")
            assert (api.deleted, made._pool._held, sleepers()) == (1, {}, [])

    asyncio.run(run())


@pytest.mark.parametrize("what", SPOILT)
def test_a_container_that_breaks_the_kubelet_takes_its_pod_and_nothing_else(
    tmp_path: Path, what: str
) -> None:
    api = Api()
    containers = api.pod["spec"]["containers"]
    containers[1] = SPOILT[what](containers[1])
    fails_alone(tmp_path, api)


def test_a_pod_whose_status_cannot_be_told_fails(tmp_path: Path) -> None:
    api = Api()
    api.pod["spec"]["readinessGates"] = [{}]
    fails_alone(tmp_path, api)


def test_a_pod_that_cannot_even_begin_is_rejected_and_its_address_free(tmp_path: Path) -> None:
    async def run() -> None:
        api = Api()
        api.away = 1
        del api.pod["spec"]["containers"][1]["image"]
        async with node(tmp_path, api) as made:
            made._changed(None, api.pod)
            assert made.workers() == []
            await until(lambda: api.status, "a word of it, once the API server is back")
            assert (api.status["phase"], api.status["reason"]) == ("Failed", "UnexpectedError")
            assert (made._pool._held, sleepers()) == ({}, [])

    asyncio.run(run())
