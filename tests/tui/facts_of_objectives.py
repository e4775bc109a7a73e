"""Objectives as the console shows them: one broken, one kept, one that nothing is known of."""

from __future__ import annotations

from datetime import datetime, timedelta

from maestro_cli.core.errors import InvalidQuery
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.slo.burning import Burning, spans_for
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.model import Asked, Bounds, Measured, Minutes
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Counters, Objective
from tests.tui.cases import NOW
from tests.tui.made import made

_DAYS, _DAY_MINUTES = 30, 1440
_BROKEN_DAY = 24  # since when it answers badly


def objective(name: str, target: float) -> Objective:
    """A promise of the service `fraud`."""
    return made(
        Objective, name=name, title=f"{name} holds", service="fraud", target=target,
        window_seconds=_DAYS * 86400.0, indicator=Counters("requests_total", 'requests_total{code=~"5.."}'),
    )  # fmt: skip


def kept_objectives(hostile: str) -> tuple[Kept, ...]:
    """As `slo status` reads them; what is wrong with the last is said in hostile text."""
    error = InvalidQuery("Prometheus cannot evaluate the query", why=Untrusted(hostile))
    unknown = objective("search [b]x[/b]", 0.99)
    return (
        _kept(objective("fraud-availability", 0.999), 0.0065, 191.0, Verdict.FAIL),
        _kept(objective("fraud-latency", 0.99), 0.0004, 0.04, Verdict.PASS),
        Kept(unknown, None, None, InvalidQuery(Untrusted(hostile), why=error.why)),
    )


def _kept(promise: Objective, bad: float, burn: float, verdict: Verdict) -> Kept:
    end = NOW.replace(second=0, microsecond=0)
    span = Span(end - timedelta(days=_DAYS), end, "UTC", "the last 30d")
    good = [100.0] * _BROKEN_DAY * _DAY_MINUTES
    good += [100.0 * (1 - bad)] * (_DAYS - _BROKEN_DAY) * _DAY_MINUTES
    total = 100.0 * len(good)
    ratio = sum(good) / total
    spent = (1 - ratio) / promise.budget
    why = f"{ratio:.3%} of {promise.target:g}"
    asked = Asked("requests_total", span.start, end, None, NOW, "sha256:aed714bbe4d7")
    measured = made(
        Measured, objective=promise, span=span, measured=span, good=sum(good), total=total, ratio=ratio,
        bounds=Bounds(ratio - 0.0001, ratio + 0.0001), coverage=0.998,
        judgement=Judgement(verdict, 0.998, why, ratio), budget_consumed=spent, budget_projected=spent,
        budget_left=1 - spent, exact=True, notes=("one counter was reset",), queries=(asked,),
        minutes=_minutes(span.start, good),
    )  # fmt: skip
    return Kept(promise, measured, Burning(promise, dict.fromkeys(spans_for(promise), burn), 1 - spent))


def _minutes(start: datetime, good: list[float]) -> Minutes:
    return Minutes(start, tuple(good), (100.0,) * len(good), (True,) * len(good))
