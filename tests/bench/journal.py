"""The journal: what a durable append costs, beside what the disk asks for, and how long proof takes."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.clock import SystemClock, to_rfc3339
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.model import GENESIS, chain_hash
from maestro_cli.journal.store import Journal, journal_mode
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.projection import RunsProjection
from tests.bench.figures import Figure, interleaved, scaled, seconds_of
from tests.bench.terminal import BIN, environment, folder, run

APPENDS = 400
EVENTS = 1_000_000
STEPS_A_RUN = 9  # a run is 20 events: its start, an intent and an outcome a step, its end
ACTOR = "bench"


def measure() -> list[Figure]:
    return [*_append(), *_verify()]


def _append() -> list[Figure]:
    """Interleaved: one append, the same rows by bare SQLite in the same mode, and one fsync."""
    with folder() as where:
        journal = Journal(where / "journal.sqlite", clock=SystemClock())
        bare = _bare_sqlite(where / "bare.sqlite")
        descriptor = os.open(where / "file", os.O_RDWR | os.O_CREAT, 0o600)
        numbers = count(1)
        try:
            taken = interleaved(
                {
                    "append": lambda: journal.append("bench.event", "bench/1", ACTOR, _finished(1)),
                    "bare": lambda: _insert(bare, next(numbers)),
                    "fsync": lambda: _write_through(descriptor),
                },
                APPENDS,
                warm=20,
            )
        finally:
            os.close(descriptor)
            bare.close()
            journal.close()
    own, peer, disk = (scaled(taken[name], 1e3) for name in ("append", "bare", "fsync"))
    floor = Figure("  one write and fsync of the same disk", "ms", disk)
    same = Figure(f"  the same row by bare SQLite ({journal_mode()})", "ms", peer)
    append = Figure("journal append, durable", "ms", own, 0.5)
    more = tuple(sample / floor.value for sample in own)
    over = tuple(sample - same.value for sample in own)
    return [
        append,
        floor,
        same,
        Figure("  append ÷ that fsync", "×", more),
        Figure("  append − bare SQLite", "ms", over),
    ]


def _bare_sqlite(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA journal_mode = {journal_mode()}")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, data TEXT NOT NULL)")
    return db


def _insert(db: sqlite3.Connection, seq: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO events VALUES (?, ?)", (seq, "x" * 500))
    db.execute("COMMIT")


def _write_through(descriptor: int) -> None:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    os.pwrite(descriptor, b"x" * 4096, end)
    os.fsync(descriptor)


def _verify() -> list[Figure]:
    """`maestro journal verify` as a whole process, with every table replayed."""
    with folder() as home:
        path = home / "state" / "maestro" / "journal" / "bench.sqlite"
        path.parent.mkdir(parents=True)
        built = seconds_of(partial(build, path, EVENTS))
        replayed = seconds_of(partial(_replay, path))
        size = path.stat().st_size / 2**20
        verify_all = [str(BIN / "maestro"), "--context", "bench", "journal", "verify"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = seconds_of(partial(run, verify_all, environment(home)))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        chain = seconds_of(partial(verify, path))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    notes = {"events": EVENTS, "built_seconds": round(built, 1), "file_mib": round(size)}
    return [
        Figure(f"maestro journal verify, {EVENTS:,} events", "s", (seconds,), 30, notes=notes),
        Figure("  its processor time", "s", (cpu,)),
        Figure("  hashes and links alone, tables not replayed", "s", (chain,)),
        Figure("  a first open that replays every table", "s", (replayed,)),
    ]


def build(path: Path, events: int) -> None:
    """A journal of that many events of runs in one transaction; the appends themselves are not measured.

    If these rows were not exactly what `Journal` writes, the verification that follows would say so.
    """
    Journal(path, clock=SystemClock()).close()
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _rows(events))
        last = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        db.execute("UPDATE head SET seq = ?, hash = ?", last)
        db.execute("COMMIT")
    finally:
        db.close()


def _rows(number: int) -> Iterator[tuple[int, str, str, str, str, str, str, str]]:
    time, prev = to_rfc3339(SystemClock().now()), GENESIS
    for seq, (kind, subject, data) in enumerate(islice(_events(), number), 1):
        text = canonical_json(data)
        own = chain_hash(seq, time, kind, subject, ACTOR, prev, text)
        yield seq, time, kind, subject, ACTOR, text, prev, own
        prev = own


def _replay(path: Path) -> None:
    projections = (IncidentProjection(), ChangesProjection(), RunsProjection())
    Journal(path, projections=projections, clock=SystemClock()).close()


def _events() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, subject and data of one run after another, as the runner writes them."""
    for number in count(1):
        subject = f"run/run-bench-{number:08d}"
        steps = [f"step-{place}" for place in range(STEPS_A_RUN)]
        yield "run.started", subject, _started(steps)
        for place in range(STEPS_A_RUN):
            yield "step.intended", subject, _intended(place)
            yield "step.finished", subject, _finished(place)
        ending = {"status": "succeeded", "exit_code": 0, "reason": "", "step": "", "runbook": "bench"}
        yield "run.finished", subject, {**ending, "incident": ""}


def _started(steps: list[str]) -> dict[str, Any]:
    return {
        "runbook": "bench",
        "title": "A run that is measured",
        "file": "/runbooks/bench.md",
        "digest": "0" * 64,
        "parameters": {"NAMESPACE": "ml", "DEPLOYMENT": "fraud"},
        "incident": "",
        "key": "",
        "playbook": "",
        "steps": steps,
        "budget_seconds": None,
    }


def _intended(place: int) -> dict[str, Any]:
    return {
        "step": f"step-{place}",
        "attempt": 1,
        "kind": "promql",
        "role": "main",
        "title": f"Step {place} of the run",
        "mutates": False,
        "line": 10 + place,
        "incident": "",
    }


def _finished(place: int) -> dict[str, Any]:
    return {
        "step": f"step-{place}",
        "attempt": 1,
        "state": "ok",
        "reason": "0.0004, expected < 0.01 for 5s",
        "value": 0.0004,
        "output": "",
        "captures": {"RATIO": "0.0004"},
        "change": "",
        "process_exit": None,
        "exit_code": 0,
        "incident": "",
    }
