"""Whether an outside system answers. Invariant: a check never raises for a system that does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EndpointCheck:
    """What `maestro doctor` says of one endpoint; `version` is empty when the system does not tell."""

    system: str
    url: str
    ok: bool
    version: str
    seconds: float
    error: str = ""
    fix: str = ""
