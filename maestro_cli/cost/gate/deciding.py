"""Whether a change keeps its limits.

Invariant: what is unknown only on the new side can make a change dearer and never cheaper, so that a limit
that is broken without it stays broken; whatever else is unknown decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.money import digits_apart, money, money_change
from maestro_cli.core.verdict import Judgement, Verdict, combine, judge
from maestro_cli.cost.gate.model import Comparison, Judged, Limits, Scale

INCREASE, TOTAL = "max-increase", "budget"
_CODES = {INCREASE: ExitCode.GATE_NOT_MET, TOTAL: ExitCode.CONDITION_NOT_MET}


def decide(comparison: Comparison, limits: Limits, scale: Scale, currency: str) -> tuple[Judged, ...]:
    """One judgement a limit, in the order of gravity; none without one."""
    return tuple(_judged(comparison, limits, scale, currency))


def verdict_of(comparison: Comparison, judged: tuple[Judged, ...]) -> Verdict | None:
    """The gravest; without a limit None, but INDETERMINATE when the cost of the change is not known."""
    if judged:
        return combine(one.judgement for one in judged)
    return None if comparison.is_known else Verdict.INDETERMINATE


def exit_code_of(comparison: Comparison, judged: tuple[Judged, ...]) -> ExitCode:
    """11 for an increase, 10 for a budget, 15 for what is not known."""
    for one in judged:
        if one.judgement.verdict is Verdict.FAIL:
            return _CODES[one.rule]
    return ExitCode.NO_DATA if verdict_of(comparison, judged) is Verdict.INDETERMINATE else ExitCode.OK


def _judged(comparison: Comparison, limits: Limits, scale: Scale, currency: str) -> Iterator[Judged]:
    if limits.increase is not None:
        yield Judged(INCREASE, limits.increase, _increase(comparison, limits.increase, scale, currency))
    if limits.increase_share is not None:
        before = comparison.before(scale)
        known = not any(one.old is not None and one.old.unknown for one in comparison.changed)
        bound = limits.increase_share * before if known and before > 0 else None
        if bound is None:
            why = "what it costs now is not known" if not known else "it costs nothing now: give an amount"
            judgement = judge(None, holds=None, coverage=comparison.coverage, reason=why)
        else:
            judgement = _increase(comparison, bound, scale, currency)
        yield Judged(INCREASE, bound, judgement)
    if limits.total is not None:
        yield Judged(TOTAL, limits.total, _total(comparison, limits.total, scale, currency))


def _increase(comparison: Comparison, bound: float, scale: Scale, currency: str) -> Judgement:
    found = comparison.increase(scale)
    before = [text for one in comparison.changed for text in one.unknown_before]
    after = [text for one in comparison.changed for text in one.unknown_after]
    digits = digits_apart(found, bound)
    told = f"{money_change(found, currency, digits)} a month, {money(bound, currency, digits)} allowed"
    if found > bound and not before:
        return judge(found, holds=False, coverage=comparison.coverage, reason=told)
    if before or after:
        why = f"not known: {(after or before)[0]}"
        return judge(found, holds=None, coverage=comparison.coverage, reason=why)
    return judge(found, holds=found <= bound, coverage=comparison.coverage, reason=told)


def _total(comparison: Comparison, bound: float, scale: Scale, currency: str) -> Judgement:
    found = comparison.after(scale)
    unknown = [text for one in comparison.changed if one.new is not None for text in one.new.unknown]
    digits = digits_apart(found, bound)
    told = f"{money(found, currency, digits)} a month, {money(bound, currency, digits)} allowed"
    if found > bound or not unknown:
        return judge(found, holds=found <= bound, coverage=comparison.coverage, reason=told)
    return judge(found, holds=None, coverage=comparison.coverage, reason=f"not known: {unknown[0]}")
