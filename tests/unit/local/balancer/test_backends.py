"""Which endpoints are used, in which order, and when connections move."""

from __future__ import annotations

from typing import Any

from maestro_cli.local.balancer.backends import Backends, Endpoint, usable_endpoints
from maestro_cli.local.balancer.services import annotation_for, port_in

A, B, C = (Endpoint(f"127.244.1.{last}", 8080) for last in (2, 3, 4))


def piece(*endpoints: tuple[str, bool | None, bool, bool], port: str = "http") -> dict[str, Any]:
    return {
        "ports": [{"name": port, "port": 8080}],
        "endpoints": [
            {"addresses": [ip], "conditions": {"ready": ready, "serving": serving, "terminating": ending}}
            for ip, ready, serving, ending in endpoints
        ],
    }


def test_ready_endpoints_are_used_and_translated() -> None:
    pieces = [
        piece(("10.244.1.2", True, True, False), ("10.244.1.3", False, False, False)),
        piece(("10.244.1.4", None, True, False)),
    ]
    assert usable_endpoints(pieces, "http") == {A, C}
    assert usable_endpoints(pieces, "other") == frozenset()


def test_terminating_endpoints_are_the_last_resort() -> None:
    ending = ("10.244.1.3", False, True, True)
    assert usable_endpoints([piece(ending)], "http") == {B}
    assert usable_endpoints([piece(ending, ("10.244.1.2", True, True, False))], "http") == {A}
    assert usable_endpoints([piece(("10.244.1.3", False, False, True))], "http") == frozenset()


def test_fewest_connections_first_equals_take_turns_unreachable_last() -> None:
    backends = Backends()
    backends.replace(frozenset({A, B, C}))
    for _ in range(3):
        backends.opened(backends.order(0)[0])
    assert backends.surplus() == {}
    backends.closed(B)
    assert backends.order(0)[0] == B
    backends.unreachable(B, now=0)
    assert backends.order(0.5)[-1] == B
    assert backends.order(1.5)[0] == B


def test_surplus_is_what_is_above_the_fair_share_and_everything_of_the_departed() -> None:
    backends = Backends()
    backends.replace(frozenset({A}))
    for _ in range(4):
        backends.opened(A)
    backends.replace(frozenset({A, B}))
    assert backends.surplus() == {A: 2}
    backends.replace(frozenset({B}))
    assert backends.surplus() == {A: 4}
    backends.replace(frozenset())
    assert backends.surplus() == {A: 4}


def test_annotations() -> None:
    assert annotation_for(0, "http") == "maestro.io/local-endpoint"
    assert annotation_for(1, "grpc") == "maestro.io/local-endpoint.grpc"
    assert [port_in(text) for text in ("127.0.0.1:80", None, "x", "127.0.0.1:99999")] == [80, 0, 0, 0]
