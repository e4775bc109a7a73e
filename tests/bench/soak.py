"""Requests under disturbance: what clients lose and wait while the platform is operated and breaks.

A steady open-loop load through the load balancer; a rolling update a quarter of the way in, a replica killed
every 30 s, another routing document every 10 s. `SOAK_SECONDS` makes it shorter than ten minutes.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.bench.figures import Figure
from tests.bench.terminal import Failed, terminal
from tests.e2e.disturbance import Disturbance, Load, Request, lost_without_a_kill

RATE = 100.0  # a second, beside the 50 of the platform's own load
KILL_SECONDS = 30.0
ROUTING_SECONDS = 10.0
_SLACK_SECONDS = 2.0


def measure() -> list[Figure]:
    """One platform, from when it is well until the time is over."""
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    with terminal() as session:
        if (up := session.run("local", "up")).returncode != 0:
            raise Failed(f"the platform did not start: {up.stderr.strip()[-300:]}")
        disturbance = Disturbance(session)
        with Load(disturbance.url, disturbance.key, RATE) as load:
            routings = _disturb(disturbance, seconds)
    return _figures(load.requests, disturbance, routings, seconds)


def _disturb(disturbance: Disturbance, seconds: float) -> Counter[str]:
    """Do what is due when it is due; how many documents were put, and how many digests were then served."""
    told: Counter[str] = Counter()
    digests: set[str] = set()
    started = time.monotonic()

    def roll_out() -> None:
        disturbance.start_rollout()
        disturbance.await_rollout()

    rollout = threading.Thread(target=roll_out)

    def change_routing() -> None:
        disturbance.change_routing()
        told["put"] += 1

    due: list[tuple[float, float, Callable[[], object]]] = [
        (seconds / 4, seconds, rollout.start),
        (KILL_SECONDS / 2, KILL_SECONDS, disturbance.kill_a_replica),
        (ROUTING_SECONDS / 2, ROUTING_SECONDS, change_routing),
    ]
    while (elapsed := time.monotonic() - started) < seconds:
        for number, (at, every, act) in enumerate(due):
            if elapsed >= at:
                due[number] = (at + every, every, act)
                act()
        digests.add(disturbance.routing_in_force())
        threading.Event().wait(0.25)
    rollout.join()
    told["served"] = len(digests - {""}) - 1  # without the one from before
    return told


def _figures(
    requests: Sequence[Request], disturbance: Disturbance, routings: Counter[str], seconds: float
) -> list[Figure]:
    lost = [request for request in requests if request.is_lost]
    kills = disturbance.kills
    notes = {
        "seconds": seconds,
        "rate": RATE,
        "requests": len(requests),
        "lost": dict(Counter(f"{request.code} {request.why[:60]}".strip() for request in lost)),
        "kills": len(kills),
        "routing": dict(routings),
    }
    unexplained = len(lost_without_a_kill(requests, kills, _SLACK_SECONDS))
    times = sorted(request.seconds for request in requests)
    return [
        Figure("lost requests under a rollout, kills and routing changes", "%",
               (100 * len(lost) / len(requests),), 0.1, notes=notes),
        Figure("  p95 from the intended send time", "ms", (_quantile(times, 0.95) * 1e3,), 100),
        Figure("  p99", "ms", (_quantile(times, 0.99) * 1e3,), 200),
        Figure("  p50", "ms", (_quantile(times, 0.5) * 1e3,)),
        Figure("  requests", "requests", (float(len(requests)),)),
        Figure("  lost while no replica died", "requests", (float(unexplained),), 0, True),
        Figure("  replicas killed", "kills", (float(len(kills)),)),
        Figure("  routing documents put, of which served", "documents", (float(routings["served"]),),
               notes=dict(routings)),
    ]  # fmt: skip


def _quantile(ordered: Sequence[float], share: float) -> float:
    """What this share of them do not exceed; a lost request counts with the time until it was lost."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
