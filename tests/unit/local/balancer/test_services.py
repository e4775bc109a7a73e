"""Which ports of which Services are served."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.local.addresses import MACHINE, listening_address
from maestro_cli.local.balancer.services import _tcp_ports


def service(name: str = "fraud", namespace: str = "ml", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"ports": ports, **spec}}


@pytest.mark.parametrize(
    ("made", "served"),
    [
        (service(selector={"app": "fraud"}), ["http"]),
        (service(), ["http"]),  # somebody else writes its slices
        (service(type="ExternalName"), []),
        (service("kubernetes", "default"), []),
    ],
)
def test_every_service_is_served_but_what_is_elsewhere(made: dict[str, Any], served: list[str]) -> None:
    assert [port["name"] for port in _tcp_ports(made)] == served


def test_pods_and_the_machine_itself_listen_where_they_are_not_reported() -> None:
    assert [listening_address(one) for one in ("10.244.3.7", MACHINE, "192.0.2.1")] == [
        "127.244.3.7", "127.0.0.1", "192.0.2.1",
    ]  # fmt: skip
