"""What faults do to the way between the balancer and a pod, by the pod's address.

Invariant: where no lease is in force there is no shape, and nothing is different; a lease that is over has no
shape from that instant on, whoever put it there and whether they live. Several leases of one pod add up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Protocol

from maestro_cli.core.fault_leases import RETRANSMISSION_SECONDS, FaultLease, in_force

KIND = "link"
_MOST_RETRANSMISSIONS = 6  # the time doubles with each (RFC 6298)


@dataclass(frozen=True, slots=True)
class Shape:
    """`delay_seconds` are added to what goes to the pod, `jitter_seconds` at most and at random besides; of
    each piece `loss` (0 to 1) are lost and sent again as TCP does; both ways carry `bytes_per_second` at most
    (0: any); with `partition` nothing passes.
    """

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    loss: float = 0.0
    bytes_per_second: float = 0.0
    partition: bool = False

    def lateness(self, random: Random, *, to_pod: bool) -> float:
        """By how much one piece comes later, besides what the bandwidth says; seconds."""
        late = 0.0
        if to_pod:
            late += self.delay_seconds + self.jitter_seconds * random.random()
        lost = 0
        while lost < _MOST_RETRANSMISSIONS and random.random() < self.loss:
            late += RETRANSMISSION_SECONDS * 2**lost
            lost += 1
        return late


def shape_of(leases: Iterable[FaultLease], now: datetime) -> Shape | None:
    """All that is in force together, or None."""
    found = [one.parameters for one in in_force(leases, KIND, now)]
    if not found:
        return None
    passes, bandwidths = 1.0, [one["bytes_per_second"] for one in found if one.get("bytes_per_second")]
    for one in found:
        passes *= 1.0 - min(1.0, one.get("loss", 0.0))
    return Shape(
        delay_seconds=sum(one.get("milliseconds", 0.0) for one in found) / 1000,
        jitter_seconds=sum(one.get("jitter_milliseconds", 0.0) for one in found) / 1000,
        loss=1.0 - passes,
        bytes_per_second=min(bandwidths, default=0.0),
        partition=any(one.get("partition") for one in found),
    )


class Waiting(Protocol):
    """What holds back bytes because of a shape."""

    def reconsider(self) -> None:
        """The shape is another, or gone."""


class Shapes:
    """The shapes of all pods; `now` tells the time in UTC."""

    def __init__(self, now: Callable[[], datetime], random: Random) -> None:
        self._now = now
        self.random = random
        self._leases: dict[str, tuple[FaultLease, ...]] = {}
        self._waiting: dict[str, set[Waiting]] = {}
        self._free_at: dict[tuple[str, bool], float] = {}  # when a limited way has carried what it was given
        self._ends: dict[str, asyncio.TimerHandle] = {}

    def of(self, address: str) -> Shape | None:
        """The shape now; cheap where there is none."""
        leases = self._leases.get(address)
        return None if leases is None else shape_of(leases, self._now())

    def learn(self, address: str, leases: tuple[FaultLease, ...]) -> None:
        """These are the leases of the pod at that address now."""
        if leases == self._leases.get(address, ()):
            return
        if leases:
            self._leases[address] = leases
        else:
            self._leases.pop(address, None)
        self._reconsider(address)

    def carried_at(self, address: str, shape: Shape, size: int, now: float, *, to_pod: bool) -> float:
        """When that many bytes are through, one after the other with all others of that way; loop time."""
        if not shape.bytes_per_second:
            return now
        way = (address, to_pod)
        self._free_at[way] = max(now, self._free_at.get(way, 0.0)) + size / shape.bytes_per_second
        return self._free_at[way]

    def waits(self, address: str, one: Waiting) -> None:
        """Tell it when the shape changes."""
        self._waiting.setdefault(address, set()).add(one)

    def waits_no_more(self, address: str, one: Waiting) -> None:
        there = self._waiting.get(address, set())
        there.discard(one)
        if not there:
            self._waiting.pop(address, None)

    def _reconsider(self, address: str) -> None:
        """Now, and when the next of its leases is over."""
        if (timer := self._ends.pop(address, None)) is not None:
            timer.cancel()
        now = self._now()
        lasting = [one.ends for one in in_force(self._leases.get(address, ()), KIND, now)]
        if lasting:
            seconds = (min(lasting) - now).total_seconds()
            loop = asyncio.get_running_loop()
            self._ends[address] = loop.call_later(seconds + 0.001, self._reconsider, address)
        else:
            self._free_at.pop((address, True), None)
            self._free_at.pop((address, False), None)
        for one in list(self._waiting.get(address, ())):
            one.reconsider()
