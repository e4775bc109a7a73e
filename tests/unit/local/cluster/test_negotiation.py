"""Which form an Accept header gets, and which URL is which resource."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.local.cluster.discovery import wants_aggregated
from maestro_cli.local.cluster.protobuf import decode_object
from maestro_cli.local.cluster.representation import choose_form
from maestro_cli.local.cluster.routes import Review, Route, resolve
from maestro_cli.local.cluster.status import ApiError

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", ""),
        ("*/*", ""),
        ("application/vnd.kubernetes.protobuf,application/json", ""),
        (f"{_TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", "Table"),
        (f"application/json,{_TABLE}", ""),
        (f"application/json;q=0.1,{_TABLE}", "Table"),
        ("application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadataList", "PartialObjectMetadata"),
    ],
)
def test_accept(accept: str, form: str) -> None:
    assert choose_form(accept) == form


@pytest.mark.parametrize(
    "accept", ["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Map"]
)
def test_what_is_not_served_is_refused(accept: str) -> None:
    with pytest.raises(ApiError) as refused:
        choose_form(accept)
    assert refused.value.code == 406


def test_aggregated_discovery_in_any_order_of_parameters() -> None:
    v2 = "application/json;profile=nopeer;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2"
    assert wants_aggregated(f"{v2},application/json")
    assert not wants_aggregated(f"application/json,{v2}")
    assert not wants_aggregated(v2.replace("v=v2", "v=v2beta1") + ",application/json")


def test_routes() -> None:
    scale = resolve("/apis/apps/v1/namespaces/ml/deployments/fraud/scale")
    assert isinstance(scale, Route)
    place = (scale.kind.plural, scale.namespace, scale.name, scale.subresource)
    assert place == ("deployments", "ml", "fraud", "scale")
    status = resolve("/api/v1/namespaces/ml/status")
    assert isinstance(status, Route)
    assert (status.kind.plural, status.name, status.subresource) == ("namespaces", "ml", "status")
    everywhere = resolve("/api/v1/pods")
    assert isinstance(everywhere, Route)
    assert everywhere.namespace == ""
    assert isinstance(resolve("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), Review)
    for path in ("/api/v1/pods/p", "/api/v1/namespaces/ml/nodes", "/apis/apps/v1", "/x", "/apis/batch/v1/jo"):
        assert resolve(path) is None


@given(st.binary(max_size=80))
def test_any_protobuf_is_read_or_refused(content: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        decode_object(b"k8s\0" + content)
    assert refused.value.code in (400, 415)
