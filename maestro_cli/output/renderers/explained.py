"""One objective explained: everything that its verdict rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.output.renderers.budget_days import STRIP_LEGEND, days_strip
from maestro_cli.output.renderers.durations import durations_blocks, durations_document
from maestro_cli.output.renderers.kept import burn_down_of, kept_document
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.slo.bracketed import at_least, at_most, budget_words, spent_words
from maestro_cli.slo.measuring.target import Day, days_in
from maestro_cli.slo.measuring.verdict import bad_minutes_words, percent

if TYPE_CHECKING:
    from maestro_cli.slo.kept import Kept
    from maestro_cli.slo.measuring.model import Measured


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
    document["days"] = [_day(day, is_bracketed=measured.is_bracketed) for day in days]
    blocks: list[Any] = [Fields(_rows(one, measured))]
    if days:
        blocks += [
            Heading(f"days, by what each spent {at_most(measured)}of the budget"),
            Lines(_calendar(days, measured)),
        ]
    if one.distribution is not None:
        promised = {one.distribution.threshold_seconds: [one.objective.name]}
        blocks += durations_blocks(one.distribution, one.objective.name, promised)
    if one.burning is not None:
        blocks += [Heading("burn"), _burns(one)]
    kept = sum(asked.is_kept for asked in measured.queries)
    pieces = counted(len(measured.queries), "piece")
    blocks += [
        Heading(f"queries ({pieces} of time, {kept} of them from this disk)"),
        Lines("\n".join(dict.fromkeys(asked.promql for asked in measured.queries)) or "none"),
    ]
    return Report("slo-explain/v1", document, tuple(blocks))


def _rows(one: Kept, measured: Measured) -> list[tuple[str, object]]:
    bounds, target = measured.bounds, measured.objective.target
    minutes = bad_minutes_words(measured)
    rows: list[tuple[str, object]] = [
        ("objective", one.objective.name),
        ("promise", one.promise),
        ("verdict", f"{measured.judgement.verdict.value}: {measured.judgement.reason}"),
        ("window", str(measured.span)),
        ("measured to", measured.measured.end),
        ("method", one.objective.method.value),
        ("good", _good(measured)),
        ("total", _count(measured.total)),
        ("seen", f"{measured.coverage:.2%} of minutes"),
        (
            "bounds",
            None if bounds is None else f"{percent(bounds.low, target)} to {percent(bounds.high, target)}",
        ),
        ("bad minutes", at_most(measured) * bool(minutes) + minutes),
        ("budget spent", spent_words(measured)),
        ("budget left", budget_words(measured)),
        ("policy", f"{one.consequence.standing.value}: {one.consequence.sentence}"),
        ("burn-down", burn_down_of(one)),
        ("exact", None if measured.total is None else "yes" if measured.exact else "no"),
    ]
    if measured.adjusted is not None:
        rows.append(("without exclusions", measured.adjusted.judgement.reason))
    rows += [("note", note) for note in measured.notes]
    return [row for row in rows if row[1] not in (None, "")]


def _calendar(days: Sequence[Day], measured: Measured) -> str:
    return f"[{days_strip(days)}]\n{STRIP_LEGEND}"


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


def _day(day: Day, *, is_bracketed: bool) -> dict[str, Any]:
    between = {"good_at_least": day.good, "budget_spent_at_most": day.spent} if is_bracketed else None
    return {
        "start": day.start,
        "good": None if is_bracketed else day.good,
        "total": day.total,
        "coverage": day.coverage,
        "budget_spent": None if is_bracketed else day.spent,
        "between_buckets": between,
    }


def _good(measured: Measured) -> str | None:
    told = _count(measured.good)
    return None if told is None else f"{at_least(measured)}{told}"


def _count(events: float | None) -> str | None:
    return None if events is None else f"{events:,.0f}"


def _rate(burn: float | None) -> str:
    return "no data" if burn is None else f"{burn:.2f}"
