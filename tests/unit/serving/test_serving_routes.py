"""A path finds its row, or is told why not."""

from __future__ import annotations

import pytest

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError
from maestro_cli.serving.protocol.http import Reply
from maestro_cli.serving.routes import Call, Route, RouteTable


async def handler(call: Call) -> Reply:
    return Reply(200, b"")


def table(*rows: tuple[str, str]) -> RouteTable:
    return RouteTable(Route(method, path, handler, Permission.VIEW) for method, path in rows)


TABLE = table(
    ("GET", "/v2"), ("GET", "/v2/models/{model}"), ("POST", "/v2/models/{model}/infer"), ("GET", "/a"),
    ("DELETE", "/a"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "row", "parameters"),
    [
        ("GET", "/v2", "/v2", {}),
        ("HEAD", "/v2", "/v2", {}),
        ("GET", "/v2/models/fraud", "/v2/models/{model}", {"model": "fraud"}),
        ("POST", "/v2/models/../infer", "/v2/models/{model}/infer", {"model": ".."}),
        ("DELETE", "/a", "/a", {}),
    ],
)
def test_a_path_finds_its_row(method: str, path: str, row: str, parameters: dict[str, str]) -> None:
    route, found = TABLE.match(method, path)
    assert (route.path, found) == (row, parameters)


@pytest.mark.parametrize("path", ["", "/", "/v2/", "/v2/models/a/b", "/v2/models/{model}/x", "/V2", "v2"])
def test_another_path_is_not_found(path: str) -> None:
    with pytest.raises(RequestError) as refused:
        TABLE.match("GET", path)
    assert refused.value.status == 404


@pytest.mark.parametrize(("method", "allow"), [("POST", "GET, DELETE, HEAD"), ("get", "GET, DELETE, HEAD")])
def test_another_method_is_told_what_is_allowed(method: str, allow: str) -> None:
    with pytest.raises(RequestError) as refused:
        TABLE.match(method, "/a")
    assert (refused.value.status, refused.value.headers) == (405, {"allow": allow})


def test_two_rows_of_one_method_and_path_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="twice"):
        table(("GET", "/x/{y}"), ("GET", "/x/{y}"))
