"""What it costs that a step is durable: intent and outcome on the disk, leases, redaction, output."""

from __future__ import annotations

import subprocess
import time

from tests.bench.figures import Figure, scaled, seconds_of
from tests.bench.terminal import Failed, folder
from tests.unit.runbooks.bench import Answers, Bench

ROUNDS = 12
STEPS = 20
SHELL = ("sh", "-eu", "-c", "true")


class Stopwatch:
    """A Progress that looks at the clock when a step begins."""

    def __init__(self) -> None:
        self.begun: list[float] = []

    def phase(self, name: str, text: str) -> None:
        self.begun.append(time.perf_counter())

    def update(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...


def measure() -> list[Figure]:
    """Rounds of one run of `true` steps, as many bare subprocesses, and one run of promql steps."""
    shell = "".join(f"```sh {{id=s{number}}}\ntrue\n```\n\n" for number in range(STEPS))
    query = "".join(f"```promql {{id=q{number} expect='> 0'}}\nup\n```\n\n" for number in range(STEPS))
    steps: list[float] = []
    queries: list[float] = []
    bare: list[float] = []
    with folder() as where:
        bench = Bench(where)
        bench.answers = Answers((1.0,))
        try:
            for number in range(1 + ROUNDS):  # the first only warms
                taken = (_steps(bench, shell), [seconds_of(_subprocess) for _ in range(STEPS)])
                asked = _steps(bench, query)
                if number:
                    steps += taken[0]
                    bare += taken[1]
                    queries += asked
        finally:
            bench.close()
    peer = Figure("  a bare subprocess of the same shell", "ms", scaled(bare, 1e3))
    own = scaled(steps, 1e3)
    return [
        Figure("durable sh step − bare subprocess", "ms", tuple(one - peer.value for one in own), 5),
        Figure("durable promql step (fake metrics in this process)", "ms", scaled(queries, 1e3), 5),
        Figure("  the sh step itself", "ms", own),
        peer,
    ]


def _steps(bench: Bench, text: str) -> list[float]:
    """Seconds from the beginning of each step to that of the next; the last has no next."""
    watch = Stopwatch()
    result = bench.runner().start(bench.write(text), {}, progress=watch)
    if not result.ok or len(watch.begun) != STEPS:
        raise Failed(f"the run {result.status}: {result.reason}")
    return [later - begun for begun, later in zip(watch.begun, watch.begun[1:], strict=False)]


def _subprocess() -> None:
    subprocess.run(SHELL, stdin=subprocess.DEVNULL, capture_output=True, check=True)
