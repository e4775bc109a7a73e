"""What a context says of where its signals come from."""

from __future__ import annotations

import msgspec


class Receiver(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where an Alertmanager posts, and what proves that it does: any of a bearer token, a user name with a
    password, and a secret in the header X-Maestro-Secret.

    `token`, `password` and `secret` are secret references.
    """

    listen: str | None = None
    token: str | None = None
    username: str | None = None
    password: str | None = None
    secret: str | None = None

    @property
    def references(self) -> dict[str, str]:
        """The secret references by their keys."""
        named = {"token": self.token, "password": self.password, "secret": self.secret}
        return {key: reference for key, reference in named.items() if reference is not None}
