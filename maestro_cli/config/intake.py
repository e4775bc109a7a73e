"""What a context says of where its signals come from."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

_Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]  # a cluster keeps events for an hour


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


class Reason(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a context changes of the rule of one reason; what is absent stays as it is shipped."""

    severity: Literal["sev3", "sev4"] | None = None
    threshold: Annotated[int, msgspec.Meta(ge=1)] | None = None
    window_seconds: _Seconds | None = None
    quiet_seconds: _Seconds | None = None


class Anomalies(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whether a watch looks for what is unusual, which measures may open incidents by themselves, and of how
    many series the metrics of a measure may be."""

    enabled: bool = True
    trusted: list[Literal["request_rate", "error_ratio", "latency", "saturation", "accuracy"]] = []
    max_series: Annotated[int, msgspec.Meta(ge=1)] = 10_000


class Warnings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whether warnings of the cluster are signals, which reasons are not, and the rules of further ones."""

    enabled: bool = False
    ignore: list[str] = []
    reasons: dict[str, Reason] = {}
