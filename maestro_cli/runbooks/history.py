"""Past and present runs, read from the journal. Invariant: a running run without a lease is interrupted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import ExitCode, NotFound
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import Answer, Cause, RunRecord, RunStatus, State, StepRecord


class Reader(Protocol):
    """A journal, or a transaction on one."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]: ...


class RunHistory:
    """Lists and gets runs; needs RunsProjection among the journal's projections."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def list(
        self, *, limit: int = 50, incident: str | None = None, runbook: str | None = None
    ) -> list[RunRecord]:
        """The newest runs first, without their steps."""
        terms, values = ["1 = 1"], []  # type: tuple[list[str], list[Any]]
        for column, wanted in (("incident", incident), ("runbook", runbook)):
            if wanted is not None:
                terms.append(f"{column} = ?")
                values.append(wanted)
        sql = f"SELECT * FROM runs WHERE {' AND '.join(terms)} ORDER BY started_at DESC, id DESC LIMIT ?"
        return [self._seen(_run(row)) for row in self._journal.query(sql, [*values, limit])]

    def get(self, run_id: str) -> RunRecord:
        """One run with every attempt at its steps, in order; raises NotFound."""
        run = read_run(self._journal, run_id)
        if run is None:
            raise NotFound(f"there is no run {run_id!r}", fix="see: maestro runbook history")
        return self._seen(run)

    def last_green(self, runbook: str) -> RunRecord | None:
        """The newest run of this runbook that succeeded, without its steps."""
        sql = (
            "SELECT * FROM runs WHERE runbook = ? AND status = 'succeeded' ORDER BY finished_at DESC LIMIT 1"
        )
        rows = self._journal.query(sql, (runbook,))
        return _run(rows[0]) if rows else None

    def by_key(self, key: str) -> RunRecord | None:
        """The run that was started with this key."""
        run_id = find_key(self._journal, key)
        return self.get(run_id) if run_id is not None else None

    def _seen(self, run: RunRecord) -> RunRecord:
        if run.status is RunStatus.RUNNING and self._journal.lease(lease_name(run.id)) is None:
            why = "its process ended or lost its lease; resume it"
            return replace(run, status=RunStatus.INTERRUPTED, reason=run.reason or why)
        return run


def lease_name(run_id: str) -> str:
    return f"run/{run_id}"


def read_run(source: Reader, run_id: str) -> RunRecord | None:
    """A run as recorded, with its steps."""
    rows = source.query("SELECT * FROM runs WHERE id = ?", (run_id,))
    if not rows:
        return None
    steps = source.query("SELECT * FROM run_steps WHERE run = ? ORDER BY intent_seq", (run_id,))
    return replace(_run(rows[0]), steps=tuple(map(_step, steps)))


def find_key(source: Reader, key: str) -> str | None:
    rows = source.query("SELECT id FROM runs WHERE key = ?", (key,))
    return str(rows[0]["id"]) if rows else None


def runs_by_key(source: Reader, prefix: str) -> list[RunRecord]:
    """The runs whose keys begin so, the oldest first, without their steps."""
    sql = "SELECT * FROM runs WHERE key >= ? AND key < ? ORDER BY started_at, id"
    return [_run(row) for row in source.query(sql, (prefix, f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}"))]


def started_since(source: Reader, playbook: str, instant: datetime) -> int:
    """How many times a playbook has started since then: the key of the first of its runs ends so."""
    sql = "SELECT COUNT(*) AS n FROM runs WHERE playbook = ? AND started_at >= ? AND key LIKE '%/1'"
    return int(source.query(sql, (playbook, to_rfc3339(instant)))[0]["n"])


def fingerprints_of(journal: Journal, run_id: str) -> dict[str, str]:
    """The steps of the file that the run is pinned to, in order, each with its fingerprint."""
    found: dict[str, str] = {}
    for event in journal.events(subject=f"run/{run_id}"):
        if event.kind in ("run.started", "run.rebased"):
            found = dict(zip(event.data["steps"], event.data.get("fingerprints", ()), strict=False))
    return found


def read_answers(source: Reader, run_id: str) -> dict[str, Answer]:
    """What people answered, by the digest of the question."""
    rows = source.query("SELECT digest, answer FROM run_answers WHERE run = ?", (run_id,))
    return {row["digest"]: json.loads(row["answer"]) for row in rows}


def read_cause(journal: Journal, run_id: str) -> Cause:
    """Why a run is being rolled back; it has said so."""
    data = journal.events(subject=f"run/{run_id}", kinds=("run.rolling_back",))[-1].data
    return Cause(data["step"], data["reason"], ExitCode(data.get("exit_code", ExitCode.ACTION_FAILED)))


def _run(row: sqlite3.Row) -> RunRecord:
    fields = {name: row[name] for name in row.keys()}  # noqa: SIM118  # a Row iterates its values
    fields["parameters"] = json.loads(fields["parameters"])
    fields["waiting"] = tuple(json.loads(fields["waiting"]))
    fields["status"] = RunStatus(fields["status"])
    return RunRecord(**fields)


def _step(row: sqlite3.Row) -> StepRecord:
    return StepRecord(
        path=row["path"],
        attempt=row["attempt"],
        kind=row["kind"],
        role=row["role"],
        mutates=bool(row["mutates"]),
        state=State(row["state"]),
        reason=row["reason"],
        value=row["value"],
        output=row["output"],
        captures=json.loads(row["captures"]),
        change_id=row["change_id"],
        exit_code=row["exit_code"],
        intended_at=row["intended_at"],
        finished_at=row["finished_at"],
        seq=row["seq"],
    )
