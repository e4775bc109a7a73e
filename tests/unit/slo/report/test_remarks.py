"""What is said beside figures: that agreement is no accuracy, and what incidents took of budgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.slo.objectives import Counters
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import IncidentLine, SlaReport
from maestro_cli.slo.report.remarks import remark_on, spent_in
from maestro_cli.slo.report.text import report_markdown, spent_text
from tests.unit.slo.report.month import ANSWERS, BAD, SPAN, inputs, reported

ROWS = 'maestro_shadow_rows_total{deployment="fraud"}'


@pytest.fixture(scope="module")
def report() -> SlaReport:
    return reported(inputs(objectives=(ANSWERS,)))[0]


def test_accuracy_is_said_to_be_agreement_with_a_shadow_and_how_much_was_compared(report: SlaReport) -> None:
    assert remark_on(report.lines[0].measured) == ""
    shadow = replace(ANSWERS, indicator=Counters(total=ROWS, good=ROWS.replace("{", '{result="agree",')))
    measured = replace(report.lines[0].measured, objective=shadow, total=8192.0)
    assert remark_on(measured).startswith("agreement with the baseline, asked as a shadow: 8,192 rows were")
    assert "no row was compared" in remark_on(replace(measured, total=None))
    told = replace(report, lines=(replace(report.lines[0], measured=measured),))
    assert "8,192 rows were compared" in report_markdown(told)
    assert "shadow" in report_document(told)["items"][0]["remark"]


def test_an_incident_has_what_was_spent_while_it_lasted(report: SlaReport) -> None:
    hour = timedelta(hours=1)
    half = IncidentLine("7", "t", "SEV2", BAD[0], BAD[0] + hour, 3600.0)
    before = replace(half, started_at=SPAN.start, restored_at=BAD[0] - hour)
    ((name, share),) = spent_in(report, half)
    consumed = report.lines[0].measured.budget_consumed
    assert consumed is not None
    assert name == "answers"
    assert share == pytest.approx(consumed / 3, rel=0.1), "an hour of three, and the minute it ends in"
    assert spent_in(report, before) == ()
    assert spent_text(()) == "nothing"
    ((_, whole),) = spent_in(report, replace(half, restored_at=None))
    assert whole == pytest.approx(consumed)
    told = replace(report, inputs=replace(report.inputs, incidents=(half,)))
    assert report_document(told)["incidents"][0]["budget_spent"][0]["objective"] == "answers"
    assert "of answers" in report_markdown(told)
