"""Time that nobody saw: it is marked, never drawn as measured or as idle, and told from when to when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.budget_days import STRIP_LEGEND, burn_down, days_strip
from maestro_cli.output.renderers.explained import explain_view
from maestro_cli.output.renderers.kept import kept_view
from maestro_cli.output.renderers.sla import sla_view
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.gaps import find_gaps
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.target import days_in
from maestro_cli.slo.measuring.window import month_span
from maestro_cli.slo.ports import RawSeries
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import SlaReport
from maestro_cli.slo.report.shapes import days
from maestro_cli.slo.report.text import report_markdown, why_text
from tests.unit.slo.measuring.told import START, Told, every, objective, series, span
from tests.unit.slo.report.month import ANSWERS, BAD, inputs, reported, requests

AWAY = (datetime(2026, 10, 10, 7, 2, tzinfo=UTC), datetime(2026, 10, 16, 12, 0, tzinfo=UTC))
TOLD = "2026-10-10 07:01 to 2026-10-16 12:00 UTC"


def without(found: Sequence[RawSeries], is_away: Callable[[datetime], bool]) -> list[RawSeries]:
    told = []
    for one in found:
        points = zip(one.times, one.values, strict=True)
        kept = [(at, value) for at, value in points if not is_away(datetime.fromtimestamp(at, UTC))]
        told.append(RawSeries(one.labels, [at for at, _ in kept], [value for _, value in kept]))
    return told


@pytest.fixture(scope="module")
def report() -> SlaReport:
    found = without(requests(*BAD), lambda at: AWAY[0] <= at < AWAY[1])
    utc = replace(inputs(objectives=(ANSWERS,)), span=month_span("2026-10", "UTC"), exclusions=())
    return reported(utc, found)[0]


@pytest.fixture(scope="module")
def measured(report: SlaReport) -> Measured:
    return report.lines[0].measured


def test_days_that_nobody_saw_have_a_mark_of_their_own(measured: Measured) -> None:
    assert days_strip(days_in(measured)) == "     █    ?????                "
    assert "? not seen" in STRIP_LEGEND
    assert "· no traffic" in STRIP_LEGEND


def test_the_line_of_a_budget_does_not_go_through_what_nobody_saw(measured: Measured) -> None:
    assert [index for index, mark in enumerate(burn_down(measured)) if mark == " "] == list(range(10, 15))


def test_before_anything_was_scraped_is_not_seen_and_no_lack_of_traffic() -> None:
    found = without(requests(*BAD), lambda at: at < datetime(2026, 10, 12, tzinfo=UTC))
    late = measure(
        ANSWERS, month_span("2026-10", "UTC"), Outside(Told(found), datetime(2026, 11, 1, tzinfo=UTC))
    )
    assert days_strip(days_in(late)) == "?" * 11 + " " * 20
    assert any("2026-10-01 00:00 to 2026-10-12 00:00 UTC" in note for note in late.notes)
    assert {seen for one in days(late)[:11] for seen in one.seen} == {False}


def test_a_day_that_was_seen_and_had_no_traffic_is_no_gap() -> None:
    steps = [min(float(minute), 1439.0) for minute in range(3 * 1440)]
    idle = measure(
        objective(),
        span(3 * 1440),
        Outside(Told([series(every(60, steps), code="200")]), START + timedelta(days=4)),
    )
    assert days_strip(days_in(idle)) == " ··"
    assert burn_down(idle) == "███", "what was seen and was nothing spent nothing"
    assert idle.gaps.count == 0


def test_it_is_told_from_when_to_when_wherever_one_reads(report: SlaReport, measured: Measured) -> None:
    line = report.lines[0]
    assert TOLD in why_text(line, report)
    assert any(TOLD in note for note in measured.notes)
    assert TOLD in report_markdown(report)
    raw = report_document(report)["items"][0]["raw"]
    assert raw["unseen"] == {
        "seconds": 536_340.0,
        "stretches": 1,
        "longest": [
            {"start": "2026-10-10T07:01:00.000000Z", "end": "2026-10-16T12:00:00.000000Z", "in_part": False}
        ],
    }
    assert TOLD in str(sla_view(report).rows)
    one = Kept(ANSWERS, measured, None)
    assert TOLD in str(explain_view(one).blocks[0])
    view = kept_view([one])
    why = next(column for column in view.columns if column.title == "why")
    assert TOLD in str(why.cell(one))


def test_a_retention_shorter_than_the_period_is_told_where_one_reads_first(report: SlaReport) -> None:
    words = "Prometheus keeps 15d00h, and the window begins 33d09h ago: what is older may be missing"
    now = datetime(2026, 11, 3, 9, tzinfo=UTC)
    told = replace(report.inputs, retention_seconds=15 * 86400.0, asked_at=now)
    short = replace(report, inputs=told)
    (fields, *_) = sla_view(short).blocks
    assert ("retention", words) in fields.rows  # type: ignore[union-attr]
    assert words in report_markdown(short).partition("## Objectives")[0]
    assert "retention" not in str(sla_view(report).blocks[0])
    found = without(requests(*BAD), lambda at: at < datetime(2026, 10, 19, tzinfo=UTC))
    span = month_span("2026-10", "UTC")
    late = measure(ANSWERS, span, Outside(Told(found, kept_seconds=15 * 86400.0), now))
    one = Kept(ANSWERS, late, None)
    why = next(column for column in kept_view([one]).columns if column.title == "why")
    assert late.judgement.verdict is Verdict.INDETERMINATE
    assert words in str(why.cell(one))


def test_of_two_replicas_the_one_that_is_seen_leaves_no_hole() -> None:
    def replica(name: str) -> RawSeries:
        return series(every(60, [float(minute) for minute in range(3 * 1440)]), instance=name, code="200")

    away = (START + timedelta(days=1), START + timedelta(days=2))
    (second,) = without([replica("b")], lambda at: away[0] <= at < away[1])
    found = measure(
        objective(), span(3 * 1440), Outside(Told([replica("a"), second]), START + timedelta(days=4))
    )
    assert days_strip(days_in(found)) == "   "
    assert burn_down(found) == "███"
    (gap,) = found.gaps.longest
    assert str(gap) == "2026-10-02 00:00 to 2026-10-03 00:00 UTC in part"


def test_the_longest_gaps_are_told_in_the_order_of_time_and_how_many_there_are_more() -> None:
    watched = [1] * 600
    for first, minutes in ((10, 5), (100, 1), (200, 60), (300, 30), (500, 2)):
        watched[first : first + minutes] = [0] * minutes
    assert find_gaps(START, watched).words == (
        "not seen for 1h38m: 2026-10-01 00:10 to 00:15 UTC; 2026-10-01 03:20 to 04:20 UTC; "
        "2026-10-01 05:00 to 05:30 UTC, and 2 shorter stretches"
    )


def test_what_is_excluded_is_no_gap() -> None:
    watched = [1] * 10 + [0] * 10 + [1] * 10
    assert find_gaps(START, watched, kept=b"\1" * 10 + b"\0" * 10 + b"\1" * 10).count == 0
    assert find_gaps(START, watched, kept=b"\1" * 15 + b"\0" * 15).seconds == 300
