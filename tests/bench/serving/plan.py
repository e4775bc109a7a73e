"""How long is measured, and how often."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds are those of one schedule; `cycles` is how many pairs each part of the server has."""

    rounds: int = 5
    warm_seconds: float = 1.5
    equal_seconds: float = 6.0
    probe_seconds: float = 3.0
    first_requests: int = 3000
    cycles: int = 9
    slot_seconds: float = 2.0


SHORT = Plan(
    rounds=2,
    warm_seconds=0.5,
    equal_seconds=2,
    probe_seconds=2,
    first_requests=500,
    cycles=3,
    slot_seconds=1,
)


def plan_of() -> Plan:
    """The whole plan, or the short one when BENCH_SHORT is set."""
    return SHORT if os.environ.get("BENCH_SHORT") else Plan()
