"""The embedded platform: how long until it is up, how long a first look takes, what it costs at rest."""

from __future__ import annotations

import os
import time
from threading import Event

import psutil

from tests.bench.figures import Figure, scaled, seconds_of
from tests.bench.terminal import BIN, Failed, run, terminal
from tests.e2e.session import Session

STARTS = 3
LOOKS = 10
REST_SECONDS = 15.0
PATIENCE_SECONDS = 60.0
_DAILY = (0, 10)  # 10: it looked, and something is not well


def measure() -> list[Figure]:
    """Each start from an empty state folder; the last platform stays for the rest."""
    ups: list[float] = []
    for number in range(STARTS):
        with terminal() as session:
            maestro, own = str(BIN / "maestro"), session.environment
            ups.append(seconds_of(lambda w=maestro, e=own: run([w, "local", "up"], e)))  # type: ignore[misc]
            if number < STARTS - 1:
                continue
            _until_well(session)
            look = [maestro, "status"]
            looks = [seconds_of(lambda w=look, e=own: run(w, e, _DAILY)) for _ in range(2 + LOOKS)][2:]  # type: ignore[misc]
            busy = _busy(session)
    every = sum(busy.values())
    return [
        Figure("maestro local up, from an empty state folder", "s", tuple(ups), 10),
        Figure("maestro status on it", "s", tuple(looks), 0.5),
        Figure("  CPU of the platform with its own load", "% core", (every * 100,), notes=dict(busy)),
        *(
            Figure(f"    {name}", "% core", scaled([share], 100))
            for name, share in sorted(busy.items(), key=lambda item: -item[1])[:5]
        ),
    ]


def _until_well(session: Session) -> None:
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, Event()
    while session.run("status").returncode != 0:
        if time.monotonic() > deadline:
            raise Failed("the platform did not become well")
        pause.wait(0.5)


def _busy(session: Session) -> dict[str, float]:
    """Cores used by each program of this platform while nobody asks anything."""
    platform = str(session.json("local", "status")["id"])
    before, started = _cpu_seconds(platform), time.monotonic()
    Event().wait(REST_SECONDS)
    after, taken = _cpu_seconds(platform), time.monotonic() - started
    cores: dict[str, float] = {}
    for (pid, name), seconds in after.items():
        used = seconds - before.get((pid, name), 0.0)
        cores[name] = round(cores.get(name, 0.0) + used / taken, 4)
    return cores


def _cpu_seconds(platform: str) -> dict[tuple[int, str], float]:
    """Processor seconds of every process that carries the platform's marker, its pods among them."""
    found: dict[tuple[int, str], float] = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("MAESTRO_LOCAL_PLATFORM") != platform:
                continue
            words, times = process.cmdline(), process.cpu_times()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        found[process.pid, _program(words)] = times.user + times.system
    return found


def _program(words: list[str]) -> str:
    """The module of a Python process, the file name of any other."""
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].removeprefix("maestro_cli.")
    return os.path.basename(words[0]) if words else "unknown"
