"""Of a latency whose boundary is no bucket the figures are told from-to, never one end as the measurement."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.explained import explain_view
from maestro_cli.output.renderers.kept import (
    budget_view,
    kept_line,
    kept_view,
    measured_document,
    what_if_view,
)
from maestro_cli.output.renderers.sla import sla_view
from maestro_cli.output.views import Fields, Listing
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.target import at_target
from maestro_cli.slo.objectives import Latency
from maestro_cli.slo.report.document import figures
from maestro_cli.slo.report.text import report_markdown
from maestro_cli.slo.words import left_range_words
from tests.unit.slo.measuring.told import Told, every, objective, series, span
from tests.unit.slo.report.month import FAST, inputs, reported

MINUTES = 1440


def kept(target: float, threshold: float = 0.2) -> Kept:
    """100 events a minute, 90 of them within 0.1 s, 98.5 within 0.25 s."""
    found = [
        series(every(60, [100 * share * step for step in range(MINUTES + 1)]), name="h_bucket", le=le)
        for le, share in (("0.1", 0.9), ("0.25", 0.985), ("+Inf", 1.0))
    ]
    found.append(series(every(60, [100.0 * step for step in range(MINUTES + 1)]), name="h_count"))
    one = replace(objective(target), indicator=Latency("h", threshold))
    day = span(MINUTES)
    return Kept(one, measure(one, day, Outside(Told(found), day.end + timedelta(hours=1))), None)


def cells(view: Listing[Any]) -> dict[str, str]:
    (item,) = view.items
    return {column.title: str(column.cell(item)) for column in view.columns}


@pytest.mark.parametrize(
    ("target", "verdict", "left", "spent"),
    [
        (0.98, Verdict.INDETERMINATE, "none to 25.0%", "75.0% to 500.0%"),
        (0.8, Verdict.PASS, "50.0% to 92.5%", "7.5% to 50.0%"),
        (0.99, Verdict.FAIL, "overspent by 50.0% to 900.0%", "150.0% to 1000.0%"),
    ],
    ids=["open", "kept", "broken"],
)
def test_a_missing_boundary_is_told_as_what_lies_between_its_neighbours(
    target: float, verdict: Verdict, left: str, spent: str
) -> None:
    one = kept(target)
    assert one.measured is not None
    assert one.measured.judgement.verdict is verdict
    status, budget = cells(kept_view([one])), cells(budget_view([one]))
    assert (status["measured"], status["budget left"]) == ("90.00 % to 98.50 %", left)
    assert (budget["spent so far"], budget["of the period"], budget["left"]) == (spent, spent, left)
    assert status["burn-down"] == budget["burn-down"] == ""
    if verdict is not Verdict.PASS:
        assert f"{left} of the budget" in kept_line([one])
    told = f"90.00 % to 98.50 % of {target * 100:.2f} %"
    is_open = verdict is Verdict.INDETERMINATE
    assert one.measured.judgement.reason == f"{told}; no bucket tells" * is_open + told * (not is_open)
    (other,) = what_if_view(one, []).items
    assert other.judgement.verdict is verdict
    assert at_target(one.measured, target).judgement == one.measured.judgement
    fields = explain_view(one).blocks[0]
    assert isinstance(fields, Fields)
    rows = dict(fields.rows)
    assert (rows["budget left"], rows["budget spent"], rows["exact"]) == (left, spent, "no")
    assert str(rows["good"]).startswith("at least 129,")
    assert str(rows["bad minutes"]).startswith("at most ")


def test_a_program_is_told_both_ends_and_none_of_them_as_the_figure() -> None:
    one = kept(0.98)
    told = explain_view(one).document
    found, day = told["measured"], told["days"][0]
    assert [found[name] for name in ("ratio", "good", "bad_minutes")] == [None] * 3
    assert set(found["budget"].values()) == {None}
    assert found["bounds"] == {"low": pytest.approx(0.9), "high": pytest.approx(0.985)}
    assert found["verdict"] == "INDETERMINATE"
    between = found["between_buckets"]
    assert between["why"].startswith("no bucket ends at 0.2 s")
    assert (between["good_at_least"], between["bad_minutes_at_most"]) == (129_510.0, MINUTES - 1)
    spent = {"low": pytest.approx(0.75), "high": pytest.approx(5.0)}
    assert (between["budget_consumed"], between["budget_projected"]) == (spent, spent)
    assert between["budget_left"] == {"low": pytest.approx(-4.0), "high": pytest.approx(0.25)}
    assert (day["good"], day["budget_spent"]) == (None, None)
    assert day["between_buckets"]["budget_spent_at_most"] > 1
    of_report = figures(one.measured) if one.measured is not None else {}
    assert [
        of_report[name] for name in ("ratio", "good", "bad_minutes", "budget_consumed", "budget_left")
    ] == [None] * 5
    assert of_report["between_buckets"] == between


def test_with_the_boundary_there_is_one_figure() -> None:
    one = kept(0.98, threshold=0.25)
    assert one.measured is not None
    found = figures(one.measured)
    assert found["ratio"] == pytest.approx(0.985)
    assert "between_buckets" not in found  # bundles of before keep their bytes
    assert measured_document(one.measured)["between_buckets"] is None
    status = cells(kept_view([one]))
    assert (status["measured"], status["budget left"]) == ("98.50 %", "25.0%")


def test_a_report_tells_it_the_same_way() -> None:
    report, _ = reported(inputs(objectives=[FAST], exclusions=[]))
    (rows,) = [one for one in sla_view(report).blocks if isinstance(one, Listing)][:1]
    told = cells(rows)
    assert (told["measured"], told["spent"]) == ("96.00 % to 99.00 %", "20.0% to 80.0%")
    text = report_markdown(report)
    assert "96.00 % to 99.00 %" in text
    assert "at least " in text


def test_of_nothing_measured_it_is_not_said_that_it_is_exact() -> None:
    one = objective(0.99)
    day = span(MINUTES)
    found = Kept(one, measure(one, day, Outside(Told([]), day.end)), None)
    fields = explain_view(found).blocks[0]
    assert isinstance(fields, Fields)
    assert "exact" not in dict(fields.rows)
    assert explain_view(found).document["measured"]["exact"] is False


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.1, 0.7, "10.0% to 70.0%"),
        (-4.0, 0.0, "none"),
        (-40.0, -0.5, "overspent by 50.0% to more than tenfold"),
        (-40.0, -20.0, "overspent more than tenfold"),
    ],
)
def test_what_is_left_at_least_and_at_most_are_told_together(low: float, high: float, told: str) -> None:
    assert left_range_words(low, high) == told
