"""Every route, asked in every wrong way: the answer is JSON with an error, and a 4xx."""

from __future__ import annotations

import pytest

from maestro_cli.serving.endpoints import all_routes
from tests.unit.serving.served import Served

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "MAESTRO")
BODIES = (
    b"", b"[", b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe\x00", b"{}" * 2, b"[" * 5000, b'{"inputs":7}',
    b'{"parameters":7}', b'{"ready":7}',
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {}, {"inference-header-content-length": "-1"}, {"content-encoding": "br"}, {"content-encoding": "gzip"},
    {"content-type": "text/html"},
)  # fmt: skip


def paths_of(server: Served) -> dict[str, set[str]]:
    """The methods of each path, its parameters filled in with what is served."""
    found: dict[str, set[str]] = {}
    for route in all_routes(server.application.replica):
        path = route.path.replace("{model}", "fraud").replace("{version}", "1")
        found.setdefault(path, set()).add(route.method)
    return found


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


def test_another_method_is_told_what_is_allowed_on_every_route(served: Served) -> None:
    for path, methods in paths_of(served).items():
        for method in METHODS:
            if method not in methods:
                answer = served.request(method, path, content=b"[")
                assert (answer.status_code, set(answer.json())) == (405, {"error"}), (method, path)
                assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == methods
                assert answer.headers["content-type"] == "application/json"


def test_another_body_is_the_clients_fault_on_every_route() -> None:
    for path, methods in paths_of(Served()).items():
        for method in methods - {"GET"}:
            server = Served()  # one body may have unloaded the model
            for content in BODIES:
                for headers in HEADERS:
                    answer = server.request(method, path, content=content, headers=headers)
                    case = (method, path, content[:20], headers, answer.text)
                    assert answer.status_code == 200 or 400 <= answer.status_code < 500, case
                    if answer.status_code != 200:
                        assert set(answer.json()) == {"error"}, case
                        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["nope", "%00", "%2e%2e%2fetc", "a" * 300, "%1b[2J", "%ff", "fraud%2f1"])
def test_another_name_is_not_found_on_every_route(served: Served, name: str) -> None:
    for route in all_routes(served.application.replica):
        if "{model}" in route.path:
            path = route.path.replace("{model}", name).replace("{version}", "1")
            answer = served.request(route.method, path)
            assert (answer.status_code, set(answer.json())) in ((404, {"error"}), (400, {"error"})), path
            assert "\x1b" not in answer.text


@pytest.mark.parametrize("version", ["0", "01", "-1", "1.0", "9" * 400, "latest", "%00", "2", "%D9%A1"])
def test_another_version_is_not_found_on_every_route(served: Served, version: str) -> None:
    for route in all_routes(served.application.replica):
        if "{version}" in route.path:
            path = route.path.replace("{model}", "fraud").replace("{version}", version)
            answer = served.request(route.method, path)
            assert (answer.status_code, set(answer.json())) == (404, {"error"}), path


def test_the_configuration_tells_the_batch_and_the_tensors(served: Served) -> None:
    for path in ("/v2/models/fraud/config", "/v2/models/fraud/versions/1/config"):
        told = served.get(path).json()
        assert (told["name"], told["max_batch_size"], told["backend"]) == ("fraud", 4096, "onnxruntime")
        assert told["input"] == [
            {"name": "features", "data_type": "TYPE_FP32", "dims": [9]},
            {"name": "purpose", "data_type": "TYPE_INT64", "dims": [1]},
        ]
        assert [one["dims"] for one in told["output"]] == [[], []]
