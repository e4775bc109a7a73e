"""Plain requests to an API server: media types, lists and watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.contract.cluster.running import until

MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
TABLE = {"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
Connect = Callable[[str], httpx.Client]
Event = tuple[str, dict[str, Any]]


def names(answer: httpx.Response) -> list[str]:
    """The names in a list, in its order."""
    assert answer.status_code == 200, answer.text
    return [one["metadata"]["name"] for one in answer.json()["items"]]


def settled(http: httpx.Client, path: str) -> dict[str, Any]:
    """An idle Deployment of three, once its controllers have done with it."""
    seen: list[str] = []

    def quiet() -> dict[str, Any] | None:
        found: dict[str, Any] = http.get(path).json()
        seen.append(found["metadata"]["resourceVersion"])
        counts = {found["status"].get(name) for name in ("updatedReplicas", "unavailableReplicas")}
        return found if counts == {3} and seen[-10:].count(seen[-1]) == 10 else None

    made: dict[str, Any] = until(quiet, "three idle pods and no more writes")
    return made


@contextmanager
def watching(http: httpx.Client, path: str, **query: str) -> Iterator[Callable[[], Event]]:
    """A watch; each call gives the next event.

    Uncompressed: the real server ends the gzip member with the initial events of a watch list and goes
    on with another, which httpx does not read.
    """
    asked = {"watch": "true", "timeoutSeconds": "120", **query}
    with http.stream("GET", path, params=asked, headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()

        def event() -> Event:
            body = json.loads(next(lines))
            return body["type"], body["object"]

        yield event
