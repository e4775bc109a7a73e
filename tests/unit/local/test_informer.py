"""The local copy of a kind never goes back in time."""

from __future__ import annotations

import asyncio
from typing import Any

from maestro_cli.local.api import PODS, ApiClient
from maestro_cli.local.informer import Informer
from maestro_cli.local.kubeconfig import KubeConfig


def pod(name: str, version: int, uid: str = "", **labels: str) -> dict[str, Any]:
    meta = {
        "name": name,
        "namespace": "ml",
        "uid": uid or name,
        "resourceVersion": str(version),
        "labels": labels,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta}


class Told(list[tuple[str, str]]):
    def __call__(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        word = "added" if old is None else "gone" if new is None else "changed"
        self.append((word, (new or old or {})["metadata"]["name"]))


def informer() -> tuple[Informer, Told]:
    made, told = Informer(ApiClient(KubeConfig("http://127.0.0.1:9", False), "test"), PODS), Told()
    made.subscribe(told)
    made.index("app", lambda thing: [thing["metadata"]["labels"].get("app", "")])
    return made, told


async def check_notes() -> None:
    made, told = informer()
    made.note(pod("a", 5, app="x"))
    made.note(pod("a", 4, app="old"))
    made.note(pod("a", 5, app="same"))
    assert made.by("app", "x")
    assert not made.by("app", "old")
    made.note(pod("a", 6, app="y"))
    assert not made.by("app", "x"), "the index follows"
    assert made.by("app", "y")
    made.forget(pod("a", 6))
    made.note(pod("a", 7))
    assert made.get("ml/a") is None, "a late answer does not bring back what was deleted"
    made.note(pod("a", 8, uid="another"))
    assert made.get("ml/a") is not None
    assert told == [("added", "a"), ("changed", "a"), ("gone", "a"), ("added", "a")]


async def check_replacement() -> None:
    made, told = informer()
    made.note(pod("a", 5, uid="first"))
    made.note(pod("a", 9, uid="second"))
    made.note(pod("a", 7, uid="first"))
    found = made.get("ml/a")
    assert found is not None
    assert found["metadata"]["uid"] == "second"
    assert told == [("added", "a"), ("gone", "a"), ("added", "a")]


def test_newer_wins_and_the_deleted_stay_deleted() -> None:
    asyncio.run(check_notes())


def test_a_new_object_of_the_same_name_replaces_the_old_one() -> None:
    asyncio.run(check_replacement())
