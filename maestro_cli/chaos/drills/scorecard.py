"""From what happened and what was true to a score. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from maestro_cli.chaos.drills.model import (
    DETECT_BUDGET_SECONDS,
    RESOLVE_BUDGET_SECONDS,
    TRIAGE_BUDGET_SECONDS,
    Baseline,
    Fix,
    Outcome,
    PhaseScore,
    Scenario,
    Scorecard,
    Truth,
)
from maestro_cli.core.clock import seconds_between
from maestro_cli.slo.burn import budget_spend
from maestro_cli.slo.objectives import Objective


@dataclass(frozen=True, slots=True)
class Performance:
    """All that was measured of one drill; counters are totals, as in the baseline. Without an objective
    nothing was counted.
    """

    drill: str
    scenario: Scenario
    objective: Objective | None
    baseline: Baseline
    truth: Truth
    outcome: Outcome
    requests: float | None
    errors: float | None
    finished_at: datetime
    wall_seconds: float
    platform_seconds: float | None
    failure: str = ""


def score(played: Performance) -> Scorecard:
    """Judge an outcome against the truth of its scenario."""
    scenario, outcome, truth = played.scenario, played.outcome, played.truth
    baseline = played.baseline
    served, failed = _grown(baseline.requests, played.requests), _grown(baseline.errors, played.errors)
    seconds = max(seconds_between(baseline.at, played.finished_at), 1e-9)
    objective = played.objective
    spend = None if objective is None else budget_spend(failed, served, seconds, objective)
    truly = outcome if truth.ended_at is None else replace(outcome, mitigated_at=truth.ended_at)
    if not truth.is_mended:  # that it ended by itself, or by the drill, is nobody's recovery
        truly = replace(truly, mitigated_at=None)
    return Scorecard(
        drill=played.drill,
        scenario=scenario.name,
        alert=scenario.alert,
        objective=scenario.objective,
        incident=outcome.incident,
        injected_at=truth.began,
        phases=phases_since(truly, truth.began),
        true_cause=truth.words,
        blamed=blamed(outcome),
        cause_is_right=_cause_is_right(scenario, outcome, truth),
        fix=_made(scenario, outcome),
        fix_is_right=_fix_is_right(scenario, outcome, truth),
        run=outcome.run,
        requests_served=served,
        errors_served=failed,
        budget_share=spend.share if spend else None,
        budget_seconds=spend.seconds_equivalent if spend else None,
        postmortem=outcome.postmortem,
        wall_seconds=played.wall_seconds,
        platform_seconds=played.platform_seconds,
        failure=played.failure,
        experiment=truth.experiment,
    )


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _cause_is_right(scenario: Scenario, outcome: Outcome, truth: Truth) -> bool | None:
    if scenario.true_cause is None:
        return None
    named = (outcome.suspect_kind, outcome.suspect_subject, outcome.suspect_revision)
    return named == (scenario.true_cause, truth.subject, truth.revision)


def _made(scenario: Scenario, outcome: Outcome) -> str:
    """The changes, and the right step where it was one, in words."""
    made = [f"{fix.kind} {fix.target}" for fix in outcome.fixes]
    step = scenario.right_fix
    return ", ".join([*made, *([f"step {step}"] if step in outcome.steps else [])]) or "none"


def _fix_is_right(scenario: Scenario, outcome: Outcome, truth: Truth) -> bool:
    """Whether the right step or change is among those made, and the responders ended the defect."""
    right = scenario.right_fix
    wanted = Fix(right, truth.fix_target or str(scenario.target), verified=True)
    done = right in outcome.steps if "/" in right else wanted in outcome.fixes
    return done and truth.is_mended


def phases_since(outcome: Outcome, injected_at: datetime) -> tuple[PhaseScore, ...]:
    """Each phase of a response, in seconds since the defect was really there."""

    def since(instant: datetime | None) -> float | None:
        return None if instant is None else seconds_between(injected_at, instant)

    return (
        PhaseScore("detected", since(outcome.detected_at), DETECT_BUDGET_SECONDS),
        PhaseScore("triaged", since(outcome.triaged_at), TRIAGE_BUDGET_SECONDS),
        PhaseScore("mitigated", since(outcome.mitigated_at), RESOLVE_BUDGET_SECONDS),
        PhaseScore("resolved", since(outcome.resolved_at), RESOLVE_BUDGET_SECONDS),
    )


def blamed(outcome: Outcome) -> str:
    """The suspect in words."""
    if not outcome.suspect_kind:
        return "nobody"
    if outcome.suspect_subject.startswith(f"{outcome.suspect_kind} "):
        return outcome.suspect_subject  # «pod ml/fraud-abc» says what it is
    revision = "" if outcome.suspect_revision is None else f", revision {outcome.suspect_revision}"
    return f"{outcome.suspect_kind} of {outcome.suspect_subject}{revision}"
