"""Requests under disturbance: what clients lose and wait while the platform is operated and breaks.

A steady open-loop load through the load balancer; a rolling update a quarter of the way in, a replica killed
every 30 s, another routing document every 10 s. `SOAK_SECONDS` makes it shorter than ten minutes.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from tests.bench.figures import Figure
from tests.bench.terminal import Failed, terminal
from tests.e2e.disturbance import Disturbance, Kill, Load, Request, lost_without_a_kill

RATE = 100.0  # a second, beside the 50 of the platform's own load
KILL_SECONDS = 30.0
ROUTING_SECONDS = 10.0
LAST_ROUTING_SECONDS = 30.0  # the last document may take that long to be served
MOST_MISSED_KILLS = 20.0  # per cent; while a rollout leaves one replica ready, none is killed
_SLACK_SECONDS = 2.0
_LOOK_SECONDS = 0.25


def measure() -> list[Figure]:
    """One platform, from when it is well until the time is over."""
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    with terminal() as session:
        if (up := session.run("local", "up")).returncode != 0:
            raise Failed(f"the platform did not start: {up.stderr.strip()[-300:]}")
        disturbance = Disturbance(session)
        with Load(disturbance.url, disturbance.key, RATE) as load:
            told = _disturb(disturbance, seconds)
    return _figures(load.requests, disturbance.kills, told, seconds)


class Platform(Protocol):
    """What is done to a platform; `Disturbance` does it."""

    def start_rollout(self) -> None: ...
    def await_rollout(self) -> None: ...
    def kill_a_replica(self) -> bool: ...
    def change_routing(self) -> str: ...
    def routing_in_force(self) -> str: ...


def _disturb(platform: Platform, seconds: float) -> Counter[str]:
    """Do what is due when it is due; how often each was `due`, and how many documents were then `served`.

    Raises what the rollout raised.
    """
    told: Counter[str] = Counter()
    digests: set[str] = set()
    started = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        rollouts: list[Future[None]] = []
        due: dict[str, tuple[float, float, Callable[[], object]]] = {
            "rollouts": (seconds / 4, seconds, lambda: rollouts.append(beside.submit(_roll_out, platform))),
            "kills": (KILL_SECONDS / 2, KILL_SECONDS, platform.kill_a_replica),
            "put": (ROUTING_SECONDS / 2, ROUTING_SECONDS, platform.change_routing),
        }
        while (elapsed := time.monotonic() - started) < seconds:
            for name, (at, every, act) in due.items():
                if elapsed >= at:
                    due[name] = (at + every, every, act)
                    told[name] += 1
                    act()
            _look(platform, digests)
        for rollout in rollouts:
            rollout.result()
    last_look = time.monotonic() + LAST_ROUTING_SECONDS
    while len(digests) <= told["put"] and time.monotonic() < last_look:
        _look(platform, digests)
    told["served"] = len(digests) - 1  # without the one from before
    return told


def _roll_out(platform: Platform) -> None:
    platform.start_rollout()
    platform.await_rollout()


def _look(platform: Platform, digests: set[str]) -> None:
    if digest := platform.routing_in_force():
        digests.add(digest)
    threading.Event().wait(_LOOK_SECONDS)


def _figures(
    requests: Sequence[Request], kills: Sequence[Kill], told: Mapping[str, int], seconds: float
) -> list[Figure]:
    """Without a rollout, kills and documents there is nothing that was measured: that misses its budget."""
    lost = [request for request in requests if request.is_lost]
    notes = {
        "seconds": seconds,
        "rate": RATE,
        "requests": len(requests),
        "lost": dict(Counter(f"{request.code} {request.why[:60]}".strip() for request in lost)),
        "kills": len(kills),
        "due": dict(told),
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
        Figure("  kills that were due and not done", "%", (_missed(len(kills), told["kills"]),),
               MOST_MISSED_KILLS, True),
        Figure("  routing documents that were put and not served", "%",
               (_missed(told["served"], told["put"]),), 0, True, notes=dict(told)),
        Figure("  rollouts not done", "%", (_missed(told["rollouts"], 1),), 0, True),
    ]  # fmt: skip


def _missed(done: int, due: int) -> float:
    """Per cent of what was due; all of it when nothing was."""
    return 100 * max(0, due - done) / due if due else 100.0


def _quantile(ordered: Sequence[float], share: float) -> float:
    """What this share of them do not exceed; a lost request counts with the time until it was lost."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
