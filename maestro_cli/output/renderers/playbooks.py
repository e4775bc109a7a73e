"""Playbooks, what they would start, and what they did, as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.runbooks.playbooks.explanation import Explanation, PlannedRun
    from maestro_cli.runbooks.playbooks.model import Playbook, PlaybookStep
    from maestro_cli.runbooks.playbooks.tries import Trial
    from maestro_cli.runbooks.plays import PlayRecord

Other = tuple[str, str]  # a playbook's id, and why not it


def playbooks_view(playbooks: Sequence[Playbook]) -> Listing[Playbook]:
    columns: tuple[Column[Playbook], ...] = (
        Column("id", lambda one: one.id),
        Column("title", lambda one: one.title, priority=1),
        Column("severity", lambda one: one.severity),
        Column("mode", lambda one: one.mode),
        Column("steps", lambda one: ", ".join(step.runbook for step in one.steps), priority=3),
        Column("started by", lambda one: "; ".join(one.triggers), wide=True),
        Column("file", lambda one: one.file, wide=True),
    )
    return Listing(
        "playbook-list/v1", columns, playbooks, document=_summary, empty="no playbooks; docs/playbooks.md"
    )


def _summary(one: Playbook) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "file": one.file,
        "digest": one.digest,
        "triggers": list(one.triggers),
        "severity": one.severity,
        "mode": one.mode,
        "max_runs_per_hour": one.max_runs_per_hour,
        "steps": [_step(step) for step in one.steps],
    }


def _step(step: PlaybookStep) -> dict[str, Any]:
    inline = None if step.inline is None else step.inline.text
    return {"runbook": step.runbook, "with": dict(step.values), "inline": inline}


def playbook_view(one: Playbook) -> Report:
    """Everything in a playbook; `held_back` is why it may not run by itself."""
    document = {
        **_summary(one),
        "held_back": one.held_back,
        "incident_title": one.incident_title,
        "roles": dict(one.roles),
        "correlation": _correlation(one),
        "on_failure": _on_failure(one),
        "notifications": [{"to": each.to, "on": list(each.on)} for each in one.notifications],
        "parameters": [parameter.name for parameter in one.parameters or ()],
        "samples": [sample.name for sample in one.samples],
    }
    rows: list[tuple[str, object]] = [
        ("playbook", one.id),
        ("title", one.title),
        ("file", one.file),
        *(("started by", each) for each in one.triggers),
        ("incident", f"{one.severity}: {one.incident_title or one.title or one.id}"),
        *((name, who) for name, who in one.roles.items()),
        ("mode", one.mode),
        ("held back", one.held_back),
        ("runs an hour", f"at most {one.max_runs_per_hour}"),
        ("one incident", _correlation_words(one)),
        ("on failure", _on_failure(one)),
        *(("tells", f"{each.to} on {', '.join(each.on)}") for each in one.notifications),
    ]
    columns: tuple[Column[PlaybookStep], ...] = (
        Column("runbook", lambda step: step.runbook),
        Column("with", lambda step: _pairs(step.values), priority=1, folds=True),
        Column("written here", lambda step: step.inline is not None),
    )
    steps = Listing("playbook-steps/v1", columns, one.steps)
    shown = [(name, value) for name, value in rows if value != ""]
    return Report("playbook/v1", document, (Fields(shown), Heading("Steps"), steps))


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in values.items())


def _correlation(one: Playbook) -> dict[str, Any] | None:
    found = one.correlation
    if found is None:
        return None
    return {
        "group_by": list(found.group_by),
        "window_seconds": found.window_seconds,
        "threshold": found.threshold,
    }


def _correlation_words(one: Playbook) -> str:
    found = one.correlation
    if found is None:
        return ""
    by = f"for each {', '.join(found.group_by)}" if found.group_by else "for all its signals"
    many = f", once {found.threshold} fire within {format_duration(found.window_seconds)}"
    return by + (many if found.threshold > 1 else "")


def _on_failure(one: Playbook) -> str:
    step, page = one.on_failure.step, one.on_failure.page
    words = [f"run {step.runbook}" if step is not None else "", f"page {page}" if page else ""]
    return " and ".join(filter(None, words)) or "stop"


def trials_view(trials: Sequence[Trial]) -> Listing[Trial]:
    columns: tuple[Column[Trial], ...] = (
        Column("playbook", lambda one: one.playbook),
        Column("what", lambda one: one.what, priority=1),
        Column("case", lambda one: one.case),
        Column(
            "green", lambda one: one.is_green, tone=lambda one: "good" if one.is_green else "bad", priority=1
        ),
        Column("fault", lambda one: one.fault, priority=1, folds=True),
        Column("place", lambda one: f"{one.file}:{one.line}", wide=True),
    )
    return Listing(
        "playbook-tests/v1", columns, trials, document=_trial, empty="no playbook has samples or rehearsals"
    )


def _trial(one: Trial) -> dict[str, Any]:
    return {
        "playbook": one.playbook, "what": one.what, "case": one.case, "green": one.is_green,
        "fault": one.fault, "file": one.file, "line": one.line,
    }  # fmt: skip


def explanation_view(told: Explanation) -> Report:
    """Which playbook, with which values; then each other one and why not it."""
    match, found = told.match, told.match.playbook
    others = sorted(match.why_not.items())
    document = {
        "labels": dict(told.labels),
        "firing": told.firing,
        "playbook": None if found is None else found.id,
        "why": match.why,
        "mode": None if found is None else found.mode,
        "held_back": "" if found is None else found.held_back,
        "severity": None if found is None else found.severity,
        "title": told.title,
        "runs": [{"runbook": run.runbook, "with": dict(run.values), "fault": run.fault} for run in told.runs],
        "others": [{"playbook": name, "why_not": why} for name, why in others],
    }
    rows: list[tuple[str, object]] = [
        ("alert", _pairs(told.labels)),
        ("firing", told.firing),
        ("playbook", "none" if found is None else found.id),
        ("why", match.why),
    ]
    if found is not None:
        rows += [("incident", f"{found.severity}: {told.title}"), ("mode", found.mode)]
        rows += [("held back", found.held_back)] if found.held_back else []
    runs: tuple[Column[PlannedRun], ...] = (
        Column("runbook", lambda run: run.runbook),
        Column("with", lambda run: _pairs(run.values), priority=2, folds=True),
        Column(
            "lacks",
            lambda run: run.fault,
            tone=lambda run: "bad" if run.fault else "",
            priority=1,
            folds=True,
        ),
    )
    why_not: tuple[Column[Other], ...] = (
        Column("playbook", lambda other: other[0]),
        Column("why not", lambda other: other[1], priority=1, folds=True),
    )
    blocks: list[Fields | Heading | Listing[Any]] = [Fields(rows)]
    if told.runs:
        blocks += [Heading("Would run"), Listing("playbook-runs/v1", runs, told.runs)]
    blocks += [
        Heading("Not these"),
        Listing("playbook-others/v1", why_not, others, empty="there is no other"),
    ]
    return Report("playbook-explanation/v1", document, blocks)


def plays_view(plays: Sequence[PlayRecord]) -> Listing[PlayRecord]:
    columns: tuple[Column[PlayRecord], ...] = (
        Column("run", lambda one: one.id),
        Column("playbook", lambda one: one.playbook, priority=1),
        Column("started by", lambda one: one.words, priority=3),
        Column("status", lambda one: one.status.value, tone=_tone, priority=1),
        Column("started", lambda one: one.started_at[:19] + "Z"),
        Column("reason", lambda one: one.reason),
        Column("by", lambda one: one.actor, wide=True),
    )
    return Listing("playbook-run-list/v1", columns, plays, empty="no playbook has run yet")


def play_view(play: PlayRecord, runs: Sequence[RunRecord]) -> Report:
    """One run of a playbook, and the runs of runbooks that it started."""
    columns: tuple[Column[RunRecord], ...] = (
        Column("run", lambda run: run.id),
        Column("runbook", lambda run: run.runbook, priority=1),
        Column("status", lambda run: run.status.value, priority=1),
        Column("reason", lambda run: run.reason, priority=1, folds=True),
    )
    rows: list[tuple[str, object]] = [
        ("run", play.id),
        ("playbook", play.playbook),
        ("started by", play.words),
        ("mode", play.mode),
        ("status", play.status.value),
        ("reason", play.reason),
        ("incident", play.incident),
        ("by", play.actor),
        ("started", play.started_at),
        ("finished", play.finished_at),
    ]
    told = [
        {"id": run.id, "runbook": run.runbook, "status": run.status.value, "reason": run.reason}
        for run in runs
    ]
    document = {**plain(play), "runs": told}
    return Report("playbook-run/v1", document, (Fields(rows), Listing("playbook-run-runs/v1", columns, runs)))


def _tone(play: PlayRecord) -> str:
    return {"succeeded": "good", "failed": "bad", "waiting": "warn", "suggested": "warn"}.get(
        play.status.value, "dim"
    )
