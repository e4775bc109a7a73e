"""Figures of incidents as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.report.stats import Figure, Group, Measure, Stats

_WORDS = {"MTTD": "to detect", "MTTA": "to ack", "MTTM": "to mitigate", "MTTR": "to resolve"}
_BAR = 40
Row = tuple[str, "Group", "Measure"]


def stats_view(stats: Stats) -> Report:
    """For people: the whole window, by severity, service and week, with a plot; JSON has every figure."""
    measures = tuple(stats.whole.figures)
    rows: list[tuple[str, object]] = [
        ("window", f"{stats.since:%Y-%m-%d %H:%M} to {stats.until:%Y-%m-%d %H:%M} UTC"),
        (
            "incidents",
            f"{stats.whole.incidents}, {stats.open} of them open; {stats.previous.incidents} before",
        ),
    ]
    if stats.left_out:
        left = ", ".join(f"{count} {reason}" for reason, count in stats.left_out.items())
        rows.append(("not counted", left))
    rows.append(("detection", _split(stats)))
    blocks: list[Any] = [Fields(rows), Heading("Times"), _times(stats, measures)]
    for title, groups in (
        ("By severity", stats.severities), ("By service", stats.services), ("By week", stats.weeks),
    ):  # fmt: skip
        blocks += [Heading(f"{title}, mean"), _means(groups, measures)]
    blocks += [Heading("Mean time to resolve by week"), Lines(plot(stats))]
    return Report("incident-stats/v1", _document(stats), tuple(blocks))


def stats_table(stats: Stats) -> Listing[Row]:
    """Every figure on a line of its own, in seconds: for CSV."""
    from maestro_cli.incidents.report.stats import Measure

    named = [("window", stats.whole), ("previous", stats.previous)]
    named += [("severity", group) for group in stats.severities]
    named += [("service", group) for group in stats.services]
    named += [("week", group) for group in stats.weeks]
    columns: tuple[Column[Row], ...] = (
        Column("by", lambda row: row[0]),
        Column("name", lambda row: row[1].name),
        Column("incidents", lambda row: row[1].incidents),
        Column("measure", lambda row: row[2].value),
        Column("count", lambda row: row[1].figures[row[2]].count),
        Column("mean_seconds", lambda row: _seconds(row[1].figures[row[2]].mean)),
        Column("p50_seconds", lambda row: _seconds(row[1].figures[row[2]].p50)),
        Column("p90_seconds", lambda row: _seconds(row[1].figures[row[2]].p90)),
    )
    items = [(by, group, measure) for by, group in named for measure in Measure]
    return Listing("incident-figures/v1", columns, items)


def _document(stats: Stats) -> dict[str, Any]:
    document: dict[str, Any] = plain(stats)
    return document


def _split(stats: Stats) -> str:
    if not stats.rule.count or stats.rule.mean is None or stats.own.mean is None:
        return "no beginning is known from a metric, so the rules' delay is not told from maestro's"
    known = counted(stats.rule.count, "incident")
    return (
        f"{format_duration(stats.rule.mean)} until the rule fired, then {format_duration(stats.own.mean)}"
        f" until it was opened (mean of {known} whose beginning a metric shows)"
    )


def _times(stats: Stats, measures: Sequence[Measure]) -> Listing[Measure]:
    whole, previous = stats.whole.figures, stats.previous.figures
    columns: tuple[Column[Measure], ...] = (
        Column("time", lambda measure: f"{measure.value} {_WORDS[measure.value]}"),
        Column("mean", lambda measure: _duration(whole[measure].mean), right=True),
        Column("p50", lambda measure: _duration(whole[measure].p50), right=True),
        Column("p90", lambda measure: _duration(whole[measure].p90), right=True),
        Column("of", lambda measure: whole[measure].count, right=True),
        Column("mean before", lambda measure: _duration(previous[measure].mean), right=True),
        Column("of before", lambda measure: previous[measure].count, right=True),
        Column("change", lambda measure: _change(whole[measure], previous[measure]), right=True),
    )
    return Listing("incident-times/v1", columns, measures)


def _means(groups: Sequence[Group], measures: Sequence[Measure]) -> Listing[Group]:
    columns: list[Column[Group]] = [
        Column("of", lambda group: group.name),
        Column("incidents", lambda group: group.incidents, right=True),
    ]
    columns += [_mean(measure) for measure in measures]
    return Listing("incident-means/v1", columns, groups, empty="no incident")


def _mean(measure: Measure) -> Column[Group]:
    return Column(measure.value, lambda group: _duration(group.figures[measure].mean), right=True)


def plot(stats: Stats) -> str:
    """A bar a week, the longest one as wide as there is room; a week without a value says so."""
    (resolve,) = [measure for measure in stats.whole.figures if measure.value == "MTTR"]
    means = [(week.name, week.figures[resolve].mean) for week in stats.weeks]
    longest = max((mean for _, mean in means if mean is not None), default=0.0)
    return "\n".join(_bar(name, mean, longest) for name, mean in means)


def _bar(name: str, mean: float | None, longest: float) -> str:
    if mean is None:
        return f"{name}  -"
    width = max(round(_BAR * mean / longest), 1) if longest else 1
    return f"{name}  {'#' * width} {format_duration(mean)}"


def _change(now: Figure, before: Figure) -> str | None:
    """Of the mean, in percent; None where there is nothing to compare."""
    if now.mean is None or not before.mean:
        return None
    return f"{100 * (now.mean / before.mean - 1):+.0f}%"


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else format_duration(seconds)


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.3f}"
