"""Pods that are about to be killed for their memory. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from maestro_cli.incidents.triage.facts import CaseFacts
from maestro_cli.incidents.triage.measure import Telemetry
from maestro_cli.incidents.triage.model import Evidence

NEAR_LIMIT, WELL_BELOW = 0.85, 0.7  # shares of a memory limit


class Asked(Protocol):
    """What the collector left."""

    @property
    def error(self) -> str: ...

    @property
    def seconds(self) -> float: ...


def hunger_of(pod: str, shares: Mapping[str, float]) -> str:
    """How near its memory limit a pod is while no other is, in words; "" when it is not, or alone."""
    others = [share for name, share in shares.items() if name != pod]
    own = shares.get(pod, 0.0)
    if own < NEAR_LIMIT or not others or max(others) >= WELL_BELOW:
        return ""
    return f"it uses {100 * own:.0f} % of its memory limit, every other {100 * max(others):.0f} % or less"


def memory_evidence(case: CaseFacts, asked: Asked, telemetry: Telemetry, now: datetime) -> Evidence:
    """What each pod of the workload uses of its limit."""
    shares, query = case.memory, telemetry.queries.memory_share()
    kind, title, source = "memory", "Memory", "prometheus"
    if asked.error:
        why = f"not collected: {asked.error}"
        return Evidence(kind, title, query, now, source, why, ok=False, error=asked.error)
    most = max(shares, key=lambda pod: shares[pod], default="")
    summary = (
        f"{most} uses {100 * shares[most]:.0f} % of its limit, the most" if most else "no limit is known"
    )
    return Evidence(kind, title, query, now, source, summary, dict(shares), seconds=asked.seconds)
