"""Objectives of recovery: how long drills and incidents took, and what they lost.

Invariant: each recovery is one event; a span without any is not known, whatever was measured before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from maestro_cli.core.quantities import format_duration
from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.slo.measuring.model import Bounds, Measured
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Objective, Recovery


@dataclass(frozen=True, slots=True)
class Recovered:
    """One measured recovery: when, which of the two, how many seconds, and of what (incident or drill).

    While it is not over, `seconds` is the time so far.
    """

    at: datetime
    kind: Literal["rto", "rpo"]
    seconds: float
    of: str
    service: str = ""
    is_over: bool = True


def measure_recoveries(
    objective: Objective, kind: Recovery, span: Span, over: Span, recovered: Iterable[Recovered]
) -> Measured:
    """Judge those of the span that are of this kind and, where they name one, of this service."""
    found = [
        one
        for one in recovered
        if one.kind == kind.kind
        and over.start <= one.at < over.end
        and one.service in ("", objective.service)
    ]
    good = sum(one.is_over and one.seconds <= kind.seconds for one in found)
    pending = sum(not one.is_over and one.seconds <= kind.seconds for one in found)
    total, known = len(found), len(found) - pending
    bounds = Bounds(good / total, (good + pending) / total) if total else None
    judgement = _judged(objective, kind, found, good, bounds)
    return Measured(
        objective, span, over,
        good=float(good) if known else None, total=float(known) if known else None,
        ratio=good / known if known else None, bounds=bounds, coverage=judgement.coverage,
        judgement=judgement, budget_consumed=None, budget_projected=None, budget_left=None,
        bad_minutes=None, exact=True,
    )  # fmt: skip


def _judged(
    objective: Objective, kind: Recovery, found: Sequence[Recovered], good: int, bounds: Bounds | None
) -> Judgement:
    """What may still come in time leaves it open; what is late already does not."""
    if bounds is None:
        return Judgement(Verdict.INDETERMINATE, 0.0, f"no {kind.kind.upper()} was measured")
    longest = max(found, key=lambda one: one.seconds)
    why = f"{good} of {len(found)} within {format_duration(kind.seconds)}, "
    why += f"longest {format_duration(longest.seconds)} ({longest.of})"
    unfinished = [one.of for one in found if not one.is_over]
    if unfinished:
        why += f"; not over: {', '.join(unfinished[:3])}"
    if bounds.low >= objective.target:
        return Judgement(Verdict.PASS, 1.0, why, bounds.low)
    if bounds.high < objective.target:
        return Judgement(Verdict.FAIL, 1.0, why, bounds.high)
    return Judgement(Verdict.INDETERMINATE, 1.0, why)
