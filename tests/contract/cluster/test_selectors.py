"""Which objects a list gives: label and field selectors."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.wire import names

pytestmark = pytest.mark.contract


@behaviour("selectors", "a list gives what its label selector asks for, with every operator")
@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=a", ["p1", "p2"]),
        ("app==a,tier!=x", ["p2"]),
        ("app in (a, b),tier", ["p1", "p3"]),
        ("tier notin (x)", ["p2", "p3", "p4"]),
        ("!app", ["p4"]),
        ("app=", []),
        ("size>3", ["p3"]),
        ("size<4", ["p2"]),
    ],
)
def test_label_selectors(http: httpx.Client, pods: str, selector: str, expected: list[str]) -> None:
    made = {"p1": {"app": "a", "tier": "x"}, "p2": {"app": "a", "size": "3"}}
    made |= {"p3": {"app": "b", "tier": "y", "size": "4"}, "p4": {}}
    for name, labels in made.items():
        http.post(pods, json=idle_pod(name, **labels))
    assert names(http.get(pods, params={"labelSelector": selector})) == expected


@behaviour("selectors", "a list gives what its field selector asks for; an unknown field is refused by name")
def test_field_selectors(http: httpx.Client, pods: str) -> None:
    for name in ("p1", "p2"):
        http.post(pods, json=idle_pod(name))
    http.post(
        f"{pods}/p1/binding", json={"metadata": {"name": "p1"}, "target": {"kind": "Node", "name": "n1"}}
    )
    assert names(http.get(pods, params={"fieldSelector": "spec.nodeName=n1"})) == ["p1"]
    assert names(http.get(pods, params={"fieldSelector": "spec.nodeName=,status.phase!=Failed"})) == ["p2"]
    refused = http.get(pods, params={"fieldSelector": "spec.colour=red"})
    assert refused.status_code == 400
    assert "field label not supported: spec.colour" in refused.json()["message"]
    assert http.get(pods, params={"labelSelector": "a in b"}).status_code == 400
