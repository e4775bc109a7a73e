"""Runs of experiments, and what a sweep took back of them, as views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.history import ExperimentRun, FaultRecord
    from maestro_cli.chaos.sweeping import Swept

IN_FORCE = "in force, as far as the journal knows"


def runs_view(runs: Sequence[ExperimentRun]) -> Listing[ExperimentRun]:
    """Runs, the newest first."""
    columns: tuple[Column[ExperimentRun], ...] = (
        Column("run", lambda run: run.id),
        Column("experiment", lambda run: run.name, priority=1),
        Column("status", lambda run: run.status, tone=lambda run: "" if run.is_over else "warn"),
        Column(
            "verdict",
            lambda run: run.verdict or None,
            tone=lambda run: verdict_tone(run.verdict) if run.verdict else "",
        ),
        Column("exit code", lambda run: run.exit_code if run.is_over else None, right=True),
        Column("began", lambda run: _at(run.started_at)),
        Column("by", lambda run: run.actor, priority=3),
        Column("why", lambda run: run.reasons[0] if run.reasons else None, folds=True),
    )
    return Listing(
        "chaos-history/v1", columns, runs, document=run_document, empty="no experiment was run yet"
    )


def _at(text: str) -> datetime | None:
    """An instant as the journal has it; "" for never."""
    return from_rfc3339(text) if text else None


def run_document(run: ExperimentRun) -> dict[str, Any]:
    return {
        "run": run.id, "experiment": run.name, "title": run.title, "file": run.file, "digest": run.digest,
        "actor": run.actor, "status": run.status, "verdict": run.verdict, "exit_code": run.exit_code,
        "coverage": run.coverage, "reasons": list(run.reasons), "residue": list(run.residue),
        "seed": run.seed, "targets": list(run.targets), "started_at": run.started_at,
        "finished_at": run.finished_at, "stop": run.stop, "folder": run.folder,
        "predicted_burn": list(run.predicted_burn), "actual_burn": list(run.burned),
    }  # fmt: skip


def clearing(run: str) -> str:
    """The command that takes back what a run left, and what is for a person to do."""
    sweep = f"maestro chaos sweep {run}"
    return f'{sweep}; what it cannot take back: mend it, or answer for it with {sweep} --leave "why"'


def burned_lines(found: Sequence[Mapping[str, Any]]) -> str | None:
    """What each budget lost while the run went on, with what was foretold and what is left."""
    from maestro_cli.chaos.burned import burned_line

    return "; ".join(map(burned_line, found)) or None


def _left(run: ExperimentRun) -> list[str]:
    """What is left of a run that nobody works on: what was found, and what could not be taken back."""
    if run.status == "running":
        return []
    there = [f"{one.name}: {one.error or IN_FORCE}" for one in run.faults if one.in_force]
    return [*run.residue, *there]


def run_view(run: ExperimentRun, instant: Callable[[str], object] = _at) -> Report:
    """Where one run is: faults in force with their end, what is left; `instant` words times of faults."""
    left = _left(run)
    rows: list[tuple[str, object]] = [
        ("status", run.status),
        ("verdict", run.verdict or None),
        ("experiment", f"{run.name}: {run.title}"),
        ("began", _at(run.started_at)),
        ("ended", _at(run.finished_at)),
        ("stopped", run.stop or (f"asked: {run.asked}" if run.asked else None)),
        ("reasons", "; ".join(run.reasons) or None),
        ("burned meanwhile", burned_lines(run.burned)),
        ("left behind", "; ".join(left) or None),
        *([("cleared by", clearing(run.id))] if left or run.status == "interrupted" else []),
        ("kept in", run.folder or None),
    ]
    columns: tuple[Column[FaultRecord], ...] = (
        Column("fault", lambda one: f"{one.name} ({one.fault})"),
        Column("targets", lambda one: ", ".join(one.targets), folds=True),
        Column("put in", lambda one: instant(one.intended_at), priority=3),
        Column("ends", lambda one: instant(one.ends_at), priority=1),
        Column("taken back", lambda one: instant(one.undone_at) or one.error or "no", priority=1, folds=True),
        Column("effect", lambda one: one.outcome),
    )
    faults = Listing("chaos-run-faults/v1", columns, run.faults, empty="no fault was put in")
    document = {**run_document(run), "residue": left, "faults": [plain(one) for one in run.faults]}
    return Report("chaos-run/v1", document, (Heading(f"Run {run.id}"), Fields(rows), faults))


def swept_view(swept: Sequence[Swept]) -> Listing[Swept]:
    """What a sweep took away, and what is still there."""
    columns: tuple[Column[Swept], ...] = (
        Column("run", lambda one: one.run),
        Column("taken back", lambda one: ", ".join(one.faults) or "nothing was in force", priority=1),
        Column(
            "left behind",
            lambda one: "; ".join((*one.residue, *(f"as it is: {what}" for what in one.left))) or "nothing",
            tone=lambda one: "bad" if one.residue or one.left else "good",
            folds=True,
        ),
    )
    return Listing("chaos-sweep/v1", columns, swept, empty="there is nothing to sweep")
