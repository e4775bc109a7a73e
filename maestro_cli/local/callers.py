"""Who calls the model services of the embedded platform: one load a service.

Invariant: the first service is there always; the second only where `up` was asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The load of one service: `part` is its process, `share` how many times the usual rate it sends.

    The service, its Deployment and its model have one name.
    """

    service: str
    part: str
    share: float


FIRST = Caller("fraud", "load", 1.0)
# Two replicas of it carry as much each as three of the first do.
SECOND = Caller("recommendation", "load-recommendation", 2 / 3)


def callers(*, second: bool) -> tuple[Caller, ...]:
    """Those of a platform, the first service's first."""
    return (FIRST, SECOND) if second else (FIRST,)


def caller_of(service: str) -> Caller:
    """Who calls that service. Raises KeyError."""
    return {caller.service: caller for caller in callers(second=True)}[service]
