"""Input that is too big, too deep, of the wrong type or nonsense is refused with a Status."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.contract
JSON = {"Content-Type": "application/json"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def configs(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" * 200_000, 400),
        (b'{"metadata":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"metadata":{"name":"x"},"data":' + b'{"a":' * 150 + b"1" + b"}" * 151, 400),
        (b"not json", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"", 400),
        (b'{"metadata":{"name":"big"},"data":{"a":"' + b"x" * 3_200_000 + b'"}}', 413),
        (b'{"metadata":{"name":"big"},"data":{"a":"' + b"x" * 1_100_000 + b'"}}', 422),
        (b'{"metadata":{"name":["x"]}}', 400),
        (b'{"metadata":{"name":"x","labels":{"a":1}}}', 400),
        (b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}}', 400),
        (b'{"metadata":{"name":"../../etc/passwd"}}', 422),
        (b'{"metadata":{"name":"x","resourceVersion":"5"}}', 400),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else "",
)
def test_bodies(http: httpx.Client, configs: str, content: bytes, code: int) -> None:
    refused = http.post(configs, content=content, headers=JSON)
    assert refused.status_code == code, refused.text[:300]
    assert refused.json()["kind"] == "Status"


def test_media_types(http: httpx.Client, configs: str) -> None:
    http.post(configs, json={"metadata": {"name": "c"}})
    for kind in ("application/yaml", "application/cbor"):
        assert http.post(configs, content=b"a: b", headers={"Content-Type": kind}).status_code == 415
    apply = {"Content-Type": "application/apply-patch+yaml"}
    refused = http.patch(f"{configs}/c", content=b"{}", headers=apply)
    assert refused.status_code == 415
    assert "--cluster kubernetes" in refused.json()["message"]
    garbage = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    for content in (b"k8s\0", b"k8s\0\x0a\xff\xff\xff\xff\x0f", b"nonsense", b"k8s\0" + bytes(range(256))):
        assert http.post(configs, content=content, headers=garbage).status_code in (400, 415)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/widgets", "/apis/none/v1/x", "/api/v2/pods", "//", "/api/v1/namespaces//pods", "/api/v1/pods/p",
     "/api/v1/namespaces/default/pods/p/x/y/z", "/api/v1/namespaces/default/nodes", "/%00", "/metrics"],
)  # fmt: skip
def test_paths_that_are_not_there(http: httpx.Client, path: str) -> None:
    refused = http.get(path)
    assert refused.status_code in (404, 200 if path == "//" else 404)
    assert refused.json()


@pytest.mark.parametrize(
    "patch",
    [{"op": "add"}, [{"op": "add", "path": "/metadata"}], [{"op": "explode", "path": "/a"}], [1],
     [{"op": "remove", "path": "/none"}], [{"op": "replace", "path": "/data/x/9", "value": 1}],
     [{"op": "test", "path": "/metadata/name", "value": "no"}], [{"op": "remove", "path": ""}],
     [{"op": "move", "from": "/metadata", "path": "/metadata/name"}],
     [{"op": "add", "path": "a", "value": 1}]],
)  # fmt: skip
def test_bad_json_patches(http: httpx.Client, configs: str, patch: Any) -> None:
    http.post(configs, json={"metadata": {"name": "c"}, "data": {"x": "y"}})
    headers = {"Content-Type": "application/json-patch+json"}
    refused = http.patch(f"{configs}/c", json=patch, headers=headers)
    assert refused.status_code in (400, 422), refused.text
    assert http.get(f"{configs}/c").json()["data"] == {"x": "y"}


_JUNK: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", "x" * 300, "a/b/c", [], [None], [[]], {}, {"": {}}, [{}],
]  # fmt: skip


def _mutate(value: Any, chance: random.Random) -> Any:
    """The same object with one place in it replaced by junk."""
    value = copy.deepcopy(value)
    at: Any = value
    parent: Any = None
    key: Any = None
    while isinstance(at, (dict, list)) and at and (parent is None or chance.random() < 0.85):
        parent, key = at, chance.choice(list(at) if isinstance(at, dict) else list(range(len(at))))
        at = parent[key]
    if parent is not None:
        parent[key] = chance.choice(_JUNK)
    return value


@pytest.mark.parametrize("seed", range(6))
def test_mutated_objects_never_break_the_server(
    http: httpx.Client,
    namespace: str,
    deployment: dict[str, Any],
    pod: Callable[..., dict[str, Any]],
    seed: int,
) -> None:
    chance = random.Random(seed)
    rich = pod("p", a="b")
    rich["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "c"}}]
    rich["spec"]["containers"][0] |= {
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {"limits": {"cpu": "1"}},
        "readinessProbe": {"httpGet": {"port": 80}},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    bodies: dict[str, dict[str, Any]] = {
        "/apis/apps/v1/namespaces/{}/deployments": deployment,
        "/api/v1/namespaces/{}/pods": rich,
        "/api/v1/namespaces/{}/services": {
            "metadata": {"name": "s"},
            "spec": {"ports": [{"port": 80, "targetPort": "http"}], "selector": {"a": "b"}},
        },
        "/apis/policy/v1/namespaces/{}/poddisruptionbudgets": {
            "metadata": {"name": "b"},
            "spec": {
                "maxUnavailable": 1,
                "selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
            },
        },
        "/apis/events.k8s.io/v1/namespaces/{}/events": {
            "metadata": {"name": "e"},
            "regarding": {"kind": "Pod", "name": "p"},
            "note": "n",
            "deprecatedSource": {"component": "k"},
            "series": {"count": 1},
        },
    }
    table = {"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
    for template, body in bodies.items():
        path = template.format(namespace)
        for _ in range(25):
            mutant = _mutate(body, chance)
            made = http.post(path, json=mutant)
            assert made.status_code in (201, 400, 409, 422), (mutant, made.text)
            patch = http.patch(f"{path}/{body['metadata']['name']}", json=mutant, headers=MERGE)
            assert patch.status_code in (200, 400, 404, 409, 422), (mutant, patch.text)
        assert http.get(path, headers=table).status_code == 200
        http.delete(path)
