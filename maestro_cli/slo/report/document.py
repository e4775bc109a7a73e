"""A report as data. Invariant: every figure stands beside what it was asked by, when, and the digest."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.slo.bracketed import between_buckets
from maestro_cli.slo.measuring.distribution import Distribution
from maestro_cli.slo.measuring.gaps import gaps_document
from maestro_cli.slo.measuring.model import Asked, Measured
from maestro_cli.slo.measuring.slices import minute_target
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.report.model import Line, SlaReport
from maestro_cli.slo.report.remarks import remark_on, spent_in

QUANTILES = (0.5, 0.95, 0.99)


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
        "method": report.method,
        "verdict": report.verdict.value,
        "credit": plain(report.credit),
        "items": [_item(line) for line in report.lines],
        "exclusions": plain(inputs.exclusions),
        "waiting_exclusions": plain(inputs.waiting),
        "incidents": [
            plain(one)
            | {"budget_spent": [{"objective": name, "share": share} for name, share in spent_in(report, one)]}
            for one in inputs.incidents
        ],
        "drills": plain(inputs.drills),
    }


def digest_of(queries: Sequence[Asked]) -> str:
    """One SHA-256 over the digests of all that was asked, in its order."""
    return hashlib.sha256("\n".join(one.digest for one in queries).encode()).hexdigest()


def figures(measured: Measured) -> dict[str, Any]:
    """What was measured in a span, without what is excluded if something is.

    What is known between two buckets alone is null, and told at least and at most beside it.
    """
    is_one_figure = not measured.is_bracketed
    return {
        "span": plain(measured.span),
        "measured_until": plain(measured.measured.end),
        "verdict": measured.judgement.verdict.value,
        "reason": measured.judgement.reason,
        "ratio": measured.ratio if is_one_figure else None,
        "bounds": plain(measured.bounds),
        "coverage": measured.coverage,
        "unseen": gaps_document(measured.gaps),
        "good": measured.good if is_one_figure else None,
        "total": measured.total,
        "bad_minutes": measured.bad_minutes if is_one_figure else None,
        "bad_minutes_under": None if measured.bad_minutes is None else minute_target(measured.objective),
        "budget_consumed": measured.budget_consumed if is_one_figure else None,
        "budget_left": measured.budget_left if is_one_figure else None,
        **({} if is_one_figure else {"between_buckets": between_buckets(measured)}),
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
        "promise": measured.promise,
        "method": objective.method.value,
        "remark": remark_on(measured),
        "raw": figures(measured),
        "adjusted": None if measured.adjusted is None else figures(measured.adjusted),
        "excluded": plain(measured.excluded),
        "credit": plain(line.credit),
        "previous": [figures(before) for before in line.previous],
        "latency": None if line.distribution is None else _latency(line.distribution, measured.span),
        "queries": [_asked(one) for one in measured.queries],
        "digest": digest_of(measured.queries),
    }


def _latency(found: Distribution, span: Span) -> dict[str, Any]:
    """Events by bucket, of the period and of each of its days, and quantiles, as PromQL extrapolates them."""
    return {
        "threshold_seconds": found.threshold_seconds,
        "le": [boundary_text(end) for end in found.ends],
        "events": list(found.events),
        "quantiles": [_quantile(found, share) for share in QUANTILES],
        "days": [
            {"day": day.isoformat(), "events": None if counts is None else list(counts)}
            for day, counts in found.days(span)
        ],
        "queries": [_asked(one) for one in found.queries],
        "digest": digest_of(found.queries),
    }


def _quantile(found: Distribution, share: float) -> dict[str, Any]:
    """`at_least`: it is in the last bucket, which has no end."""
    seconds, is_at_least = found.quantile(share) or (None, False)
    return {"share": share, "seconds": seconds, "at_least": is_at_least}


def boundary_text(end: float) -> str:
    """The upper end of a bucket as Prometheus writes it."""
    return "+Inf" if math.isinf(end) else f"{end:g}"


def _asked(one: Asked) -> dict[str, Any]:
    return {
        "promql": one.promql,
        "start": plain(one.start),
        "end": plain(one.end),
        "step_seconds": one.step_seconds,
        "asked_at": plain(one.at),
        "sha256": one.digest,
    }
