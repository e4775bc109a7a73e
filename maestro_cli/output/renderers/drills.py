"""Drills and their scorecards as views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.drills.league.record import SCHEMA, document_of
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.fault_score import FaultScore
    from maestro_cli.chaos.drills.faults import InjectedFault
    from maestro_cli.chaos.drills.league.draw import Entry
    from maestro_cli.chaos.drills.league.model import Item, LeagueReport
    from maestro_cli.chaos.drills.model import ExperimentEnd, PhaseScore, Scenario, Scorecard


def scenarios_view(scenarios: Sequence[Scenario]) -> Listing[Scenario]:
    columns: tuple[Column[Scenario], ...] = (
        Column("name", lambda scenario: scenario.name),
        Column("what happens", lambda scenario: scenario.title, priority=1),
        Column("alert", lambda scenario: scenario.alert),
        Column("runbook", lambda scenario: scenario.runbook, priority=3),
        Column("target", lambda scenario: scenario.target, wide=True),
        Column("objective", lambda scenario: scenario.objective, wide=True),
        Column("description", lambda scenario: scenario.description, wide=True),
    )
    return Listing(
        "drill-list/v1",
        columns,
        scenarios,
        document=lambda scenario: {
            "name": scenario.name,
            "title": scenario.title,
            "description": scenario.description,
            "alert": scenario.alert,
            "runbook": scenario.runbook,
            "target": str(scenario.target),
            "objective": scenario.objective,
        },
    )


def scorecard_view(card: Scorecard) -> Report:
    """Phases against budgets, cause and fix against the truth; JSON is the scorecard."""
    phases = _phases_view(card.phases)
    served = None if card.requests_served is None else f"{card.requests_served:.0f}"
    wrong = None if card.errors_served is None else f"{card.errors_served:.0f} of {served} requests"
    if card.objective is None:
        wrong = "not counted: the drill is about no objective"
    right = {True: "right", False: "wrong", None: "not scored"}
    rows: list[tuple[str, object]] = [
        ("result", "PASS" if card.passed else "FAIL"),
        ("misses", "; ".join(card.misses) or None),
        ("true cause", card.true_cause),
        ("blamed", f"{card.blamed} ({right[card.cause_is_right]})"),
        ("fix", f"{card.fix} ({right[card.fix_is_right]})"),
        ("runbook", card.run or None),
        ("bad requests", wrong),
        ("budget burned", _budget(card)),
        ("experiment", _experiment(card.experiment)),
        ("incident", card.incident),
        ("post-mortem", card.postmortem),
        ("took", _wall(card)),
    ]
    return Report(
        "drill-scorecard/v1",
        scorecard_document(card),
        (Heading(f"Drill {card.scenario}"), phases, Fields(rows)),
    )


def scorecard_document(card: Scorecard) -> dict[str, Any]:
    """A scorecard as data."""
    return {
        "drill": card.drill,
        "scenario": card.scenario,
        "alert": card.alert,
        "objective": card.objective,
        "passed": card.passed,
        "misses": card.misses,
        "failure": card.failure,
        "incident": card.incident,
        "injected_at": card.injected_at,
        "phases": [_phase_document(phase) for phase in card.phases],
        "true_cause": card.true_cause,
        "blamed": card.blamed,
        "cause_is_right": card.cause_is_right,
        "fix": card.fix,
        "fix_is_right": card.fix_is_right,
        "run": card.run,
        "requests_served": card.requests_served,
        "errors_served": card.errors_served,
        "budget_share": card.budget_share,
        "budget_seconds": card.budget_seconds,
        "postmortem": card.postmortem,
        "wall_seconds": card.wall_seconds,
        "platform_seconds": card.platform_seconds,
        "experiment": None if card.experiment is None else asdict(card.experiment),
    }


def _experiment(end: ExperimentEnd | None) -> str | None:
    """`exp-… FAIL (10): why`, of the run that broke it."""
    if end is None:
        return None
    return f"{end.run} {end.verdict} ({end.exit_code}){f': {end.reason}' if end.reason else ''}"


def entries_view(entries: Sequence[Entry]) -> Listing[Entry]:
    """The scenarios of the league, and what the seed decides of each."""
    columns: tuple[Column[Entry], ...] = (
        Column("name", lambda entry: entry.name),
        Column("what happens", lambda entry: entry.title, priority=1),
        Column("drawn from the seed", lambda entry: entry.drawn, priority=1, folds=True),
    )
    return Listing(
        "drill-league-list/v1",
        columns,
        entries,
        document=lambda entry: {"name": entry.name, "title": entry.title, "drawn": entry.drawn},
    )


def league_view(report: LeagueReport, file: str) -> Report:
    """Each scenario against the clock, and how often the true cause came first."""
    columns: tuple[Column[Item], ...] = (
        Column("scenario", lambda item: item.scenario),
        Column("seed", lambda item: item.seed, right=True, priority=0),
        Column("true cause", lambda item: item.true_cause),
        Column("rank", lambda item: _rank(item), right=True, priority=1),
        Column("detected", lambda item: _seconds(item.detected_seconds), right=True),
        Column("triaged", lambda item: _seconds(item.triaged_seconds), right=True),
        Column("mitigated", lambda item: _seconds(item.mitigated_seconds), right=True),
        Column("resolved", lambda item: _seconds(item.resolved_seconds), right=True),
        Column(
            "result",
            lambda item: "PASS" if item.passed else f"FAIL: {'; '.join(item.misses)}",
            tone=lambda item: "good" if item.passed else "bad",
            priority=1,
            folds=True,
        ),
    )
    first = f"{report.ranked_first} of {len(report.items)}"
    rows: list[tuple[str, object]] = [
        ("result", "PASS" if report.passed else "FAIL"),
        ("misses", "; ".join(report.misses) or None),
        ("passed", f"{sum(item.passed for item in report.items)} of {len(report.items)}"),
        ("true cause first", first),
        ("began", report.began_at),
        ("kept in", file),
    ]
    items = Listing("drill-league-items/v1", columns, report.items, empty="nothing was played")
    return Report(SCHEMA, document_of(report), (Heading("Drill league"), items, Fields(rows)))


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _rank(item: Item) -> str:
    """The rank; where nothing was wrong, whether nobody was blamed."""
    if item.cause_rank is not None:
        return str(item.cause_rank)
    return "none, rightly" if item.cause_is_right else "none"


def fault_score_view(score: FaultScore) -> Report:
    """What was injected, what was made of it, and the verdict."""
    fault, right = score.fault, {True: "right", False: "wrong", None: "not known"}[score.cause_is_right]
    rows: list[tuple[str, object]] = [
        ("result", score.judgement.verdict.value),
        ("why", score.judgement.reason),
        ("fault", None if fault is None else _fault_words(fault)),
        ("began", None if fault is None else fault.began),
        (
            "over",
            None
            if fault is None
            else f"{to_rfc3339(fault.over_at)} ({fault.ended_because or 'not recorded'})",
        ),
        ("on beside it", ", ".join(map(_fault_words, score.others)) or None),
        ("blamed", f"{score.blamed} ({right})"),
        ("incident", score.incident),
    ]
    document = {
        "incident": score.incident,
        "verdict": score.judgement.verdict.value,
        "coverage": score.judgement.coverage,
        "reason": score.judgement.reason,
        "misses": score.misses,
        "fault": None if fault is None else _fault_document(fault),
        "others": [_fault_document(other) for other in score.others],
        "phases": [_phase_document(phase) for phase in score.phases],
        "blamed": score.blamed,
        "cause_is_right": score.cause_is_right,
    }
    return Report(
        "drill-fault-score/v1",
        document,
        (Heading(f"Response to {score.incident}"), _phases_view(score.phases), Fields(rows)),
    )


def _fault_words(fault: InjectedFault) -> str:
    whom = (
        ""
        if not fault.model
        else f" of {fault.model}" + ("" if fault.version is None else f" {fault.version}")
    )
    return f"{fault.kind}{whom}"


def _fault_document(fault: InjectedFault) -> dict[str, object]:
    return {
        "id": fault.id,
        "kind": fault.kind,
        "model": fault.model,
        "version": fault.version,
        "began": fault.began,
        "over": fault.over_at,
        "ended_because": fault.ended_because,
        "hits": fault.hits,
        "by": fault.by,
        "note": fault.note,
    }


def _phases_view(phases: Sequence[PhaseScore]) -> Listing[PhaseScore]:
    columns: tuple[Column[PhaseScore], ...] = (
        Column("phase", lambda phase: phase.name),
        Column("after", lambda phase: _duration(phase.seconds), right=True),
        Column("budget", lambda phase: format_duration(phase.budget_seconds), right=True),
        Column(
            "result",
            lambda phase: "met" if phase.met else "missed",
            tone=lambda p: "good" if p.met else "bad",
        ),
    )
    return Listing("drill-phases/v1", columns, phases)


def _phase_document(phase: PhaseScore) -> dict[str, object]:
    return {
        "name": phase.name,
        "seconds": phase.seconds,
        "budget_seconds": phase.budget_seconds,
        "met": phase.met,
    }


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _budget(card: Scorecard) -> str | None:
    if card.budget_share is None or card.budget_seconds is None:
        return None
    return f"{card.budget_share:.2%} of the window's budget ({format_duration(card.budget_seconds)})"


def _wall(card: Scorecard) -> str:
    start = "" if card.platform_seconds is None else f", platform up in {card.platform_seconds:.1f}s"
    return format_duration(card.wall_seconds) + start
