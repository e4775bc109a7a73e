"""The shapes of a month: curve, worst hours, calendar; and the documents made of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from maestro_cli.output.document import html_page
from maestro_cli.output.heatmap import Heatmap, Row, colour_of, heatmap_svg
from maestro_cli.output.renderers.sla_pictures import pictures_of
from maestro_cli.slo.measuring import model
from maestro_cli.slo.measuring.adding import add_up_each
from maestro_cli.slo.measuring.model import Minutes
from maestro_cli.slo.measuring.window import month_span
from maestro_cli.slo.objectives import Method, Slices
from maestro_cli.slo.report.model import Line, SlaReport
from maestro_cli.slo.report.shapes import budget_curve, days, hours_of, worst_hours
from maestro_cli.slo.report.text import report_markdown
from tests.unit.slo.report.month import ANSWERS, BACK, BAD, FAST, inputs, reported

HOSTILE = "<script>alert(1)</script> | **b** [x](javascript:a) \x1b[31m\u202e"
LATENCIES = ("2-budget.svg", "2-hours.svg", "2-latency.svg", "2-latency-days.svg")


@pytest.fixture(scope="module")
def report() -> SlaReport:
    return reported(inputs(objectives=(ANSWERS, FAST, BACK)))[0]


@pytest.fixture(scope="module")
def line(report: SlaReport) -> Line:
    return report.lines[0]


def test_the_hours_have_all_events_and_end_where_the_curve_ends(line: Line) -> None:
    hours = hours_of(line.measured)
    assert len(hours) == 31 * 24 + 1, "clocks went back"
    assert sum(hour.total for hour in hours) == line.measured.total
    curve = budget_curve(line.measured)
    assert curve[0] == (line.measured.span.start, 1.0)
    assert curve[-1][1] == pytest.approx(line.measured.budget_left)
    assert all(before >= after for (_, before), (_, after) in pairwise(curve))


@pytest.mark.parametrize("method", [Method.OCCURRENCES, Method.TIMESLICES])
def test_a_month_is_looked_at_once_for_all_its_hours(
    line: Line, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = line.measured.minutes
    assert minutes is not None
    looked = []

    def adding(values: Sequence[float], stretches: Sequence[tuple[int, int]]) -> list[float]:
        looked.append(len(values))
        return add_up_each(values, stretches)

    monkeypatch.setattr(model, "add_up_each", adding)
    objective = replace(line.measured.objective, method=method, slices=Slices(60.0, 0.95))
    assert hours_of(replace(line.measured, objective=objective))
    assert 2 * len(minutes.total) <= sum(looked) <= 4 * len(minutes.total)  # events, and once more as slices


def test_the_worst_hours_are_those_in_which_it_was_bad(line: Line) -> None:
    found = worst_hours(line.measured)
    assert [hour.start for hour, _ in found] == sorted(hour.start for hour, _ in found)
    assert {BAD[0] <= hour.start < BAD[1] for hour, _ in found} == {True}
    assert len(found) == 3, "hours without a bad event are not among the worst"
    assert sum(share for _, share in found) == pytest.approx(line.measured.budget_consumed)


def test_the_calendar_has_each_day_of_its_zone_and_the_bad_hours_by_its_clock(line: Line) -> None:
    found = days(line.measured)
    assert [one.day.day for one in found] == list(range(1, 32))
    assert {(one.day.day, hour) for one in found for hour, share in enumerate(one.shares) if share} == {
        (6, 4), (6, 5), (6, 6)
    }  # fmt: skip


def test_what_was_not_seen_is_no_share(line: Line) -> None:
    minutes = line.measured.minutes
    assert minutes is not None
    count = len(minutes.total)
    nothing = Minutes(minutes.start, (0.0,) * count, (0.0,) * count, (False,) * count)
    blind = replace(line.measured, minutes=nothing)
    assert {share for one in days(blind) for share in one.shares} == {None}
    assert budget_curve(blind) == ()
    assert worst_hours(blind) == ()
    assert hours_of(replace(line.measured, minutes=None)) == ()


def test_hours_that_nobody_saw_are_a_hole_in_the_curve_and_the_calendar(line: Line) -> None:
    minutes = line.measured.minutes
    assert minutes is not None
    covered, blind = list(minutes.covered), list(minutes.blind)
    first, end = 10 * 1440, 11 * 1440
    covered[first:end], blind[first:end] = [0] * (end - first), [1] * (end - first)
    gapped = replace(line.measured, minutes=replace(minutes, covered=covered, blind=blind))
    start = minutes.start + timedelta(minutes=first)
    assert not [at for at, _ in budget_curve(gapped) if start < at <= start + timedelta(days=1)]
    assert len(budget_curve(gapped)) == len(budget_curve(line.measured)) - 24
    assert sum(share is None for one in days(gapped) for share in one.shares) == 24


@pytest.mark.parametrize(
    ("share", "colour"),
    [(None, None), (float("nan"), None), (0.0, 0), (0.0002, 1), (0.001, 2), (0.005, 3), (0.2, 4)],
)
def test_a_colour_is_by_what_may_be_bad(share: float | None, colour: int | None) -> None:
    assert colour_of(share, 0.001) == colour


def test_a_heatmap_says_in_words_what_its_colours_say_and_leads_nowhere() -> None:
    picture = heatmap_svg(Heatmap(HOSTILE, [Row("Mon 01", [None, 0.0, 0.5])], 0.001))
    ElementTree.fromstring(picture)
    assert "00:00 to 01:00: not seen" in picture
    assert "50.000% bad at most" in picture
    assert "<script" not in picture
    assert "\x1b" not in picture
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", picture) == []


def test_a_heatmap_tells_what_nobody_saw_from_what_had_no_traffic_and_draws_no_hour_that_is_none() -> None:
    row = Row("Sun 29", [0.0, None, None, None], [True, True, False, None])
    picture = heatmap_svg(Heatmap("a night", [row], 0.001))
    told = re.findall(r"<title>Sun 29 (.*?)</title>", picture)
    assert told == [
        "00:00 to 01:00: 0.000% bad at most", "01:00 to 02:00: no traffic", "02:00 to 03:00: not seen",
    ]  # fmt: skip
    legend = re.findall(r">([^<>]+)</text>", picture)[-2:]
    assert legend == ["no traffic", "not seen"]
    looks = {look for look in re.findall(r"<rect [^>]*(fill=.*?)/?>", picture) if "stroke=" in look}
    assert len(looks) == 2, "each has a look of its own, the same in the legend"


def test_an_hour_that_the_clocks_leave_out_or_that_is_to_come_is_none() -> None:
    wanted = replace(inputs(objectives=(ANSWERS,)), span=month_span("2026-10", "Australia/Sydney"))
    found = reported(replace(wanted, asked_at=datetime(2026, 10, 20, 12, tzinfo=UTC)))[0]
    calendar = days(found.lines[0].measured)
    assert calendar[3].seen.count(None) == 1, "at two of October 4 clocks went forward"
    assert {seen for one in calendar[20:] for seen in one.seen} == {None}


def test_the_document_names_the_pictures_that_are_made(report: SlaReport) -> None:
    text = report_markdown(report)
    named = re.findall(r"\(pictures/([^)]+)\)", text)
    assert named == ["1-budget.svg", "1-hours.svg", *LATENCIES]
    assert set(pictures_of(report)) == set(named)
    page = html_page(text, pictures_of(report), title="SLA")
    assert page.count("<svg") == 6
    assert "2026-10-06 02:00:00 UTC" in page


def test_the_document_is_the_same_again(report: SlaReport) -> None:
    again = reported(inputs(objectives=(ANSWERS, FAST, BACK)))[0]
    assert report_markdown(again) == report_markdown(report)
    assert pictures_of(again) == pictures_of(report)


def test_what_people_wrote_cannot_become_markup(report: SlaReport) -> None:
    title = replace(report.lines[0].objective, title=HOSTILE, name=HOSTILE)
    measured = replace(report.lines[0].measured, objective=title, notes=(HOSTILE,))
    terms = replace(report.inputs.terms, name=HOSTILE, customer=HOSTILE)
    exclusions = tuple(replace(one, reason=HOSTILE, owner=HOSTILE) for one in report.inputs.exclusions)
    lines = (Line(measured, (), None),)
    found = replace(
        report,
        lines=lines,
        inputs=replace(report.inputs, terms=terms, context=HOSTILE, exclusions=exclusions),
    )
    page = html_page(report_markdown(found), pictures_of(found), title=HOSTILE)
    assert "<script" not in page
    assert "<b>" not in page
    assert "javascript:" not in re.sub(r">[^<]*<", "><", page)
    assert "\x1b" not in page
    assert "\u202e" not in page
