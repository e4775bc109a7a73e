"""A report as data. Invariant: every figure stands beside what it was asked by, when, and the digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.slo.measuring.model import Asked, Measured
from maestro_cli.slo.report.model import METHOD, Line, SlaReport


def report_document(report: SlaReport) -> dict[str, Any]:
    """JSON: the period, the verdict, `items` by objective, and what they rest on."""
    inputs = report.inputs
    return {
        "period": plain(inputs.span),
        "asked_at": plain(inputs.asked_at),
        "is_over": inputs.is_over,
        "context": inputs.context,
        "prometheus": inputs.url,
        "contract": plain(inputs.terms),
        "method": METHOD,
        "verdict": report.verdict.value,
        "credit": plain(report.credit),
        "items": [_item(line) for line in report.lines],
        "exclusions": plain(inputs.exclusions),
        "waiting_exclusions": plain(inputs.waiting),
        "incidents": plain(inputs.incidents),
        "drills": plain(inputs.drills),
    }


def digest_of(queries: Sequence[Asked]) -> str:
    """One SHA-256 over the digests of all that was asked, in its order."""
    return hashlib.sha256("\n".join(one.digest for one in queries).encode()).hexdigest()


def figures(measured: Measured) -> dict[str, Any]:
    """What was measured in a span, without what is excluded if something is."""
    return {
        "span": plain(measured.span),
        "measured_until": plain(measured.measured.end),
        "verdict": measured.judgement.verdict.value,
        "reason": measured.judgement.reason,
        "ratio": measured.ratio,
        "bounds": plain(measured.bounds),
        "coverage": measured.coverage,
        "good": measured.good,
        "total": measured.total,
        "bad_minutes": measured.bad_minutes,
        "budget_consumed": measured.budget_consumed,
        "budget_left": measured.budget_left,
        "exact": measured.exact,
        "notes": list(measured.notes),
    }


def _item(line: Line) -> dict[str, Any]:
    objective, measured = line.objective, line.measured
    return {
        "objective": objective.name,
        "title": objective.title,
        "service": objective.service,
        "target": objective.target,
        "promise": objective.echo,
        "method": objective.method.value,
        "raw": figures(measured),
        "adjusted": None if measured.adjusted is None else figures(measured.adjusted),
        "excluded": plain(measured.excluded),
        "credit": plain(line.credit),
        "previous": [figures(before) for before in line.previous],
        "queries": [_asked(one) for one in measured.queries],
        "digest": digest_of(measured.queries),
    }


def _asked(one: Asked) -> dict[str, Any]:
    return {
        "promql": one.promql,
        "start": plain(one.start),
        "end": plain(one.end),
        "step_seconds": one.step_seconds,
        "asked_at": plain(one.at),
        "sha256": one.digest,
    }
