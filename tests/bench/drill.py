"""A whole incident, from nothing to its post-mortem."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.figures import Figure, seconds_of
from tests.bench.terminal import BIN, Failed, run, terminal


def measure() -> list[Figure]:
    """One drill from an empty state folder, with the platform's start and its end in the time."""
    results: list[str] = []

    def rehearse() -> None:
        done = run([str(BIN / "maestro"), "drill", "run", "bad-release", "-o", "json"], session.environment)
        results.append(done.stdout)

    with terminal() as session:
        seconds = seconds_of(rehearse)
    card: dict[str, Any] = json.loads(results[0])
    if not card.get("passed", True):
        raise Failed("the drill did not pass")
    return [Figure("maestro drill run bad-release, cold", "s", (seconds,), 60, notes={"card": card})]
