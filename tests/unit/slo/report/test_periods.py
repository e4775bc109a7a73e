"""Whose calendar the period of a report is of, and what is told of how it was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.services.sla import SlaWanted, make_report
from maestro_cli.slo.objectives import Calendar, Objective
from maestro_cli.slo.report.model import Inputs
from maestro_cli.slo.report.text import period_text
from tests.unit.slo.report.month import ANSWERS, ASKED_AT
from tests.unit.slo.test_gate_in_the_dark import COUNTED, Burnt

WANTED = SlaWanted(month="2026-10", prometheus="http://told", previous=0, fresh=True)


def named(name: str, zone: str) -> Objective:
    return replace(ANSWERS, name=name, calendar=Calendar("month", zone, date(2026, 1, 1)) if zone else None)


def made(*objectives: Objective, wanted: SlaWanted = WANTED, now: datetime = ASKED_AT, why: str = "") -> Any:
    source = Burnt([COUNTED], why_no_chunks=why)
    services: Any = SimpleNamespace(
        clock=SimpleNamespace(now=lambda: now),
        raw_prometheus_of=lambda endpoint: source,
        objectives={one.name: one for one in objectives},
    )
    return make_report(services, wanted).report


def periods(inputs: Inputs) -> dict[str, str]:
    return {one.name: f"{inputs.span_of(one).start:%m-%d %H:%M}" for one in inputs.objectives}


def test_each_objective_has_the_month_of_its_own_zone() -> None:
    report = made(named("a", ""), named("b", "Europe/Berlin"), named("c", "America/New_York"))
    assert periods(report.inputs) == {"a": "10-01 00:00", "b": "09-30 22:00", "c": "10-01 04:00"}
    assert period_text(report) == (
        "2026-10-01 00:00 to 2026-11-01 00:00 UTC; "
        "2026-10-01 00:00 to 2026-11-01 00:00 Europe/Berlin of b, whose calendar it is; "
        "2026-10-01 00:00 to 2026-11-01 00:00 America/New_York of c, whose calendar it is"
    )


def test_a_zone_that_is_named_or_that_all_have_is_the_only_one_that_is_told() -> None:
    both = (named("a", ""), named("b", "Europe/Berlin"))
    tokyo = made(*both, wanted=replace(WANTED, zone="Asia/Tokyo"))
    assert period_text(tokyo) == "2026-10-01 00:00 to 2026-11-01 00:00 Asia/Tokyo"
    alike = made(named("a", "Europe/Berlin"), named("b", "Europe/Berlin"))
    assert period_text(alike) == "2026-10-01 00:00 to 2026-11-01 00:00 Europe/Berlin"


def test_the_last_month_is_over_in_every_zone() -> None:
    """Three hours after midnight in London it is October yet in New York."""
    both = (named("a", ""), named("b", "America/New_York"))
    wanted, early = replace(WANTED, month=""), datetime(2026, 11, 1, 3, tzinfo=UTC)
    assert made(*both, wanted=wanted, now=early).inputs.span.label == "2026-09"
    assert made(*both, wanted=wanted, now=ASKED_AT).inputs.span.label == "2026-10"
    assert ", not over" in period_text(made(*both, now=early))


def test_a_month_that_has_not_begun_everywhere_is_refused() -> None:
    with pytest.raises(UsageError, match="has not begun"):
        made(named("a", ""), named("b", "America/New_York"), now=datetime(2026, 10, 1, 3, tzinfo=UTC))


def test_a_remote_read_that_was_waited_for_in_vain_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    made(named("a", ""), why="remote read of http://told was not answered: samples are asked by queries")
    assert "samples are asked by queries" in capsys.readouterr().err
