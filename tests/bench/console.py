"""The console on ten thousand pods of the real control plane, beside k9s in the same run.

Invariant: both are whole programs in a pane of tmux of one size, one after the other in a turned order, read
nothing that the other left, and their clock runs from the start of the process until words are in the pane.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.cluster import configure
from tests.bench.control_plane import control_plane
from tests.bench.figures import Figure, scaled
from tests.bench.pane import pane
from tests.bench.population import populate
from tests.bench.terminal import BIN, Failed, environment, folder
from tests.peers.build import NoPeer, peer

PODS = 10_000
ROUNDS = 1 if os.environ.get("BENCH_SHORT") else 3
PAINTS = 5 if os.environ.get("BENCH_SHORT") else 15
REST_SECONDS = 30.0
SETTLE_SECONDS = 5.0
KEY_LOOK_SECONDS = 0.0002  # a key takes a few milliseconds
JUMPS = 10
ROWS, MEMORY, REST_PERCENT, JUMP = 0.25, 0.3, 2.0, 1.0
FIRST_PAINT_MS = 300.0
WHOLE = {"console": "Palette", "bare": "READ-ONLY"}  # what is in a frame once all of it is


@dataclass
class Seen:
    """Of one program, a sample a round."""

    rows: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    rest_percent: list[float] = field(default_factory=list)
    jump: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """`whole` is in its pane when all pods are known to it."""

    name: str
    words: Sequence[str]
    whole: str


def measure() -> list[Figure]:
    """Ratios of medians to k9s, and the console's own budgets."""
    try:
        k9s = str(peer("k9s"))
    except NoPeer as error:
        raise Failed(str(error)) from error
    with folder() as home, control_plane(home / "plane") as plane:
        own = {**environment(home), "KUBECONFIG": str(plane.kubeconfig)}
        configure(home, plane.kubeconfig)
        remembering(home)
        paints = first_paints(own)
        names = sorted(populate(plane, PODS))
        programs = (
            Program("maestro", [str(BIN / "maestro"), "tui", "--screen", "pods"], r"10,000"),
            Program(
                "k9s", [k9s, "-A", "-c", "pods", "--readonly", "--logoless", "--splashless"], r"\[10,000\]"
            ),
        )
        seen = {one.name: Seen() for one in programs}
        for number in range(ROUNDS):
            for one in programs if number % 2 else programs[::-1]:
                look(one, own, seen[one.name], first=names[0][1], last=names[-1][1])
    return [*figures_of_paint(paints), *figures_beside(seen["maestro"], seen["k9s"])]


def remembering(home: Path) -> None:
    """It was opened before: the tour of the first start is seen."""
    kept = home / "state" / "maestro" / "console.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"has_seen_tour": True}), encoding="utf-8")


def look(program: Program, own: Mapping[str, str], seen: Seen, *, first: str, last: str) -> None:
    """One start: until its rows, to both ends of them, and at rest."""
    with pane(program.words, own) as opened:
        seen.rows.append(opened.await_text(first, program.whole, since=opened.started))
        opened.busy_percent(SETTLE_SECONDS)
        for _ in range(JUMPS):
            pressed = time.perf_counter()
            opened.press("G")
            taken = opened.await_text(last, gone=first, since=pressed, every=KEY_LOOK_SECONDS)
            seen.jump.append(taken)
            opened.press("g")
            opened.await_text(first, gone=last)
        opened.busy_percent(SETTLE_SECONDS)
        seen.rest_percent.append(opened.busy_percent(REST_SECONDS))
        seen.memory_mb.append(opened.memory_mb())


# The first paint


@dataclass
class Paints:
    """Wall and processor seconds from the start of the process until the first words of a program, and until
    its whole frame: of the least program that is the same."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    whole_wall: list[float] = field(default_factory=list)
    whole_cpu: list[float] = field(default_factory=list)


def first_paints(own: Mapping[str, str]) -> dict[str, Paints]:
    """The console with a cluster that has yet to answer, and the least program, one of each a round."""
    words = {
        "console": [str(BIN / "maestro"), "tui", "--screen", "pods"],
        "bare": [sys.executable, "-m", "tests.bench.bare_scene"],
    }
    found = {name: Paints() for name in words}
    for number in range(2 + PAINTS):
        for name, line in words.items():
            with pane(line, own) as opened:
                wall = opened.await_text("READ-ONLY", since=opened.started)
                cpu = opened.cpu_seconds()
                whole = opened.await_text(WHOLE[name], since=opened.started)
                whole_cpu = opened.cpu_seconds()
            if number >= 2:
                found[name].wall.append(wall)
                found[name].cpu.append(cpu)
                found[name].whole_wall.append(whole)
                found[name].whole_cpu.append(whole_cpu)
    return found


def figures_of_paint(paints: Mapping[str, Paints]) -> list[Figure]:
    console, bare = paints["console"], paints["bare"]
    notes = {"minimum_ms": min(console.wall) * 1e3, "bare_minimum_ms": min(bare.wall) * 1e3}
    ratio = scaled(console.whole_cpu, 1 / statistics.median(bare.cpu))
    return [
        Figure(
            "console: process start to the first paint",
            "ms",
            scaled(console.wall, 1e3),
            FIRST_PAINT_MS,
            notes=notes,
        ),
        Figure("  processor until then", "ms", scaled(console.cpu, 1e3)),
        Figure("  to the whole frame", "ms", scaled(console.whole_wall, 1e3)),
        Figure("  processor until then", "ms", scaled(console.whole_cpu, 1e3)),
        Figure("  the least program of the framework", "ms", scaled(bare.wall, 1e3)),
        Figure("  processor of that", "ms", scaled(bare.cpu, 1e3)),
        Figure("  processor to the whole frame, of the least program's", "×", ratio),
    ]


def figures_beside(own: Seen, k9s: Seen) -> list[Figure]:
    return [
        _beside(f"console: start to the rows of {PODS:,} pods", own.rows, k9s.rows, ROWS, "s"),
        Figure("  seconds", "s", tuple(own.rows)),
        Figure("  of k9s", "s", tuple(k9s.rows)),
        _beside("console: memory", own.memory_mb, k9s.memory_mb, MEMORY, "MB"),
        Figure("  MB", "MB", tuple(own.memory_mb)),
        Figure("  of k9s", "MB", tuple(k9s.memory_mb)),
        Figure("console: core at rest", "%", tuple(own.rest_percent), REST_PERCENT),
        Figure("  of k9s", "%", tuple(k9s.rest_percent)),
        _beside("console: key to the last row", own.jump, k9s.jump, JUMP, "s"),
        Figure("  ms", "ms", scaled(own.jump, 1e3)),
        Figure("  of k9s", "ms", scaled(k9s.jump, 1e3)),
    ]


def _beside(name: str, own: Sequence[float], peer_: Sequence[float], limit: float, unit: str) -> Figure:
    notes = {"peer": "k9s", "unit": unit, "own": list(own), "peer_samples": list(peer_)}
    return Figure(f"{name}, of k9s", "×", scaled(own, 1 / statistics.median(peer_)), limit, True, notes)
