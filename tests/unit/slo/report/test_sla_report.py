"""What a report says: raw and adjusted beside each other, credits by tier, periods before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.output.renderers.kept import kept_document
from maestro_cli.output.renderers.sla import sla_view
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.model import Bounds, Measured
from maestro_cli.slo.measuring.recoveries import Recovered
from maestro_cli.slo.report.credits import credit_of, dearest
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import Credit, SlaReport, Terms
from maestro_cli.slo.report.text import report_markdown
from tests.unit.slo.report.month import ANSWERS, BACK, FAST, SPAN, TERMS, inputs, reported


@pytest.fixture(scope="module")
def report() -> SlaReport:
    return reported(inputs(previous=1))[0]


def test_raw_and_adjusted_stand_side_by_side(report: SlaReport) -> None:
    line = report.lines[0]
    assert line.measured.adjusted is not None
    assert line.measured.judgement.verdict is Verdict.FAIL, "three hours of half bad are too much for a month"
    assert line.measured.adjusted.judgement.verdict is Verdict.PASS, "one of the three counts"
    assert line.counted(TERMS) is line.measured.adjusted
    assert line.counted(replace(TERMS, judged="raw")) is line.measured


def test_the_period_before_is_the_calendar_month_before(report: SlaReport) -> None:
    (before,) = report.lines[0].previous
    assert before.span.label == "2026-09"
    assert before.span.end == SPAN.start
    assert before.judgement.verdict is Verdict.PASS


def test_what_is_promised_of_thirty_days_is_said_of_the_month(report: SlaReport) -> None:
    assert report.lines[0].objective.echo == "99.9 % = 43m12s of 30 days"
    says = "99.9 % = 44m42s of 31d01h"
    assert report.lines[0].measured.promise == says
    assert report_document(report)["items"][0]["promise"] == says
    assert says in report_markdown(report)
    promise = next(column for column in sla_view(report).rows.columns if column.title == "promise")  # type: ignore[union-attr]
    assert promise.cell(report.lines[0]) == says
    assert kept_document(Kept(ANSWERS, report.lines[0].measured, None))["promise"] == says


def test_a_month_with_a_change_of_clocks_is_an_hour_longer(report: SlaReport) -> None:
    assert report.lines[0].measured.span.seconds == (31 * 24 + 1) * 3600


def test_what_lies_between_two_buckets_is_open(report: SlaReport) -> None:
    fast = next(line for line in report.lines if line.objective is FAST)
    assert fast.measured.judgement.verdict is Verdict.PASS, "96 % are within the bucket below already"
    assert any("add a bucket at 0.1" in note for note in fast.measured.notes)


def test_a_recovery_is_judged_by_what_drills_measured(report: SlaReport) -> None:
    back = next(line for line in report.lines if line.objective is BACK)
    assert back.measured.judgement.verdict is Verdict.PASS
    assert "drill 3" in back.measured.judgement.reason


def test_the_document_has_a_query_an_instant_and_a_digest_for_every_figure(report: SlaReport) -> None:
    for item in report_document(report)["items"]:
        if item["objective"] == "back":
            continue
        assert len(item["digest"]) == 64
        assert all(one["promql"] and one["asked_at"] and len(one["sha256"]) == 64 for one in item["queries"])
        assert item["queries"][0]["start"] < "2026-10-01"
        assert item["queries"][-1]["end"] == "2026-10-31T23:00:00.000000Z"


def test_without_exclusions_nothing_is_adjusted() -> None:
    found, _ = reported(inputs(objectives=(ANSWERS,), exclusions=()))
    assert found.lines[0].measured.adjusted is None
    assert found.verdict is Verdict.FAIL
    assert report_document(found)["exclusions"] == []


def measured(low: float, high: float) -> Measured:
    return Measured(
        ANSWERS, SPAN, SPAN,
        good=None, total=None, ratio=(low + high) / 2, bounds=Bounds(low, high), coverage=1.0,
        judgement=Judgement(Verdict.PASS, 1.0, ""), budget_consumed=None, budget_projected=None,
        budget_left=None, bad_minutes=None, exact=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "due"),
    [
        (0.9995, 0.9999, (0.0, 0.0)),  # kept: the tier of 99.99 % is none of this objective
        (0.999, 0.999, (0.0, 0.0)),
        (0.995, 0.998, (10.0, 10.0)),
        (0.98, 0.985, (25.0, 25.0)),
        (0.98, 0.995, (10.0, 25.0)),
        (0.995, 0.9999, (0.0, 10.0)),
    ],
)
def test_a_credit_is_by_the_lowest_tier_and_a_range_while_that_is_open(
    low: float, high: float, due: tuple[float, float]
) -> None:
    found = credit_of(measured(low, high), TERMS)
    assert found is not None
    assert (found.low_percent, found.high_percent) == due
    assert found.is_known == (due[0] == due[1])


def test_a_contract_without_tiers_owes_nothing_and_one_without_data_may_owe_the_most() -> None:
    assert credit_of(measured(0.1, 0.2), Terms()) is None
    blind = replace(
        measured(0.1, 0.2), bounds=None, judgement=Judgement(Verdict.INDETERMINATE, 0.0, "no data")
    )
    assert credit_of(blind, TERMS) == Credit(0.0, 25.0, "not known: no data")


def test_a_period_that_is_not_over_is_never_kept_and_owes_nothing_for_sure() -> None:
    early = replace(inputs(objectives=(ANSWERS,)), asked_at=SPAN.start + timedelta(days=3))
    found, _ = reported(early)
    assert found.lines[0].measured.judgement.verdict is Verdict.PASS, "so far"
    assert found.verdict is Verdict.INDETERMINATE
    assert found.credit == Credit(0.0, 25.0, "not known: the period is not over")
    assert "not over" in report_markdown(found)
    assert report_document(found)["is_over"] is False


@pytest.mark.parametrize(
    ("seconds", "is_over", "verdict"),
    [
        (120.0, True, Verdict.PASS),
        (120.0, False, Verdict.INDETERMINATE),
        (1200.0, True, Verdict.FAIL),
        (1200.0, False, Verdict.FAIL),
    ],
    ids=["in time", "may still be", "late", "late and not over"],
)
def test_an_incident_that_is_not_over_is_no_recovery_in_time(
    seconds: float, is_over: bool, verdict: Verdict
) -> None:
    one = Recovered(SPAN.start + timedelta(days=2), "rto", seconds, "incident 7", is_over=is_over)
    found, _ = reported(replace(inputs(objectives=(BACK,)), recovered=(one,)))
    assert found.lines[0].measured.judgement.verdict is verdict
    assert ("not over: incident 7" in found.lines[0].measured.judgement.reason) is not is_over


def test_credits_are_not_added_up() -> None:
    assert dearest([None, Credit(10, 10, "a"), Credit(0, 25, "b")]) == Credit(
        10, 25, "not known while an objective is open"
    )
    assert dearest([Credit(10, 10, "a"), Credit(0, 0, "b")]) == Credit(10, 10, "a")
    assert dearest([None]) is None
