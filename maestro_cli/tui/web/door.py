"""Who may see the console that is served.

Invariant: the ticket of the address is good for one visit, and the session that it is exchanged for is in no
address, no page and no log; every comparison takes as long whatever is guessed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

_BYTES = 32  # of randomness, in the ticket as in the session


class Door:
    """Decides on the headers of one request at a time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ticket = secrets.token_urlsafe(_BYTES)
        self.cookie = f"maestro_console_{port}"  # browsers share cookies among the ports of a host
        self._session = secrets.token_urlsafe(_BYTES)
        self._is_redeemed = False
        names = ("127.0.0.1", "localhost")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())

    def exchange(self, ticket: str) -> str | None:
        """The session for the ticket, once; None for another, or a second time."""
        if not _same(ticket, self.ticket) or self._is_redeemed:
            return None
        self._is_redeemed = True
        return self._session

    def knows(self, session: str) -> bool:
        """Whether this is the session that the ticket was exchanged for."""
        return _same(session, self._session) and self._is_redeemed

    def objection(self, hosts: Sequence[str], origins: Sequence[str], *, is_socket: bool) -> str:
        """Why a request with these headers comes from elsewhere; "" where it does not.

        A page of somebody else's whose name was made to lead here sends its own name as the host; one that
        opens a websocket sends its own origin.
        """
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "the host is not this machine"
        wanted = [f"http://{hosts[0].lower()}"]
        if (origins or is_socket) and list(origins) != wanted:
            return "the origin is another page"
        return ""


def _same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "backslashreplace"), known.encode())
