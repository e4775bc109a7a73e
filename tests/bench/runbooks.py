"""What it costs that a step is durable: intent and outcome on the disk, leases, redaction, output."""

from __future__ import annotations

import subprocess
import time

from maestro_cli.core.progress import Progress, Quiet
from tests.bench.figures import Figure, scaled, seconds_of
from tests.bench.terminal import Failed, folder
from tests.unit.runbooks.bench import Answers, Bench

ROUNDS = 12
STEPS = 20
LONG = 1000  # shell steps of one run
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
    """One long run; rounds of a run of `true` steps, as many bare subprocesses, and a run of promql steps."""
    shell = _shell(STEPS)
    query = "".join(f"```promql {{id=q{number} expect='> 0'}}\nup\n```\n\n" for number in range(STEPS))
    steps: list[float] = []
    queries: list[float] = []
    bare: list[float] = []
    with folder() as where:
        bench = Bench(where)
        bench.answers = Answers((1.0,))
        try:
            whole = seconds_of(lambda: _run(bench, _shell(LONG), Quiet()))
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
        Figure(f"a runbook of {LONG} sh steps", "s", (whole,), 10),
        Figure("  the sh step itself", "ms", own),
        peer,
    ]


def _steps(bench: Bench, text: str) -> list[float]:
    """Seconds from the beginning of each step to that of the next; the last has no next."""
    watch = Stopwatch()
    _run(bench, text, watch)
    if len(watch.begun) != STEPS:
        raise Failed(f"{len(watch.begun)} steps began, not {STEPS}")
    return [later - begun for begun, later in zip(watch.begun, watch.begun[1:], strict=False)]


def _run(bench: Bench, text: str, progress: Progress) -> None:
    result = bench.runner().start(bench.write(text), {}, progress=progress)
    if not result.ok:
        raise Failed(f"the run {result.status}: {result.reason}")


def _shell(count: int) -> str:
    return "".join(f"```sh {{id=s{number}}}\ntrue\n```\n\n" for number in range(count))


def _subprocess() -> None:
    subprocess.run(SHELL, stdin=subprocess.DEVNULL, capture_output=True, check=True)
