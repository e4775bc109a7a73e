"""What is shown of an object holds no secret that the context knows, wherever the cluster repeats it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from maestro_cli.core.facts.cluster import Container
from maestro_cli.core.facts.inspection import OwnedObject
from maestro_cli.core.facts.live import Changed, Listed, Restored
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.output.renderers.descriptions import description_document, description_view
from maestro_cli.services import inspecting
from maestro_cli.services.inventory import told_without_secrets, without_secrets
from maestro_cli.sources.kube.describe import MOST_ASKED
from tests.unit.sources.kube_answers import cluster

SECRET = "hunter2-hunter2"
SAID = f"dial {SECRET}"
REF = ObjectRef("Pod", "ml", "p")
NOW = datetime(2026, 11, 26, tzinfo=UTC)
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "name": "p", "namespace": "ml", "uid": "u", "creationTimestamp": "2026-11-26T00:00:00Z",
        "labels": {"a": SECRET}, "annotations": {SECRET: SECRET},
    },
    "spec": {"containers": [{"name": "c", "image": f"i:{SECRET}"}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": SECRET, "message": SAID}],
        "containerStatuses": [
            {"name": "c", "state": {"terminated": {"exitCode": 1, "reason": SECRET, "message": SAID}}}
        ],
    },
}  # fmt: skip
EVENT = {
    "metadata": {"name": "e", "namespace": "ml", "uid": "e"}, "type": "Warning", "reason": SECRET,
    "message": SAID, "involvedObject": {"kind": "Pod", "namespace": "ml", "name": "p", "uid": "u"},
    "lastTimestamp": "2026-11-26T00:00:00Z",
}  # fmt: skip


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/pods/p"):
        return httpx.Response(200, json=POD)
    items = [EVENT] if request.url.path.endswith("/events") else []
    return httpx.Response(200, json={"metadata": {}, "items": items})


def test_no_text_of_a_description_holds_a_secret_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "zone_of", lambda _: lambda _: "")
    services: Any = SimpleNamespace(cluster=cluster(answer), redactor=Redactor([SECRET]))
    found = inspecting.describe(services, REF)
    assert SECRET not in str(description_document(found))
    (condition,), (event,) = found.conditions, found.events
    line: Any = found.line
    said = (condition.message, event.message, line.containers[0].message)
    assert said == ("dial «secret»",) * 3
    assert all(isinstance(text, Untrusted) for text in said)
    assert description_view(found, NOW).blocks


def deployment(pods: int, asked: list[str]) -> Callable[[httpx.Request], httpx.Response]:
    """Answers a Deployment with one revision and so many pods, and every event of the namespace."""
    owner = {"apiVersion": "apps/v1", "controller": True}

    def made(kind: str, name: str, **meta: Any) -> dict[str, Any]:
        stamp = "2026-11-26T00:00:00Z"
        return {
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": "ml",
                "uid": f"u-{name}",
                "creationTimestamp": stamp,
                **meta,
            },
            "spec": {"selector": {"matchLabels": {"app": "d"}}, "containers": []},
            "status": {},
        }

    of_set = [{**owner, "kind": "ReplicaSet", "name": "rs", "uid": "u-rs"}]
    of_deployment = [{**owner, "kind": "Deployment", "name": "d", "uid": "u-d"}]
    lists = {
        "pods": [made("Pod", f"p{one}", ownerReferences=of_set) for one in range(pods)],
        "replicasets": [made("ReplicaSet", "rs", ownerReferences=of_deployment)],
    }
    names = ("d", "rs", "p0", "stranger")
    events: list[Any] = [
        {**EVENT, "metadata": {"name": f"e-{name}", "namespace": "ml", "uid": name},
         "involvedObject": {"name": name, "uid": f"u-{name}"}}
        for name in names
    ]  # fmt: skip

    def answers(request: httpx.Request) -> httpx.Response:
        last = request.url.path.rsplit("/", 1)[1]
        if last == "d":
            return httpx.Response(200, json=made("Deployment", "d"))
        found = lists.get(last, [])
        if last == "events":
            chosen = request.url.params.get("fieldSelector", "")
            asked.append(chosen)
            name = chosen.rpartition("=")[2]
            found = [one for one in events if name in ("", one["involvedObject"]["name"])]
        return httpx.Response(200, json={"metadata": {}, "items": found})

    return answers


@pytest.mark.parametrize(
    ("pods", "asked"),
    [
        (2, ["Deployment=d", "ReplicaSet=rs", "Pod=p0", "Pod=p1"]),
        (MOST_ASKED, [""]),
    ],
    ids=["few", "many"],
)
def test_events_are_asked_for_by_object_unless_there_are_many(pods: int, asked: list[str]) -> None:
    seen: list[str] = []
    found = cluster(deployment(pods, seen)).describing.describe(
        ObjectRef("Deployment", "ml", "d"), lambda node: ""
    )
    assert found.missing == ()
    assert [one.name for one in found.events] == ["e-d", "e-p0", "e-rs"]
    short = [one.replace("involvedObject.kind=", "").replace(",involvedObject.name", "") for one in seen]
    assert short == asked


def test_no_line_of_a_list_says_a_secret_of_the_context_and_its_names_stay() -> None:
    services: Any = SimpleNamespace(redactor=Redactor([SECRET, "fraud"]))
    body = POD | {"metadata": POD["metadata"] | {"name": "fraud"}}

    def one(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"metadata": {}, "items": [body]})

    (pod,) = cluster(one).inventory.pods("ml", lambda node: "")
    assert SECRET in pod.message
    cleaned = without_secrets(services, pod)
    assert (cleaned.name, cleaned.message) == ("fraud", pod.message.replace(SECRET, "«secret»"))
    assert [container.message for container in cleaned.containers] == ["dial «secret»"]
    watch: list[Any] = [Listed((pod,), NOW), (Changed("u", pod), Changed("v", None)), Restored(NOW)]
    told: list[Any] = list(told_without_secrets(services, watch))
    assert told == [Listed((cleaned,), NOW), (Changed("u", cleaned), Changed("v", None)), Restored(NOW)]
    well = replace(pod, message="", containers=())
    assert without_secrets(services, well) is well


def test_what_is_owned_is_cleaned_and_the_names_and_words_of_ours_stay() -> None:
    inner = OwnedObject(REF, "u", "good", "ready", f"waits for {SECRET}")
    owned = OwnedObject(ObjectRef("Pod", "ml", SECRET), "u", "good", SECRET, "", (inner,))
    cleaned = Redactor([SECRET, "good"]).clean_fact(owned)
    told = replace(inner, detail="waits for «secret»")
    assert cleaned == replace(owned, status="«secret»", owned=(told,))


def test_a_fact_without_a_secret_stays_as_it_is() -> None:
    container = Container("c", "i", True, 2, "running", message=Untrusted("fine"))
    assert Redactor([SECRET]).clean_fact(container) == container
