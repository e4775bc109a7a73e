"""Services that are lived through second by second, so that what really happened is known, and scraped.

Invariant: the same seed gives the same services. What the scrapes show is what a counter in a process would:
it dies with the process, is born with the first event, and nobody sees it in a gap.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SCRAPE, TICK = 15, 5  # seconds
LEAD = 300  # seconds of life before the span


@dataclass
class Process:
    """One target. `unseen` are stretches of seconds; failures are shown from `shown` on, and half of all are
    failures in the time of the `outage`. `happened` is what there was in the span, by code."""

    instance: str
    rate: float
    bad: float
    begin: float = -LEAD
    end: float = 10**9
    restarts: tuple[float, ...] = ()
    unseen: tuple[tuple[float, float], ...] = ()
    shown: float = -(10**9)
    outage: tuple[float, float] = (0, 0)
    samples: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: {"200": [], "500": []})
    happened: dict[str, int] = field(default_factory=lambda: {"200": 0, "500": 0})


@dataclass(frozen=True)
class Service:
    name: str
    faults: frozenset[str]
    processes: tuple[Process, ...]

    @property
    def truth(self) -> float:
        """The share of good events of all that happened in the span, seen or not."""
        bad = sum(one.happened["500"] for one in self.processes)
        return 1 - bad / sum(sum(one.happened.values()) for one in self.processes)


FAULTS = ("reset", "gap", "reset in a gap", "hidden reset", "birth", "death", "found late")
_OLDEST = 12 * 3600  # seconds before the span


def services(count: int, seconds: int, seed: int) -> list[Service]:
    """Half of them with nothing out of order, the others with one or two faults each."""
    chance = random.Random(seed)
    return [_service(f"s{number}", chance, seconds) for number in range(count)]


def openmetrics(found: Iterable[Service], start: int) -> str:
    """Their scrapes as a text of samples with times, from `start` in seconds since 1970."""
    return "\n".join(("# TYPE r counter", *_lines(found, start), "# EOF", ""))


def _lines(found: Iterable[Service], start: int) -> Iterator[str]:
    for service in found:
        for process in service.processes:
            for code, points in process.samples.items():
                told = f'r_total{{service="{service.name}",instance="{process.instance}",code="{code}"}}'
                yield from (f"{told} {value} {start + at:.3f}" for at, value in points)


def _service(name: str, chance: random.Random, seconds: int) -> Service:
    faults = frozenset(chance.sample(FAULTS, chance.choice((0, 0, 1, 2))))
    rate, bad = 10 ** chance.uniform(-0.3, 1.5), chance.choice((0.001, 0.01, 0.05))
    middle = (chance.uniform(0.2, 0.4) * seconds, chance.uniform(0.5, 0.8) * seconds)
    first, second = Process("a", rate, bad), Process("b", rate, bad)
    if "reset" in faults:
        first.restarts += tuple(
            sorted(chance.uniform(0, seconds - 600) for _ in range(chance.randrange(1, 5)))
        )
    if faults & {"gap", "reset in a gap"}:
        hole = chance.uniform(60, 900)
        first.unseen = ((middle[0], middle[0] + hole),)
        if "reset in a gap" in faults:
            first.restarts = tuple(sorted((*first.restarts, middle[0] + chance.uniform(0.3, 0.6) * hole)))
    if "hidden reset" in faults:  # soon after a deploy: what comes after it is more than what was before
        lived, hole = chance.uniform(30, 60), chance.uniform(200, 300)
        first.unseen = ((middle[0], middle[0] + hole),)
        again = (middle[0] - lived, middle[0] + chance.uniform(0.2, 0.4) * hole)
        first.restarts = tuple(sorted((*first.restarts, *again)))
        first.outage = (middle[0], again[1])
    if "birth" in faults:
        second.begin = middle[1]
    if "death" in faults:
        second.end = middle[1] + 0.15 * seconds
    processes = (first, second) if faults & {"birth", "death"} else (first,)
    if "found late" in faults:
        third = Process("c", rate, bad, begin=-chance.uniform(2 * LEAD, _OLDEST))
        third.unseen = ((third.begin, middle[0]),)
        third.shown = middle[0] + chance.choice((0, SCRAPE, 2 * SCRAPE))
        processes = (*processes, third)
    for one in processes:
        _live(one, chance, seconds)
    return Service(name, faults, processes)


def _live(process: Process, chance: random.Random, seconds: int) -> None:
    """Tick by tick: events, restarts, scrapes. A code that never came has no series."""
    counters: dict[str, int | None] = {"200": None, "500": None}
    restarts = list(process.restarts)
    at = int(process.begin // TICK) * TICK
    while at <= min(process.end, seconds - SCRAPE):
        if restarts and restarts[0] <= at:
            restarts.pop(0)
            counters = {"200": None, "500": None}
        for code, events in zip(("200", "500"), _events(process, at, chance), strict=True):
            if events:
                counters[code] = (counters[code] or 0) + events
            if at > -SCRAPE:  # what the sample before the span shows is not in it
                process.happened[code] += events
        if at % SCRAPE == 0 and not any(low <= at < high for low, high in process.unseen):
            for code, value in counters.items():
                if value is not None and (code != "500" or at >= process.shown):
                    process.samples[code].append((at, value))
        at += TICK


def _events(process: Process, at: int, chance: random.Random) -> tuple[int, int]:
    """Good and bad ones of a tick, the number of which varies by a third."""
    expected = process.rate * TICK * chance.uniform(0.67, 1.33)
    whole = int(expected) + (chance.random() < expected % 1)
    share = 0.5 if process.outage[0] <= at < process.outage[1] else process.bad
    bad = sum(chance.random() < share for _ in range(whole))
    return whole - bad, bad
