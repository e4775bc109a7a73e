"""Input that is too big, too deep, of the wrong type or nonsense is refused with a Status."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.mutants import mutate
from tests.contract.cluster.objects import idle_deployment, idle_pod
from tests.contract.cluster.wire import JSON_PATCH, MERGE, TABLE, names

pytestmark = pytest.mark.contract
JSON = {"Content-Type": "application/json"}


HOSTILE = "hostile input"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" * 200_000, 400),
        (b'{"metadata":{"name":"x"},"data":' + b'{"a":' * 150 + b"1" + b"}" * 151, 400),
        (b'{"metadata":{"name":"x"},"extra":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
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
        (b'{"metadata":{"name":"' + b"x" * 254 + b'"}}', 422),
        (b'{"metadata":{"name":"x\\u0000y"}}', 422),
        (b'{"metadata":{"name":"x"},"data":{"../../etc/passwd":"x"}}', 422),
        (b'{"metadata":{"name":"x"},"data":{"..data":"x"}}', 422),
        (b'{"metadata":{"name":"x"},"binaryData":{"..":"eA=="}}', 422),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
@behaviour(HOSTILE, "a body that is too big, too deep, no JSON or of the wrong type is refused with a Status")
def test_bodies(http: httpx.Client, configs: str, content: bytes, code: int) -> None:
    refused = http.post(configs, content=content, headers=JSON)
    assert refused.status_code == code, refused.text[:300]
    assert refused.json()["kind"] == "Status"
    assert names(http.get(configs, params={"fieldSelector": "metadata.name!=kube-root-ca.crt"})) == []


@behaviour(HOSTILE, "text that is no UTF-8 is not kept as it came")
def test_broken_text(http: httpx.Client, configs: str) -> None:
    content = b'{"metadata":{"name":"c"},"data":{"a":"\xff\xfe"}}'
    answer = http.post(configs, content=content, headers=JSON)
    assert answer.status_code in (201, 400)
    shown = http.get(configs).content
    assert b"\xff" not in shown
    shown.decode("utf-8")


@behaviour(HOSTILE, "a body of a media type that nobody reads is refused with 415")
def test_unknown_media_types(http: httpx.Client, configs: str) -> None:
    cbor = http.post(configs, content=b"a: b", headers={"Content-Type": "application/x-nonsense"})
    assert (cbor.status_code, cbor.json()["reason"]) == (415, "UnsupportedMediaType")
    http.post(configs, json={"metadata": {"name": "c"}})
    patch = http.patch(f"{configs}/c", json={}, headers={"Content-Type": "application/json"})
    assert (patch.status_code, patch.json()["reason"]) == (415, "UnsupportedMediaType")


@behaviour(HOSTILE, "broken protobuf is refused")
def test_broken_protobuf(http: httpx.Client, configs: str) -> None:
    garbage = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    for content in (b"k8s\0", b"k8s\0\x0a\xff\xff\xff\xff\x0f", b"nonsense", b"k8s\0" + bytes(range(256))):
        assert http.post(configs, content=content, headers=garbage).status_code in (400, 415)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/widgets", "/apis/none/v1/x", "/api/v2/pods", "/api/v1/pods/p",
     "/api/v1/namespaces/default/pods/p/x/y/z", "/api/v1/namespaces/default/nodes", "/%00",
     "/api/v1/namespaces/default/pods/..%2f..%2fsecrets", "/api/v1/namespaces/../../../etc/passwd",
     "/api/v1/namespaces/default/pods/" + "x" * 8000],
    ids=lambda path: path[:48],
)  # fmt: skip
@behaviour(HOSTILE, "a path that is not there, or climbs, is not found")
def test_paths_that_are_not_there(http: httpx.Client, path: str) -> None:
    refused = http.get(path)
    assert refused.status_code in (400, 404), refused.text[:300]


@behaviour(HOSTILE, "many labels and long annotations are kept; too many are refused")
def test_many_labels(http: httpx.Client, configs: str) -> None:
    labels = {f"l{number}": "x" * 60 for number in range(2_000)}
    made = http.post(configs, json={"metadata": {"name": "many", "labels": labels}})
    assert made.status_code == 201
    assert names(http.get(configs, params={"labelSelector": "l1999,l0"})) == ["many"]
    annotations = {f"a{number}": "x" * 1000 for number in range(300)}
    refused = http.post(configs, json={"metadata": {"name": "too-many", "annotations": annotations}})
    assert refused.status_code == 422
    assert "metadata.annotations" in refused.text
    bad = http.post(configs, json={"metadata": {"name": "long", "labels": {"a": "x" * 64}}})
    assert (bad.status_code, bad.json()["details"]["causes"][0]["field"]) == (422, "metadata.labels")


@behaviour(HOSTILE, "a flood of headers is refused, and the next request answered")
def test_many_headers(http: httpx.Client, configs: str) -> None:
    flood = {f"X-Flood-{number}": "y" * 1000 for number in range(3_000)}
    with contextlib.suppress(httpx.HTTPError):  # closing the connection in the middle is an answer too
        assert http.get(configs, headers=flood).status_code in (400, 431)
    assert http.get(configs).status_code == 200


@behaviour(HOSTILE, "a selector that is nonsense is refused")
def test_nonsense_selectors(http: httpx.Client, configs: str) -> None:
    for selector in ("a in b", "((", "a=b=c", "!", "a in (", "x" * 300):
        assert http.get(configs, params={"labelSelector": selector}).status_code == 400, selector


@pytest.mark.parametrize(
    "patch",
    [{"op": "add"}, [{"op": "add", "path": "/metadata"}], [{"op": "explode", "path": "/a"}], [1],
     [{"op": "remove", "path": "/none"}], [{"op": "replace", "path": "/data/x/9", "value": 1}],
     [{"op": "test", "path": "/metadata/name", "value": "no"}],
     [{"op": "move", "from": "/metadata", "path": "/metadata/name"}],
     [{"op": "add", "path": "a", "value": 1}]],
)  # fmt: skip
@behaviour(HOSTILE, "a JSON patch that makes no sense is refused and changes nothing")
def test_bad_json_patches(http: httpx.Client, configs: str, patch: Any) -> None:
    http.post(configs, json={"metadata": {"name": "c"}, "data": {"x": "y"}})
    refused = http.patch(f"{configs}/c", json=patch, headers=JSON_PATCH)
    assert refused.status_code in (400, 422), refused.text
    assert http.get(f"{configs}/c").json()["data"] == {"x": "y"}


@pytest.mark.parametrize("seed", range(6))
@behaviour(HOSTILE, "an object with junk or nothing in any one place is taken or refused with a Status")
def test_mutated_objects_never_break_the_server(
    http: httpx.Client,
    namespace: str,
    seed: int,
) -> None:
    chance = random.Random(seed)
    rich = idle_pod("p", a="b")
    rich["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "c"}}]
    rich["spec"]["containers"][0] |= {
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {"limits": {"cpu": "1"}},
        "readinessProbe": {"httpGet": {"port": 80}},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    bodies: dict[str, dict[str, Any]] = {
        "/apis/apps/v1/namespaces/{}/deployments": idle_deployment(),
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
    for template, body in bodies.items():
        path = template.format(namespace)
        for _ in range(25):
            mutant = mutate(body, chance)
            made = http.post(path, json=mutant)
            assert made.status_code in (201, 400, 409, 422), (mutant, made.text)
            patch = http.patch(f"{path}/{body['metadata']['name']}", json=mutant, headers=MERGE)
            assert patch.status_code in (200, 400, 404, 409, 422), (mutant, patch.text)
        assert http.get(path, headers=TABLE).status_code == 200
        http.delete(path)
