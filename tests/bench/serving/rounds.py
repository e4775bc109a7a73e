"""maestro, MLServer and FastAPI in turn: how fast each can go, and how fast each is at one rate.

Invariant: one server is there at a time, started anew each round; each round begins with the next one. A
round counts only when the load, against a server that does nothing, held three times the round's best rate.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maestro_cli.local.load.traffic import Traffic
from tests.bench.figures import Figure
from tests.bench.serving.cores import on_core, server_and_load
from tests.bench.serving.load import Outcome, Target, all_at_once, request_bytes, schedule, send
from tests.bench.serving.plan import Plan
from tests.bench.serving.search import highest
from tests.bench.serving.subjects import Running, Subject, echo, fastapi, mlserver, ours, packages, started
from tests.bench.serving.traffic import Expected, recorded
from tests.bench.terminal import Failed, folder

LIMIT_SECONDS = 0.2  # p99 at a rate that is held
EQUAL_SHARE = 0.7  # of what MLServer gave at full load, for the latencies at one rate
STEADY_SHARE = 0.5  # of what maestro holds, for its parts
SPARE = 3.0
_CALIBRATED_ABOVE = 1.35  # a round may do better than those before it
_CALIBRATION_SECONDS = 2.0
_MORE_TRIES = 2
_ECHO_BODY = "x" * 330  # as long as an answer of maestro


@dataclass(frozen=True, slots=True)
class Lap:
    """One subject in one round. MB are 1,000,000 bytes, of the process with its children."""

    cold_seconds: float
    start_mb: tuple[float, float]  # RSS and PSS
    end_mb: tuple[float, float]
    equal: Outcome
    sustained: float
    processor_ms: float  # a request, at the equal rate
    probes: dict[str, str] = field(default_factory=dict)


Round = Mapping[str, Lap]


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement needs."""

    plan: Plan
    folder: Path
    server_core: int
    traffic: Traffic
    right: Expected

    def target(self, server: Running, *headers: str) -> Target:
        bodies = self.traffic.bodies
        requests = tuple(request_bytes(self.traffic.path, server.port, body, headers) for body in bodies)
        return Target(server.port, requests, self.right.fault, server.tls)

    def arrivals(self, seed: int, rate: float, seconds: float, target: Target) -> Outcome:
        return send(target, schedule(seed, rate, seconds, len(self.traffic.bodies)))


def measure_rounds(plan: Plan) -> tuple[list[Figure], float]:
    """The figures, and a rate at which maestro is half busy; raises Failed."""
    server_core, load_core = server_and_load()
    subjects = [ours(), mlserver(), fastapi()]
    traffic, right = recorded()
    with folder() as where, on_core(load_core):
        bench = Bench(plan, where, server_core, traffic, right)
        full = {subject.name: _full_load(bench, subject) for subject in subjects}
        equal = EQUAL_SHARE * full["MLServer"]
        rounds, voided = _rounds(bench, subjects, full, equal)
    notes = {"equal_rate": round(equal), "full_load": full, "voided": voided, "packages": packages()}
    steady = STEADY_SHARE * statistics.median(one["maestro"].sustained for one in rounds)
    return _figures(rounds, equal, notes), steady


def _full_load(bench: Bench, subject: Subject) -> float:
    """Answers a second when every connection is busy all the time: where a search begins."""
    with started(subject, bench.folder, bench.server_core) as server:
        target = bench.target(server)
        for count in (bench.plan.first_requests // 3, bench.plan.first_requests):
            outcome = send(target, all_at_once(count, len(bench.traffic.bodies)))
            if outcome.failed:
                raise Failed(f"{subject.name} does not answer rightly: {dict(outcome.failures)}")
    return round(outcome.intended / outcome.seconds)


def _rounds(
    bench: Bench, subjects: Sequence[Subject], full: Mapping[str, float], equal: float
) -> tuple[list[Round], list[str]]:
    """As many rounds as are planned; those that were voided, in words."""
    kept: list[Round] = []
    voided: list[str] = []
    best = max(full.values())
    while len(kept) < bench.plan.rounds:
        number = len(kept) + len(voided)
        if len(voided) > _MORE_TRIES:
            raise Failed("; ".join(voided))
        spare = SPARE * best * _CALIBRATED_ABOVE
        if why := _generator_lags(bench, number, spare):
            voided.append(f"round {number}: {why}")
            continue
        first = number % len(subjects)
        order = [*subjects[first:], *subjects[:first]]
        found = {subject.name: _lap(bench, subject, number, full[subject.name], equal) for subject in order}
        top = max(lap.sustained for lap in found.values())
        best = max(best, top)
        if SPARE * top > spare:
            voided.append(f"round {number}: {top:.0f}/s is more than a third of what the load was tried at")
            continue
        kept.append(found)
    return kept, voided


def _generator_lags(bench: Bench, seed: int, rate: float) -> str:
    """Why the load is too slow for its own good; "" when it is not."""
    with started(echo(_ECHO_BODY), bench.folder, bench.server_core) as server:
        target = Target(server.port, bench.target(server).requests, lambda number, answer: "")
        bench.arrivals(seed, rate / 2, 0.5, target)
        outcome = bench.arrivals(seed, rate, _CALIBRATION_SECONDS, target)
    if outcome.failed or outcome.at(0.99) >= LIMIT_SECONDS / 10:
        return (
            f"at {rate:.0f}/s against nothing the load has p99 {outcome.at(0.99) * 1e3:.0f} ms "
            f"and {outcome.failed} failures"
        )
    return ""


def _lap(bench: Bench, subject: Subject, number: int, full: float, equal: float) -> Lap:
    plan = bench.plan
    with started(subject, bench.folder, bench.server_core) as server:
        at_start = server.memory()
        target = bench.target(server)
        bench.arrivals(number, equal, plan.warm_seconds, target)
        used = server.processor_seconds()
        outcome = bench.arrivals(100 + number, equal, plan.equal_seconds, target)
        used = server.processor_seconds() - used
        probes: dict[str, str] = {}

        def holds(rate: float) -> bool:
            found = bench.arrivals(200 + number, rate, plan.probe_seconds, target)
            probes[f"{rate:.0f}"] = f"p99 {found.at(0.99) * 1e3:.1f} ms, failures {dict(found.failures)}"
            return not found.failed and found.at(0.99) < LIMIT_SECONDS

        sustained = highest(holds, full)
        at_end = server.memory()
    if not sustained:
        raise Failed(f"{subject.name} holds no rate: {probes}")
    return Lap(
        server.cold_seconds, at_start, at_end, outcome, sustained, used / outcome.intended * 1e3, probes
    )


def _figures(rounds: Sequence[Round], equal: float, notes: dict[str, Any]) -> list[Figure]:
    def each(name: str, read: Any) -> tuple[float, ...]:
        return tuple(float(read(one[name])) for one in rounds)

    def against(peer: str, read: Any) -> tuple[float, ...]:
        own, other = each("maestro", read), each(peer, read)
        return tuple(a / b for a, b in zip(own, other, strict=True))

    def p99(lap: Lap) -> float:
        return lap.equal.at(0.99)

    def gap(lap: Lap) -> float:  # between two requests: less is better, as for every budget here
        return 1 / lap.sustained

    at = f"at {equal:.0f}/s"
    failures = tuple(float(sum(lap.equal.failed for lap in one.values())) for one in rounds)
    figures = [
        Figure(
            "seconds a request at full rate, of MLServer's", "×", against("MLServer", gap), 0.5, True, notes
        ),
        Figure("seconds a request at full rate, of FastAPI's", "×", against("FastAPI", gap), 1, True),
        Figure(f"p99 {at}, of MLServer's", "×", against("MLServer", p99), 0.5, True),
        Figure(f"p99 {at}, of FastAPI's", "×", against("FastAPI", p99), 1, True),
        Figure("memory after the load", "MB", each("maestro", lambda lap: lap.end_mb[0]), 100),
        Figure(f"failures and wrong answers {at}, of all three", "", failures, 0, True),
    ]
    return [*figures, *(one for name in rounds[0] for one in _of(name, rounds, at))]


def _of(name: str, rounds: Sequence[Round], at: str) -> list[Figure]:
    """What was measured of one subject, without a budget."""
    laps = [one[name] for one in rounds]
    probes = {"probes": [lap.probes for lap in laps]}
    failures = {"failures": [dict(lap.equal.failures) for lap in laps]}

    def figure(what: str, unit: str, values: Sequence[float], **notes: Any) -> Figure:
        return Figure(f"  {name}: {what}", unit, tuple(values), notes=notes)

    return [
        figure("highest rate with p99 < 200 ms", "/s", [lap.sustained for lap in laps], **probes),
        figure(f"p50 {at}", "ms", [lap.equal.at(0.5) * 1e3 for lap in laps], **failures),
        figure(f"p99 {at}", "ms", [lap.equal.at(0.99) * 1e3 for lap in laps]),
        figure(f"processor a request {at}", "ms", [lap.processor_ms for lap in laps]),
        figure("RSS at its start", "MB", [lap.start_mb[0] for lap in laps]),
        figure("RSS after the load", "MB", [lap.end_mb[0] for lap in laps]),
        figure("PSS after the load", "MB", [lap.end_mb[1] for lap in laps]),
        figure("cold start to ready", "s", [lap.cold_seconds for lap in laps]),
    ]
