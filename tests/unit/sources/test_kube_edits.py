"""Who wrote configuration when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from maestro_cli.core.refs import ObjectRef
from tests.unit.sources.kube_answers import cluster, ok, status

EDITED = "2026-11-26T09:25:14Z"


def managed(manager: str, time: str | None, fields: Any, **more: Any) -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {**entry, "time": time, "fieldsV1": fields, **more}


def thing(name: str, *managers: dict[str, Any], **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "ml", "resourceVersion": "7", "managedFields": list(managers) or None}
    meta["creationTimestamp"] = "2026-11-01T00:00:00Z"
    return {"metadata": meta, **more}


LISTS: dict[str, list[dict[str, Any]]] = {
    "configmaps": [
        thing(
            "fraud-routing",
            managed("kubectl-edit", EDITED, {"f:data": {".": {}, "f:routing.yaml": {}}}),
            managed("labeller", EDITED, {"f:metadata": {"f:labels": {}}}),
            managed("broken", None, {"f:data": {}}),
            managed("also-broken", EDITED, None),
        )
    ],
    "secrets": [
        thing("fraud-key", managed("x", EDITED, {"f:data": {"f:key": {}}}), data={"key": "aHVudGVyMg=="})
    ],
    "services": [thing("front", spec={"selector": {"app": "fraud"}})],
    "horizontalpodautoscalers": [
        thing(
            "fraud",
            managed("kubectl-patch", EDITED, {"f:spec": {"f:maxReplicas": {}}}),
            managed("kube-controller-manager", EDITED, {"f:status": {}}, subresource="status"),
            spec={"scaleTargetRef": {"kind": "Deployment", "name": "fraud"}, "maxReplicas": 3},
        )
    ],
}


def answer(request: httpx.Request) -> httpx.Response:
    return ok({"metadata": {}, "items": LISTS[request.url.path.rpartition("/")[2]]})


def test_writes_of_content_are_told_and_those_of_metadata_and_status_are_none() -> None:
    found = cluster(answer).list_written("ml")
    told = {one.ref: [(str(w.manager), w.at, w.fields) for w in one.writes] for one in found.objects}
    at = datetime(2026, 11, 26, 9, 25, 14, tzinfo=UTC)
    assert told == {
        ObjectRef("ConfigMap", "ml", "fraud-routing"): [("kubectl-edit", at, ("data.routing.yaml",))],
        ObjectRef("HorizontalPodAutoscaler", "ml", "fraud"): [("kubectl-patch", at, ("spec.maxReplicas",))],
        ObjectRef("Secret", "ml", "fraud-key"): [("x", at, ("data.key",))],
        ObjectRef("Service", "ml", "front"): [],
    }
    by_name = {one.ref.kind: one for one in found.objects}
    assert by_name["HorizontalPodAutoscaler"].target == "Deployment/fraud"
    assert dict(by_name["Service"].selector) == {"app": "fraud"}
    assert found.unread == ()


def test_secrets_are_asked_for_by_their_metadata_and_their_values_are_not_kept() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    found = cluster(handle).list_written("ml")
    [asked] = [request for request in seen if request.url.path.endswith("/secrets")]
    assert asked.headers["accept"].startswith("application/json;as=PartialObjectMetadataList")
    assert "aHVudGVyMg" not in repr(found)


def test_what_may_not_be_listed_is_told_and_the_rest_is_there() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/secrets"):
            return status(403, "Forbidden", "secrets is forbidden")
        if request.url.path.endswith("/horizontalpodautoscalers"):
            return status(404, "NotFound", "the server could not find the requested resource")
        return answer(request)

    found = cluster(handle).list_written("ml")
    assert [one.ref.kind for one in found.objects] == ["ConfigMap", "Service"]
    assert [text.partition(":")[0] for text in found.unread] == ["Secret", "HorizontalPodAutoscaler"]
