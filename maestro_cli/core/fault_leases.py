"""Faults leased to a pod: annotations that the embedded platform's balancer and kubelets carry out.

Invariant: a lease has an end, at most MAX_SECONDS after it is read, and does nothing from then on, whether
anybody takes it away or not. What is not a lease is none: it is passed over, and never guessed at. One
annotation a fault, named for the change that put it there: `fault.maestro.io/CHANGE`, whose text is
`{"kind": …, "ends": RFC 3339, "parameters": {NAME: number}}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from maestro_cli.core.clock import from_rfc3339, to_rfc3339

PREFIX = "fault.maestro.io/"
MAX_SECONDS = 960.0  # as long as a fault of the model server's hooks, with a leash
FILLED = "ScratchFilled"  # the reason of the event in which a kubelet says what it wrote, and for whom
RETRANSMISSION_SECONDS = 0.2  # after which TCP sends the first time again: Linux' least (TCP_RTO_MIN)
CONNECT_SECONDS = 2.0  # as long as the load balancer tries one pod
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class FaultLease:
    """One fault of one pod; `note` is the id of the change that put it there."""

    note: str
    kind: str
    ends: datetime
    parameters: Mapping[str, float] = field(default_factory=dict)

    def is_in_force(self, now: datetime) -> bool:
        return now < self.ends <= now + timedelta(seconds=MAX_SECONDS)


def annotation_of(lease: FaultLease) -> tuple[str, str]:
    """Its name and its text."""
    said = {"kind": lease.kind, "ends": to_rfc3339(lease.ends), "parameters": dict(lease.parameters)}
    return f"{PREFIX}{lease.note}", json.dumps(said, sort_keys=True, separators=(",", ":"))


def read_leases(annotations: Mapping[str, str]) -> tuple[FaultLease, ...]:
    """Those among the annotations of a pod, over or not, by note."""
    found = (_read(name, text) for name, text in sorted(annotations.items()) if name.startswith(PREFIX))
    return tuple(one for one in found if one is not None)


def in_force(leases: Iterable[FaultLease], kind: str, now: datetime) -> list[FaultLease]:
    """Those of one kind that are not over."""
    return [one for one in leases if one.kind == kind and one.is_in_force(now)]


def _read(name: str, text: str) -> FaultLease | None:
    if len(text) > _MAX_TEXT:
        return None
    try:
        said = json.loads(text)
        parameters = {str(key): float(value) for key, value in said["parameters"].items()}
        if any(not 0 <= value < 1e12 for value in parameters.values()):
            return None
        return FaultLease(
            name.removeprefix(PREFIX), str(said["kind"]), from_rfc3339(said["ends"]), parameters
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
