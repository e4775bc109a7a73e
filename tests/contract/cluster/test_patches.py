"""The three patches, and the fourth."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import REFUSES, behaviour
from tests.contract.cluster.wire import JSON_PATCH, MERGE, STRATEGIC

pytestmark = pytest.mark.contract


def containers(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.json()["spec"]["template"]["spec"]["containers"])


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


@behaviour("patches", "a merge patch replaces lists whole and removes what is null")
def test_merge(http: httpx.Client, web: str) -> None:
    http.patch(web, json={"metadata": {"annotations": {"a": "1", "b": "2"}}}, headers=MERGE)
    patch = {"metadata": {"annotations": {"a": None}}}
    patch |= template(containers=[{"name": "other", "image": "y:1"}])
    answer = http.patch(web, json=patch, headers=MERGE)
    assert [one["name"] for one in containers(answer)] == ["other"]
    annotations = answer.json()["metadata"]["annotations"]
    assert "a" not in annotations
    assert annotations["b"] == "2"


@behaviour("patches", "a strategic patch merges lists by their keys, deletes and orders by directive")
def test_strategic(http: httpx.Client, web: str) -> None:
    def patch(**spec: Any) -> list[dict[str, Any]]:
        return containers(http.patch(web, json=template(**spec), headers=STRATEGIC))

    both = patch(containers=[{"name": "side", "image": "y:1", "env": [{"name": "A", "value": "1"}]}])
    assert {one["name"]: one["image"] for one in both} == {"server": "x:1", "side": "y:1"}
    order = [{"name": "server"}, {"name": "side"}]
    change = {"name": "side", "env": [{"name": "B", "value": "2"}, {"name": "A", "$patch": "delete"}]}
    ordered = patch(**{"containers": [change], "$setElementOrder/containers": order})
    assert [one["name"] for one in ordered] == ["server", "side"]
    assert ordered[1]["env"] == [{"name": "B", "value": "2"}]
    assert ordered[1]["image"] == "y:1"
    ports = {"name": "server", "ports": [{"containerPort": 8080, "name": "web"}]}
    assert patch(containers=[ports])[0]["ports"] == [
        {"name": "web", "containerPort": 8080, "protocol": "TCP"}
    ]
    alone = patch(containers=[{"name": "side", "$patch": "delete"}])
    assert [one["name"] for one in alone] == ["server"]
    replaced = patch(containers=[{"$patch": "replace"}, {"name": "new", "image": "z:1"}])
    assert [one["name"] for one in replaced] == ["new"]


@behaviour("patches", "a strategic patch keeps of a strategy only what it names")
def test_retain_keys(http: httpx.Client, web: str) -> None:
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    answer = http.patch(web, json=patch, headers=STRATEGIC)
    assert answer.status_code == 200, answer.text
    assert answer.json()["spec"]["strategy"] == {"type": "Recreate"}


@behaviour("patches", "a JSON patch adds, replaces, moves, copies and removes, and its test guards the rest")
def test_json(http: httpx.Client, configs: str) -> None:
    http.post(configs, json={"metadata": {"name": "d"}, "data": {"a": "1"}})
    steps = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "replace", "path": "/data/a", "value": "9"},
        {"op": "move", "from": "/data/a", "path": "/data/moved"},
        {"op": "copy", "from": "/data/moved", "path": "/data/copied"},
        {"op": "add", "path": "/metadata/labels", "value": {"x/y": "z"}},
    ]
    changed = http.patch(f"{configs}/d", json=steps, headers=JSON_PATCH).json()
    assert changed["data"] == {"moved": "9", "copied": "9"}
    assert changed["metadata"]["labels"] == {"x/y": "z"}
    removed = [{"op": "remove", "path": "/metadata/labels/x~1y"}]
    assert "labels" not in http.patch(f"{configs}/d", json=removed, headers=JSON_PATCH).json()["metadata"]
    guarded = http.patch(f"{configs}/d", json=steps, headers=JSON_PATCH)
    assert guarded.status_code == 422
    assert http.get(f"{configs}/d").json()["data"] == {"moved": "9", "copied": "9"}


@behaviour("patches", "server-side apply keeps who owns which field", lite=REFUSES)
def test_apply(http: httpx.Client, configs: str) -> None:
    def apply(manager: str, value: str) -> httpx.Response:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": value}}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return http.patch(f"{configs}/c", json=body, params={"fieldManager": manager}, headers=headers)

    made = apply("one", "1")
    assert made.status_code == 201, made.text
    refused = apply("two", "2")
    assert refused.status_code == 409
    assert refused.json()["details"]["causes"][0]["reason"] == "FieldManagerConflict"


@behaviour("patches", "a body in YAML is read", lite=REFUSES)
def test_yaml(http: httpx.Client, configs: str) -> None:
    content = b"metadata: {name: yam}\ndata: {a: b}\n"
    made = http.post(configs, content=content, headers={"Content-Type": "application/yaml"})
    assert made.status_code == 201, made.text
