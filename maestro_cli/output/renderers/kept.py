"""How objectives are kept, as views: status, budget, the gate, and another target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Judgement, Verdict, combine
from maestro_cli.output.renderers.budget_days import WIDTH, burn_down
from maestro_cli.output.tones import BURN_TONES, verdict_tone
from maestro_cli.output.views import Column, Fields, Listing, Report
from maestro_cli.slo.bracketed import between_buckets, budget_words, ratio_words, spent_words
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.measuring.gaps import gaps_document
from maestro_cli.slo.measuring.slices import minute_target
from maestro_cli.slo.measuring.target import spent_at
from maestro_cli.slo.measuring.verdict import percent
from maestro_cli.slo.policy import Standing
from maestro_cli.slo.report.remarks import long_gaps
from maestro_cli.slo.words import gone_words, left_phrase, left_words, shown_state

if TYPE_CHECKING:
    from maestro_cli.slo.kept import Kept
    from maestro_cli.slo.measuring.model import Measured
    from maestro_cli.slo.slo_gate import GateAnswer


def kept_view(found: Sequence[Kept]) -> Listing[Kept]:
    """A row an objective, the verdict first; JSON has all that was measured but the minutes."""
    has_adjusted = any(one.measured is not None and one.measured.adjusted is not None for one in found)
    columns: tuple[Column[Kept], ...] = (
        Column("objective", lambda one: one.objective.name),
        Column("verdict", verdict_of, tone=lambda one: verdict_tone(verdict_of(one)), priority=1),
        Column("measured", _measured, right=True, priority=1),
        *((Column("adjusted", _adjusted, right=True, priority=1),) if has_adjusted else ()),
        Column("target", _target, right=True, priority=2),
        Column("budget left", _left, right=True, priority=1),
        Column("burn", _state, tone=lambda one: BURN_TONES.get(_state(one), "warn"), priority=1),
        Column("gone in", _gone, right=True, priority=2),
        Column("policy", lambda one: one.consequence.standing.value, priority=2),
        Column("seen", lambda one: _coverage(one), right=True, priority=3),
        Column("window", lambda one: "" if one.measured is None else one.measured.span.label, priority=3),
        Column("why", _why, priority=2, folds=True),
        Column("service", lambda one: one.objective.service, wide=True),
        Column("burn-down", burn_down_of, wide=True, keeps_end=True),
    )
    return Listing("slo-status/v1", columns, found, document=kept_document, empty="there is no objective")


def kept_line(found: Sequence[Kept]) -> str:
    """All of them in one line."""
    verdicts = [verdict_of(one) for one in found]
    bad = [
        f"{one.objective.name} {verdict_of(one)}, {_left_phrase(one)}, {_state(one)}"
        for one in found
        if verdict_of(one) != "PASS" or _state(one) == BurnState.CRITICAL.value
    ]
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in ("PASS", "FAIL", "INDETERMINATE"))
    return f"{counted}" + (": " + "; ".join(bad) if bad else "")


def _left_phrase(one: Kept) -> str:
    if one.measured is None or not one.measured.is_bracketed:
        return left_phrase(one.left)
    return f"{budget_words(one.measured)} of the budget"


def left_out_line(names: Sequence[str]) -> str:
    """A remark on those that are left out of budgets."""
    return f"left out, as a recovery has no error budget: {', '.join(names)}"


def budget_code(found: Sequence[Kept]) -> ExitCode:
    """By what follows from each: a freeze before what is not known; nothing at all is not known."""
    standings = {one.consequence.standing for one in found}
    if Standing.FREEZE in standings:
        return ExitCode.CONDITION_NOT_MET
    return ExitCode.NO_DATA if Standing.UNKNOWN in standings or not standings else ExitCode.OK


def ending_at(verdict: Verdict | None, looks: Iterable[tuple[Kept, ...]]) -> Iterator[tuple[Kept, ...]]:
    """Look after look, the last of them the first of which that is the verdict of all together."""
    for found in looks:
        yield found
        if verdict is not None and overall(found) == verdict.value:
            return


def budget_view(found: Sequence[Kept]) -> Listing[Kept]:
    """What there was to spend, what is spent, what is left, and what follows from it."""
    columns: tuple[Column[Kept], ...] = (
        Column("objective", lambda one: one.objective.name),
        Column("promise", lambda one: one.promise, priority=2),
        Column("spent so far", lambda one: _spent(one), right=True, priority=2),
        Column("of the period", lambda one: _spent(one, is_projected=True), right=True, priority=2),
        Column("left", _left, right=True, priority=1),
        Column("left at least", lambda one: _least(one), right=True, priority=3),
        Column("gone in", _gone, right=True, priority=2),
        Column("policy", lambda one: one.consequence.standing.value, priority=1),
        Column("so", lambda one: one.consequence.sentence, priority=1, folds=True),
        Column("burn-down", burn_down_of, wide=True, keeps_end=True),
    )
    return Listing("slo-budget/v1", columns, found, document=kept_document, empty="there is no objective")


def burn_down_of(one: Kept, width: int = WIDTH) -> str:
    """How its budget went, the newest day last; nothing where only what it spent at most is known."""
    if one.measured is None or one.measured.is_bracketed:
        return ""
    return burn_down(one.measured, width)


def gate_view(answer: GateAnswer) -> Report:
    rows = [("verdict", answer.verdict.value), *((name, why) for name, why in answer.reasons)]
    document = {
        "verdict": answer.verdict.value,
        "reasons": [{"objective": name, "why": why} for name, why in answer.reasons],
        "left_out": list(answer.left_out),
    }
    return Report("slo-gate/v1", document, (Fields(rows),))


def what_if_view(now: Kept, then: Sequence[Measured]) -> Listing[Measured]:
    """One row a target: what the verdict had been, what of its budget is gone, and since when."""
    columns: tuple[Column[Measured], ...] = (
        Column("target", lambda one: percent(one.objective.target, one.ratio), priority=0),
        Column(
            "verdict",
            lambda one: one.judgement.verdict.value,
            tone=lambda one: verdict_tone(one.judgement.verdict.value),
            priority=1,
        ),
        Column("measured", ratio_words, right=True, priority=1),
        Column("budget left", budget_words, right=True, priority=1),
        Column("spent at", lambda one: spent_at(one) or "", priority=2),
        Column("allows", lambda one: one.promise, priority=2),
        Column("why", lambda one: one.judgement.reason, priority=2, folds=True),
    )
    items = [one for one in (now.measured, *then) if one is not None]
    return Listing("slo-what-if/v1", columns, items, document=measured_document)


def verdict_of(one: Kept) -> str:
    return "INDETERMINATE" if one.measured is None else one.measured.judgement.verdict.value


def overall(found: Sequence[Kept]) -> str:
    """The worst of them; one that could not be measured is not known, as nothing at all is."""
    return combine(_judged(one) for one in found).value


def _judged(one: Kept) -> Judgement:
    if one.measured is None:
        return Judgement(Verdict.INDETERMINATE, 0.0, _why(one))
    return one.measured.judgement


def measured_document(one: Measured) -> dict[str, Any]:
    """What is known between two buckets alone is null, and told at least and at most beside it."""
    bounds, is_one_figure = one.bounds, not one.is_bracketed
    return {
        "objective": one.objective.name,
        "target": one.objective.target,
        "window": {
            "start": one.span.start,
            "end": one.span.end,
            "zone": one.span.zone,
            "label": one.span.label,
        },
        "measured_to": one.measured.end,
        "good": one.good if is_one_figure else None,
        "total": one.total,
        "ratio": one.ratio if is_one_figure else None,
        "bounds": None if bounds is None else {"low": bounds.low, "high": bounds.high},
        "coverage": one.coverage,
        "unseen": gaps_document(one.gaps),
        "verdict": one.judgement.verdict.value,
        "reason": one.judgement.reason,
        "budget": {
            "consumed": one.budget_consumed if is_one_figure else None,
            "projected": one.budget_projected if is_one_figure else None,
            "left": one.budget_left if is_one_figure else None,
        },
        "bad_minutes": one.bad_minutes if is_one_figure else None,
        "bad_minutes_under": None if one.bad_minutes is None else minute_target(one.objective),
        "between_buckets": between_buckets(one),
        "exact": one.exact and one.total is not None,
        "notes": list(one.notes),
        "excluded": [{"id": out.id, "start": out.start, "end": out.end} for out in one.excluded],
        "adjusted": None if one.adjusted is None else measured_document(one.adjusted),
    }


def kept_document(one: Kept) -> dict[str, Any]:
    burning = one.burning
    return {
        "objective": one.objective.name,
        "service": one.objective.service,
        "promise": one.promise,
        "measured": None if one.measured is None else measured_document(one.measured),
        "error": None if one.error is None else {"what": one.error.what, "why": one.error.why},
        "burn": {
            "state": _state(one) or None,
            "why": None if burning is None else burning.why or None,
            "rate": None if burning is None else burning.now,
            "gone_in_seconds": None if burning is None else burning.gone_in_seconds,
        },
        "policy": {
            "standing": one.consequence.standing.value,
            "consequence": one.consequence.sentence,
            "features": one.consequence.features,
            "chaos": one.consequence.chaos,
            "canary_share": one.consequence.canary_share,
        },
    }


def _measured(one: Kept) -> str:
    return "" if one.measured is None else ratio_words(one.measured)


def _left(one: Kept) -> str:
    return "" if one.measured is None else budget_words(one.measured)


def _spent(one: Kept, *, is_projected: bool = False) -> str:
    return "" if one.measured is None else spent_words(one.measured, is_projected=is_projected)


def _target(one: Kept) -> str:
    return percent(one.objective.target, None if one.measured is None else one.measured.ratio)


def _adjusted(one: Kept) -> str:
    """Without what is excluded, with its verdict; empty where nothing is."""
    found = None if one.measured is None else one.measured.adjusted
    return "" if found is None else f"{ratio_words(found)} {found.judgement.verdict.value}"


def _coverage(one: Kept) -> str:
    return "" if one.measured is None else f"{one.measured.coverage:.1%}"


def _least(one: Kept) -> str:
    return "" if one.left_bounds is None else left_words(one.left_bounds[0])


def _state(one: Kept) -> str:
    """Empty where nobody asked: of a month that is over, and of what no metric tells."""
    if one.burning is not None:
        return shown_state(one.burning).value
    return BurnState.NO_DATA.value if one.measured is None else ""


def _gone(one: Kept) -> str:
    """By what was measured where that is told, so that it never differs from what is left beside it."""
    return "" if one.burning_of_left is None else gone_words(one.burning_of_left)


def _why(one: Kept) -> str:
    if one.measured is None:
        return one.error.what if one.error is not None else ""
    gaps = long_gaps(one.measured)
    retention = one.measured.retention if gaps else ""
    return "; ".join(dict.fromkeys(filter(None, (_reason(one), gaps, retention))))


def _reason(one: Kept) -> str:
    measured = one.measured
    if measured is None:
        return ""
    if measured.judgement.verdict.value == "INDETERMINATE":
        return measured.judgement.reason
    if one.burning is not None and one.burning.why:
        return f"how it burns is not known: {one.burning.why}"
    return next((note for note in measured.notes if note != measured.gaps.words), "")
