"""Which endpoints a Service has, and which one is next.

Invariant: pure but for its own counters; a choice never names an endpoint outside the present set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maestro_cli.local.addresses import listening_address
from maestro_cli.local.objects import Object

_AVOID_SECONDS = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Where a pod listens for one Service port."""

    address: str
    port: int


def usable_endpoints(slices: Iterable[Object], port_name: str) -> frozenset[Endpoint]:
    """The ready endpoints for a port; those that serve while terminating when there is no ready one."""
    ready: set[Endpoint] = set()
    ending: set[Endpoint] = set()
    for piece in slices:
        number = _port_number(piece, port_name)
        if number is None:
            continue
        for entry in piece.get("endpoints") or ():
            conditions = entry.get("conditions") or {}
            found = {Endpoint(listening_address(ip), number) for ip in entry.get("addresses") or ()}
            # an absent `ready` means unknown, and unknown counts as ready (discovery.k8s.io/v1)
            if conditions.get("ready") is not False:
                ready |= found
            elif conditions.get("serving") and conditions.get("terminating"):
                ending |= found
    return frozenset(ready or ending)


def _port_number(piece: Object, name: str) -> int | None:
    for port in piece.get("ports") or ():
        if (port.get("name") or "") == name and port.get("port"):
            return int(port["port"])
    return None


class Backends:
    """Chooses the endpoint with the fewest connections; equals take turns."""

    def __init__(self) -> None:
        self.endpoints: frozenset[Endpoint] = frozenset()
        self._connections: dict[Endpoint, int] = {}
        self._turns: dict[Endpoint, int] = {}
        self._avoided: dict[Endpoint, float] = {}
        self._turn = 0

    def replace(self, endpoints: frozenset[Endpoint]) -> None:
        """Take a new set; connection counts of departed ones go on until they close."""
        self.endpoints = endpoints
        self._turns = {endpoint: turn for endpoint, turn in self._turns.items() if endpoint in endpoints}

    def order(self, now: float) -> Sequence[Endpoint]:
        """The endpoints in the order to try them; recently unreachable ones last."""
        return sorted(
            self.endpoints,
            key=lambda endpoint: (
                self._avoided.get(endpoint, 0.0) > now,
                self._connections.get(endpoint, 0),
                self._turns.get(endpoint, 0),
                endpoint,
            ),
        )

    def opened(self, endpoint: Endpoint) -> None:
        self._turn += 1
        self._turns[endpoint] = self._turn
        self._avoided.pop(endpoint, None)
        self._connections[endpoint] = self._connections.get(endpoint, 0) + 1

    def closed(self, endpoint: Endpoint) -> None:
        left = self._connections.get(endpoint, 0) - 1
        if left > 0:
            self._connections[endpoint] = left
        else:
            self._connections.pop(endpoint, None)

    def unreachable(self, endpoint: Endpoint, now: float) -> None:
        """A connection failed: try others first for a second."""
        self._avoided[endpoint] = now + _AVOID_SECONDS

    def surplus(self) -> dict[Endpoint, int]:
        """How many connections each endpoint has beyond its fair share (all, when it has left)."""
        total = sum(self._connections.values())
        fair = -(-total // len(self.endpoints)) if self.endpoints else 0
        return {
            endpoint: count - (fair if endpoint in self.endpoints else 0)
            for endpoint, count in self._connections.items()
            if count > (fair if endpoint in self.endpoints else 0)
        }
