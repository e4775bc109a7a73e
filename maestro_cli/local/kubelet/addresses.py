"""Addresses for the pods of one node. Invariant: an address has one owner at a time."""

from __future__ import annotations

from collections import deque

from maestro_cli.local.addresses import REPORTED


class AddressPool:
    """The addresses of one node, the longest unused one first."""

    def __init__(self, index: int) -> None:
        self._free = deque(f"{REPORTED}{index}.{last}" for last in range(2, 255))
        self._taken: set[str] = set()

    def take(self, wanted: str = "") -> str | None:
        """An address for a pod (its old one if it is still free); None when all are taken."""
        if wanted in self._free:
            self._free.remove(wanted)
            address = wanted
        elif self._free:
            address = self._free.popleft()
        else:
            return None
        self._taken.add(address)
        return address

    def give_back(self, address: str) -> None:
        if address in self._taken:
            self._taken.remove(address)
            self._free.append(address)
