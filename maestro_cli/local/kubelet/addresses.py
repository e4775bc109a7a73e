"""Addresses for the pods of one node.

Invariant: an address has one owner at a time on this machine, also when several platforms run: who
holds the UDP socket on its port 61244 has the address, and the kernel lets go of it with the process.
"""

from __future__ import annotations

import errno
import socket
from collections import deque

from maestro_cli.local.addresses import REPORTED, listening_address

_RESERVATION_PORT = 61244


class AddressPool:
    """The addresses of one node, the longest unused one first."""

    def __init__(self, index: int) -> None:
        self._free = deque(f"{REPORTED}{index}.{last}" for last in range(2, 255))
        self._held: dict[str, socket.socket] = {}
        self.problem = ""

    def take(self, wanted: str = "") -> str | None:
        """An address for a pod (its old one if it is still free); None, and a `problem`, without one."""
        order = [wanted] if wanted in self._free else []
        for address in [*order, *self._free]:
            if self._reserve(address):
                self._free.remove(address)
                return address
        return None

    def _reserve(self, address: str) -> bool:
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            held.bind((listening_address(address), _RESERVATION_PORT))
        except OSError as problem:
            held.close()
            self.problem = f"{listening_address(address)}: {problem.strerror}"
            if problem.errno == errno.EADDRNOTAVAIL:
                self.problem += " (on macOS, add it: ifconfig lo0 alias ADDRESS)"
            return False
        self._held[address] = held
        return True

    def give_back(self, address: str) -> None:
        """The pod is gone: others may have its address."""
        held = self._held.pop(address, None)
        if held is not None:
            held.close()
            self._free.append(address)
