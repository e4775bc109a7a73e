"""A canary and the decision about it as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.changes.canary.examination import Examination
    from maestro_cli.changes.canary.model import Canary, Criterion, Tally


def canary_view(found: Examination) -> Report:
    """The decision first; JSON has the counts of both versions and each criterion's verdict."""
    canary, decision = found.canary, found.decision
    passed = (found.at - canary.started_at).total_seconds()
    rows: list[tuple[str, object]] = [
        ("decision", f"{decision.verb.value}: {decision.why}"),
        ("canary", f"{canary.name}, {_of(canary)}"),
        ("stable", canary.stable_name),
        ("since", canary.started_at),
        ("for", format_duration(passed)),
        ("started by", canary.actor),
        ("requests", f"{_count(found.mine)} by the canary, {_count(found.usual)} by the stable one"),
        ("needs", found.patience.why if found.patience.if_good is None else _times(found)),
        *([("deadline", "passed: it is held")] if found.overdue else []),
    ]
    document = {
        "id": canary.id,
        "target": str(canary.ref),
        "model": canary.model,
        "version": canary.version,
        "stable": canary.stable,
        "beside": canary.beside,
        "share": canary.share,
        "started_at": canary.started_at,
        "actor": canary.actor,
        "change": canary.change,
        "rules": plain(canary.rules),
        "decision": decision.verb.value,
        "why": decision.why,
        "overdue": found.overdue,
        "counts": {"canary": plain(found.mine), "stable": plain(found.usual)},
        "criteria": [_criterion(one) for one in decision.criteria],
        "expected_seconds": {"if_bad": found.patience.if_bad, "if_good": found.patience.if_good},
    }
    return Report("canary/v1", document, (Fields(rows), _criteria(decision.criteria)))


def _criteria(criteria: tuple[Criterion, ...]) -> Listing[Criterion]:
    columns: tuple[Column[Criterion], ...] = (
        Column("criterion", lambda one: one.name),
        Column("verdict", lambda one: one.judgement.verdict.value, tone=_tone, priority=1),
        Column("why", lambda one: one.judgement.reason, priority=1, folds=True),
    )
    return Listing("canary-criteria/v1", columns, criteria, document=_criterion)


def _criterion(one: Criterion) -> dict[str, Any]:
    found = one.judgement
    return {
        "name": one.name,
        "verdict": found.verdict.value,
        "coverage": found.coverage,
        "value": found.value,
        "reason": found.reason,
    }


def _tone(one: Criterion) -> str:
    return verdict_tone(one.judgement.verdict.value)


def _of(canary: Canary) -> str:
    if canary.beside:
        return f"{canary.share:.3g} of the replicas of both"
    return f"{canary.share:.3g} of the traffic of {canary.ref}"


def _count(tally: Tally) -> str:
    return "an unknown number" if tally.requests is None else f"{tally.requests:.0f}"


def _times(found: Examination) -> str:
    bad, good = found.patience.if_bad, found.patience.if_good
    parts = [
        f"{format_duration(seconds)} if it is {word}"
        for seconds, word in ((bad, "bad"), (good, "good"))
        if seconds is not None
    ]
    return f"about {', '.join(parts)}, from its start ({found.patience.why})"
