"""Objectives of recovery: how long drills and incidents took, and what they lost.

Invariant: each recovery is one event; a span without any is not known, whatever was measured before.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """One measured recovery: when, which of the two, how many seconds, and of what (incident or drill)."""

    at: datetime
    kind: Literal["rto", "rpo"]
    seconds: float
    of: str
    service: str = ""


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
    good, total = sum(one.seconds <= kind.seconds for one in found), len(found)
    if not found:
        judgement = Judgement(Verdict.INDETERMINATE, 0.0, f"no {kind.kind.upper()} was measured")
    else:
        ratio = good / total
        longest = max(found, key=lambda one: one.seconds)
        why = f"{good} of {total} within {format_duration(kind.seconds)}, "
        why += f"longest {format_duration(longest.seconds)} ({longest.of})"
        verdict = Verdict.PASS if ratio >= objective.target else Verdict.FAIL
        judgement = Judgement(verdict, 1.0, why, ratio)
    share = good / total if total else None
    return Measured(
        objective,
        span,
        over,
        float(good) if found else None,
        float(total) if found else None,
        share,
        None if share is None else Bounds(share, share),
        judgement.coverage,
        judgement,
        None,
        None,
        None,
        None,
        True,
    )
