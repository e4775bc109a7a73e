"""An SLA report as the console shows it: one promise broken, one kept."""

from __future__ import annotations

from datetime import timedelta

from maestro_cli.core.verdict import Verdict
from maestro_cli.services.sla import Made
from maestro_cli.slo.report.model import Credit, Inputs, Line, SlaReport, Terms, Tier
from tests.tui.cases import NOW
from tests.tui.facts_of_objectives import kept_objectives
from tests.tui.made import made


def sla_made(hostile: str) -> Made:
    """Of the last 30 days; the customer has a hostile name."""
    measured = [one.measured for one in kept_objectives(hostile) if one.measured is not None]
    inputs = made(
        Inputs, context="prod", span=measured[0].span, unit=None, previous=0,
        asked_at=NOW + timedelta(hours=1),
        terms=Terms("gold", hostile, (), (Tier(0.999, 10.0),)), exclusions=(), incidents=(), drills=(),
        objectives=tuple(one.objective for one in measured), recovered=(),
    )  # fmt: skip
    credit = Credit(10.0, 10.0, "below 99.90 %")
    lines = tuple(Line(one, (), credit if number == 0 else None) for number, one in enumerate(measured))
    return Made(SlaReport(inputs, lines, Verdict.FAIL, credit), lambda: ())
