"""From what happened and what was true to a score. Pure."""

from __future__ import annotations

from datetime import datetime

from maestro_cli.chaos.drills.model import (
    DETECT_BUDGET_SECONDS,
    RESOLVE_BUDGET_SECONDS,
    TRIAGE_BUDGET_SECONDS,
    Baseline,
    Outcome,
    PhaseScore,
    Scenario,
    Scorecard,
)
from maestro_cli.core.clock import seconds_between
from maestro_cli.slo.burn import budget_spend
from maestro_cli.slo.objectives import Objective


def score(
    *,
    drill: str,
    scenario: Scenario,
    injected_at: datetime,
    bad_revision: int,
    baseline: Baseline,
    outcome: Outcome,
    requests: float | None,
    errors: float | None,
    finished_at: datetime,
    objective: Objective,
    wall_seconds: float,
    platform_seconds: float | None,
    is_restored: bool,
    failure: str = "",
) -> Scorecard:
    """Judge an outcome against the truth of its scenario; counters are totals, as in the baseline."""
    served = None if requests is None else requests - baseline.requests
    failed = None if errors is None else errors - baseline.errors
    spend = budget_spend(failed, served, max(seconds_between(baseline.at, finished_at), 1e-9), objective)
    target = str(scenario.target)
    cause_is_right = (
        outcome.suspect_kind == scenario.true_cause
        and outcome.suspect_subject == target
        and outcome.suspect_revision == bad_revision
    )
    fix_is_right = (
        outcome.fix_kind == scenario.right_fix
        and outcome.fix_target == target
        and outcome.fix_verified
        and is_restored
    )
    return Scorecard(
        drill=drill,
        scenario=scenario.name,
        incident=outcome.incident,
        injected_at=injected_at,
        phases=phases_since(outcome, injected_at),
        true_cause=f"{scenario.true_cause} of {target}, revision {bad_revision}",
        blamed=blamed(outcome),
        cause_is_right=cause_is_right,
        fix=f"{outcome.fix_kind} {outcome.fix_target}".strip() or "none",
        fix_is_right=fix_is_right,
        requests_served=served,
        errors_served=failed,
        budget_share=spend.share if spend else None,
        budget_seconds=spend.seconds_equivalent if spend else None,
        postmortem=outcome.postmortem,
        wall_seconds=wall_seconds,
        platform_seconds=platform_seconds,
        failure=failure,
    )


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
