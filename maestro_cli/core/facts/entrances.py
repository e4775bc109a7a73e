"""Entrances: where callers come in, and which region serves them.

Invariant: an entrance is a Service without a selector and its one EndpointSlice, which names the region that
serves; the regions that may are annotations of the Service. All of it is text from outside.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from maestro_cli.core.refs import ObjectRef

SERVICE_LABEL = "app.kubernetes.io/name"
REGION_PREFIX = "region.maestro.io/"  # and its name: the URL at which that region says that it is well


@dataclass(frozen=True, slots=True)
class Entrance:
    """A Service (`ref`) and its slice: `uid` and `resource_version` are the slice's, which is written to.

    `regions` are URLs by name. `endpoints` and `ports` are as the slice has them, plain JSON. `serves` is the
    service that the slice names by its label, else the Service by its own.
    """

    ref: ObjectRef
    slice: str
    uid: str
    resource_version: str
    generation: int
    regions: Mapping[str, str]
    endpoints: Sequence[Mapping[str, Any]]
    ports: Sequence[Mapping[str, Any]]
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    serves: str = ""

    @property
    def region(self) -> str:
        """The region that the slice names; "" where that is none of them."""
        return self.region_of(self.endpoints, self.ports)

    def region_of(self, endpoints: Sequence[Mapping[str, Any]], ports: Sequence[Mapping[str, Any]]) -> str:
        """The region that such endpoints and ports name; "" where that is none of them."""
        addresses = {str(one) for each in endpoints for one in each.get("addresses") or ()}
        numbers = {int(one.get("port") or 0) for one in ports}
        for name, url in sorted(self.regions.items()):
            address, port = address_of(url)
            if addresses == {address} and numbers == {port}:
                return name
        return ""


def address_of(url: str) -> tuple[str, int]:
    """The IPv4 address and port that a slice can name; raises ValueError, saying what it is not."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https URL")
    try:
        ipaddress.IPv4Address(parts.hostname)
    except ValueError:
        raise ValueError("names no IPv4 address, and an EndpointSlice takes nothing else here") from None
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
