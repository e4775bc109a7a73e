"""Runbooks and runs as views."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import EXIT_CODE_MEANINGS
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.journal.model import Event
    from maestro_cli.runbooks.model import Parameter, Runbook, RunRecord, Step, StepRecord
    from maestro_cli.runbooks.planning import PlannedStep, RunPlan

_OUTPUT_LINES = 10


def runbooks_view(runbooks: Sequence[Runbook]) -> Listing[Runbook]:
    columns: tuple[Column[Runbook], ...] = (
        Column("id", lambda book: book.id),
        Column("title", lambda book: book.title, priority=1),
        Column("alerts", lambda book: ", ".join(book.alerts)),
        Column("steps", lambda book: str(len(book.steps)), right=True, priority=3),
        Column("file", lambda book: book.file, wide=True),
    )
    return Listing(
        "runbook-list/v1", columns, runbooks, document=_summary, empty="no runbooks; docs/runbooks.md"
    )


def _summary(book: Runbook) -> dict[str, Any]:
    return {
        "id": book.id,
        "title": book.title,
        "file": book.file,
        "digest": book.digest,
        "alerts": book.alerts,
        "steps": len(book.steps),
    }


def runbook_view(book: Runbook) -> Report:
    """Parameters, steps and the prose; JSON has the same."""
    parameters: tuple[Column[Parameter], ...] = (
        Column("parameter", lambda one: one.name),
        Column("from", lambda one: one.source, priority=3),
        Column("default", lambda one: one.default),
        Column("pattern", lambda one: one.pattern, priority=3),
        Column("description", lambda one: one.description, priority=2, folds=True),
    )
    steps: tuple[Column[Step], ...] = (
        Column("step", lambda step: step.path),
        Column("kind", lambda step: step.kind),
        Column("changes", lambda step: step.mutates, tone=lambda step: "warn" if step.mutates else ""),
        Column("needs", lambda step: ", ".join(step.needs), priority=3),
        Column("runs", _how, priority=1, folds=True),
        Column("expects", lambda step: step.expect.text if step.expect else ""),
        Column("parts", lambda step: ", ".join(part.path for part in step.parts), priority=3),
        Column("line", lambda step: str(step.line), right=True, priority=3),
    )
    document = {
        **_summary(book),
        "parameters": [plain(parameter) for parameter in book.parameters],
        "steps": [_step(step) for step in book.steps],
        "text": book.text,
    }
    return Report(
        "runbook/v1",
        document,
        (
            Fields([("runbook", book.id), ("title", book.title), ("file", book.file)]),
            Heading("Parameters"),
            Listing("runbook-parameters/v1", parameters, book.parameters, empty="none"),
            Heading("Steps"),
            Listing("runbook-steps/v1", steps, book.steps, empty="none: this runbook is read, not run"),
            Heading("Text"),
            Lines(book.text),
        ),
    )


def _how(step: Step) -> str:
    """Beside which others, and how often; empty for a step that runs once and alone."""
    beside = f"beside others of {step.parallel}" if step.parallel else ""
    if not step.for_each:
        return beside
    at_once = f", {step.concurrency} at once" if step.concurrency > 1 else ""
    return "; ".join(filter(None, (beside, f"for each {step.item} of {step.for_each}{at_once}")))


def _step(step: Step) -> dict[str, Any]:
    return {
        "path": step.path,
        "kind": step.kind,
        "line": step.line,
        "mutates": step.mutates,
        "needs": step.needs,
        "parallel": step.parallel or None,
        "for_each": step.for_each or None,
        "as": step.item or None,
        "concurrency": step.concurrency,
        "expect": step.expect.text if step.expect else None,
        "body": step.body,
        "parts": [_step(part) for part in step.parts],
    }


def run_view(run: RunRecord) -> Report:
    """A run and what each attempt at a step came to; JSON is the record."""
    columns: tuple[Column[StepRecord], ...] = (
        Column("step", lambda step: step.path),
        Column("try", lambda step: str(step.attempt), right=True, priority=3),
        Column("state", lambda step: step.state.value, tone=_tone, priority=1),
        Column("value", lambda step: step.value, right=True),
        Column("reason", lambda step: step.reason, priority=1, folds=True),
        Column("output", lambda step: step.output, wide=True),
    )
    rows: list[tuple[str, object]] = [
        ("run", run.id),
        ("runbook", run.runbook),
        ("status", run.status.value),
        ("asked to", run.asked),
        ("reason", run.reason),
        ("waits for", ", ".join(run.waiting)),
        ("incident", run.incident),
        ("by", run.actor),
        ("started", run.started_at),
        ("finished", run.finished_at),
    ]
    return Report(
        "run/v1", plain(run), (Fields(rows), Listing("run-steps/v1", columns, run.steps), *_ending(run))
    )


def next_command(run: RunRecord) -> str:
    """How to go on with a run that has not ended, in one line."""
    resume = f"maestro runbook resume {run.id}"
    status = run.status.value
    if status == "waiting":
        last = run.last(run.waiting_for)
        if last is not None and last.kind in ("change", "runbook"):
            return f"once that is decided, go on with: {resume}"
        how = f"answer {run.id} {run.waiting_for} VALUE" if last else f"approve {run.id} {run.waiting_for}"
        return f"it is answered by: maestro runbook {how}; then: {resume}"
    if status == "unknown":
        return f"look whether it was done, then: {resume} --decide STEP=done|redo"
    return f"go on with: {resume}" if status in ("paused", "cancelled", "interrupted") else ""


def _ending(run: RunRecord) -> list[Heading | Lines]:
    """What the step printed that the run ended with, where it did not end well."""
    bad = [
        step for step in run.steps if step.output and step.state.value in ("failed", "not_met", "timed_out")
    ]
    if not bad or run.status.value == "succeeded":
        return []
    lines = bad[-1].output.rstrip().splitlines()[-_OUTPUT_LINES:]
    return [Heading(f"What {bad[-1].path} printed last"), Lines("\n".join(lines))]


def _tone(step: StepRecord) -> str:
    return {"ok": "good", "failed": "bad", "not_met": "bad", "unknown": "bad", "waiting": "warn"}.get(
        step.state.value, "dim"
    )


def event_line(event: Event) -> str:
    """One event of a run as one line of JSON, in ASCII."""
    body = {
        "schema": "maestro.dev/run-event/v1",
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "run": event.subject.removeprefix("run/"),
        "actor": event.actor,
        "data": plain(event.data),
    }
    return json.dumps(body)


def plan_view(plan: RunPlan) -> Report:
    """What a run would do, a line a step."""
    columns: tuple[Column[PlannedStep], ...] = (
        Column("step", lambda step: step.path),
        Column("kind", lambda step: step.kind, priority=3),
        Column("now", lambda step: step.state, tone=_plan_tone),
        Column("what", lambda step: step.text, priority=1, folds=True),
        Column("output", lambda step: step.output, wide=True),
    )
    rows: list[tuple[str, object]] = [
        ("runbook", plan.runbook),
        *plan.parameters.items(),
        ("would end with", f"{EXIT_CODE_MEANINGS[plan.exit_code]} (exit code {int(plan.exit_code)})"),
    ]
    return Report(
        "run-plan/v1", plain(plan), (Fields(rows), Listing("run-plan-steps/v1", columns, plan.steps))
    )


def _plan_tone(step: PlannedStep) -> str:
    tones = {"ran": "good", "would": "warn", "asks": "warn", "refused": "bad", "stops": "bad"}
    return tones.get(step.state, "dim")


def runs_view(runs: Sequence[RunRecord]) -> Listing[RunRecord]:
    columns: tuple[Column[RunRecord], ...] = (
        Column("run", lambda run: run.id),
        Column("runbook", lambda run: run.runbook, priority=1),
        Column("status", lambda run: run.status.value, priority=1),
        Column("incident", lambda run: run.incident),
        Column("started", lambda run: run.started_at[:19] + "Z", priority=3),
        Column("reason", lambda run: run.reason),
    )
    return Listing("run-list/v1", columns, runs, empty="no runs yet")
