"""How objectives are kept, as views: status, budget, one explained, the gate, and another target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.core.verdict import Judgement, Verdict, combine
from maestro_cli.output.renderers.durations import durations_blocks, durations_document
from maestro_cli.output.strips import sparkline, strip
from maestro_cli.output.tones import BURN_TONES, verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.measuring.slices import minute_target
from maestro_cli.slo.measuring.target import Day, days_in, spent_at
from maestro_cli.slo.measuring.verdict import bad_minutes_words, percent
from maestro_cli.slo.policy import Standing
from maestro_cli.slo.words import gone_words, left_phrase, left_words, shown_state

if TYPE_CHECKING:
    from maestro_cli.slo.kept import Kept
    from maestro_cli.slo.measuring.model import Measured
    from maestro_cli.slo.slo_gate import GateAnswer

_WIDTH = 31
STRIP_LEGEND = "blank: under 0.1 % of the budget, ░ 0.1 %, ▒ 1 %, ▓ a thirty-first, █ a tenth, · no traffic"
_SHARES = (0.001, 0.01, 1 / 31, 0.1)  # of the budget, that a day spends: the levels of the strip


def kept_view(found: Sequence[Kept]) -> Listing[Kept]:
    """A row an objective, the verdict first; JSON has all that was measured but the minutes."""
    has_adjusted = any(one.measured is not None and one.measured.adjusted is not None for one in found)
    columns: tuple[Column[Kept], ...] = (
        Column("objective", lambda one: one.objective.name),
        Column("verdict", verdict_of, tone=lambda one: verdict_tone(verdict_of(one)), priority=1),
        Column("measured", _measured, right=True, priority=1),
        *((Column("adjusted", _adjusted, right=True, priority=1),) if has_adjusted else ()),
        Column("target", _target, right=True, priority=2),
        Column("budget left", lambda one: left_words(one.left), right=True, priority=1),
        Column("burn", _state, tone=lambda one: BURN_TONES.get(_state(one), "warn"), priority=1),
        Column("gone in", _gone, right=True, priority=2),
        Column("policy", lambda one: one.consequence.standing.value, priority=2),
        Column("seen", lambda one: _coverage(one), right=True, priority=3),
        Column("window", lambda one: "" if one.measured is None else one.measured.span.label, priority=3),
        Column("why", _why, priority=2, folds=True),
        Column("service", lambda one: one.objective.service, wide=True),
        Column("burn-down", lambda one: "" if one.measured is None else burn_down(one.measured), wide=True),
    )
    return Listing("slo-status/v1", columns, found, document=kept_document, empty="there is no objective")


def kept_line(found: Sequence[Kept]) -> str:
    """All of them in one line."""
    verdicts = [verdict_of(one) for one in found]
    bad = [
        f"{one.objective.name} {verdict_of(one)}, {left_phrase(one.left)}, {_state(one)}"
        for one in found
        if verdict_of(one) != "PASS" or _state(one) == BurnState.CRITICAL.value
    ]
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in ("PASS", "FAIL", "INDETERMINATE"))
    return f"{counted}" + (": " + "; ".join(bad) if bad else "")


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
        Column("promise", lambda one: one.objective.echo, priority=2),
        Column("spent so far", lambda one: _share(_of(one, "budget_consumed")), right=True, priority=2),
        Column("of the period", lambda one: _share(_of(one, "budget_projected")), right=True, priority=2),
        Column("left", lambda one: left_words(one.left), right=True, priority=1),
        Column("left at least", lambda one: _least(one), right=True, priority=3),
        Column("gone in", _gone, right=True, priority=2),
        Column("policy", lambda one: one.consequence.standing.value, priority=1),
        Column("so", lambda one: one.consequence.sentence, priority=1, folds=True),
        Column("burn-down", lambda one: "" if one.measured is None else burn_down(one.measured), wide=True),
    )
    return Listing("slo-budget/v1", columns, found, document=kept_document, empty="there is no objective")


def explain_view(one: Kept) -> Report:
    """Everything that the verdict of one objective rests on, each query with its digest."""
    durations = durations_document(one.distribution)
    document = {**kept_document(one), "queries": [], "burn_windows": _burn_rows(one), "durations": durations}
    if one.measured is None:
        why = one.error.what if one.error is not None else ""
        return Report(
            "slo-explain/v1", document, (Fields([("objective", one.objective.name), ("why", why)]),)
        )
    measured = one.measured
    document["queries"] = [_asked(asked) for asked in measured.queries]
    days = list(days_in(measured))
    document["days"] = [_day(day) for day in days]
    blocks: list[Any] = [Fields(_rows(one, measured))]
    if days:
        blocks += [Heading("days, by what each spent of the budget"), Lines(_calendar(days, measured))]
    if one.distribution is not None:
        promised = {one.distribution.threshold_seconds: [one.objective.name]}
        blocks += durations_blocks(one.distribution, one.objective.name, promised)
    if one.burning is not None:
        blocks += [Heading("burn"), _burns(one)]
    kept = sum(asked.is_kept for asked in measured.queries)
    blocks += [
        Heading(f"queries ({len(measured.queries)} pieces of time, {kept} of them from this disk)"),
        Lines("\n".join(dict.fromkeys(asked.promql for asked in measured.queries)) or "none"),
    ]
    return Report("slo-explain/v1", document, tuple(blocks))


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
        Column("measured", _percent, right=True, priority=1),
        Column("budget left", lambda one: left_words(one.budget_left), right=True, priority=1),
        Column("spent at", lambda one: spent_at(one) or "", priority=2),
        Column("allows", lambda one: one.objective.echo, priority=2),
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


def burn_down(measured: Measured, width: int = _WIDTH) -> str:
    """What was left of the budget at the end of each day, in at most so many characters."""
    left, values = 1.0, []
    for day in days_in(measured):
        left -= day.spent or 0.0
        values.append(left if day.total else None)
    return sparkline(values, width, 0.0, 1.0)


def measured_document(one: Measured) -> dict[str, Any]:
    bounds = one.bounds
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
        "good": one.good,
        "total": one.total,
        "ratio": one.ratio,
        "bounds": None if bounds is None else {"low": bounds.low, "high": bounds.high},
        "coverage": one.coverage,
        "verdict": one.judgement.verdict.value,
        "reason": one.judgement.reason,
        "budget": {
            "consumed": one.budget_consumed,
            "projected": one.budget_projected,
            "left": one.budget_left,
        },
        "bad_minutes": one.bad_minutes,
        "bad_minutes_under": None if one.bad_minutes is None else minute_target(one.objective),
        "exact": one.exact,
        "notes": list(one.notes),
        "excluded": [{"id": out.id, "start": out.start, "end": out.end} for out in one.excluded],
        "adjusted": None if one.adjusted is None else measured_document(one.adjusted),
    }


def kept_document(one: Kept) -> dict[str, Any]:
    burning = one.burning
    return {
        "objective": one.objective.name,
        "service": one.objective.service,
        "promise": one.objective.echo,
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


def _rows(one: Kept, measured: Measured) -> list[tuple[str, object]]:
    bounds, target = measured.bounds, measured.objective.target
    rows: list[tuple[str, object]] = [
        ("objective", one.objective.name),
        ("promise", one.objective.echo),
        ("verdict", f"{measured.judgement.verdict.value}: {measured.judgement.reason}"),
        ("window", str(measured.span)),
        ("measured to", measured.measured.end),
        ("method", one.objective.method.value),
        ("good", _count(measured.good)),
        ("total", _count(measured.total)),
        ("seen", f"{measured.coverage:.2%} of minutes"),
        (
            "bounds",
            None if bounds is None else f"{percent(bounds.low, target)} to {percent(bounds.high, target)}",
        ),
        ("bad minutes", bad_minutes_words(measured)),
        ("budget spent", _share(measured.budget_consumed)),
        ("budget left", left_words(measured.budget_left)),
        ("policy", f"{one.consequence.standing.value}: {one.consequence.sentence}"),
        ("burn-down", burn_down(measured)),
        ("exact", "yes" if measured.exact else "no"),
    ]
    if measured.adjusted is not None:
        rows.append(("without exclusions", measured.adjusted.judgement.reason))
    rows += [("note", note) for note in measured.notes]
    return [row for row in rows if row[1] not in (None, "")]


def _calendar(days: Sequence[Day], measured: Measured) -> str:
    return f"[{days_strip(days)}]\n{STRIP_LEGEND}"


def days_strip(days: Iterable[Day]) -> str:
    """A character for each day, by what it spent of the budget."""
    return strip(
        None if not day.total or day.spent is None else sum(day.spent > share for share in _SHARES)
        for day in days
    )


def _burns(one: Kept) -> Listing[dict[str, Any]]:
    columns: tuple[Column[dict[str, Any]], ...] = (
        Column("over", lambda row: format_duration(row["long_seconds"])),
        Column("and", lambda row: format_duration(row["short_seconds"])),
        Column("burn", lambda row: _rate(row["long"]), right=True),
        Column("and now", lambda row: _rate(row["short"]), right=True),
        Column("limit", lambda row: f"{row['factor']:g}", right=True),
        Column("severity", lambda row: row["severity"]),
    )
    return Listing("slo-burn/v1", columns, _burn_rows(one))


def _burn_rows(one: Kept) -> list[dict[str, Any]]:
    burning = one.burning
    if burning is None:
        return []
    return [
        {
            "severity": window.severity,
            "factor": window.factor,
            "long_seconds": window.long_seconds,
            "short_seconds": window.short_seconds,
            "long": burning.rates.get(window.long_seconds),
            "short": burning.rates.get(window.short_seconds),
        }
        for window in burning.windows
    ]


def _asked(asked: Any) -> dict[str, Any]:
    return {
        "promql": asked.promql,
        "start": asked.start,
        "end": asked.end,
        "step_seconds": asked.step_seconds,
        "asked_at": asked.at,
        "sha256": asked.digest,
        "kept": asked.is_kept,
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "start": day.start, "good": day.good, "total": day.total, "coverage": day.coverage,
        "budget_spent": day.spent,
    }  # fmt: skip


def _of(one: Kept, name: str) -> float | None:
    return None if one.measured is None else getattr(one.measured, name)


def _measured(one: Kept) -> str:
    return "" if one.measured is None else _percent(one.measured)


def _target(one: Kept) -> str:
    return percent(one.objective.target, None if one.measured is None else one.measured.ratio)


def _adjusted(one: Kept) -> str:
    """Without what is excluded, with its verdict; empty where nothing is."""
    found = None if one.measured is None else one.measured.adjusted
    return "" if found is None else f"{_percent(found)} {found.judgement.verdict.value}"


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
    if one.burning is None:
        return ""
    bounds = one.left_bounds
    at_most = None if bounds is None else bounds[1]
    return gone_words(replace(one.burning, left=one.left, left_at_most=at_most))


def _why(one: Kept) -> str:
    if one.measured is None:
        return one.error.what if one.error is not None else ""
    if one.measured.judgement.verdict.value == "INDETERMINATE":
        return one.measured.judgement.reason
    if one.burning is not None and one.burning.why:
        return f"how it burns is not known: {one.burning.why}"
    return one.measured.notes[0] if one.measured.notes else ""


def _percent(measured: Measured) -> str:
    """The ratio, in as many digits as tell it from what was promised."""
    return "" if measured.ratio is None else percent(measured.ratio, measured.objective.target)


def _share(share: float | None) -> str:
    return "" if share is None else format_share(share)


def _count(events: float | None) -> str | None:
    return None if events is None else f"{events:,.0f}"


def _rate(burn: float | None) -> str:
    return "no data" if burn is None else f"{burn:.2f}"
