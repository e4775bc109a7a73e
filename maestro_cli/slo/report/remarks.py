"""What has to be said of a figure so that nobody takes it for another, and what incidents took of budgets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.selectors import parse_selector

if TYPE_CHECKING:
    from maestro_cli.slo.report.model import IncidentLine, SlaReport

_SHADOW_ROWS = "maestro_shadow_rows_total"  # of the model server: rows that a shadow answered too


def remark_on(measured: Measured) -> str:
    """That agreement with a shadow is no accuracy, and how much was compared; "" for all else."""
    counters = measured.objective.counters
    if counters is None or parse_selector(counters.total).name != _SHADOW_ROWS:
        return ""
    compared = "no row was" if not measured.total else f"{measured.total:,.0f} rows were"
    return (
        f"agreement with the baseline, asked as a shadow: {compared} compared, and nobody said which answers "
        "were right"
    )


def long_gaps(measured: Measured) -> str:
    """When not all was seen, where that left the verdict open or was for an hour or more; "" elsewhere."""
    is_open = measured.judgement.verdict is Verdict.INDETERMINATE
    return measured.gaps.words if is_open or measured.gaps.is_long else ""


def spent_in(report: SlaReport, incident: IncidentLine) -> tuple[tuple[str, float], ...]:
    """What was spent of each budget while it lasted, the most first; bad events of that time, whatever the
    cause. Budgets of which nothing was spent are left out."""
    from maestro_cli.slo.report.shapes import spent_between  # who looks at no report does not wait for it

    end: datetime = incident.restored_at or report.inputs.asked_at
    found = [
        (line.objective.name, spent_between(line.measured, incident.started_at, end)) for line in report.lines
    ]
    known = [(name, share) for name, share in found if share]
    return tuple(sorted(known, key=lambda one: (-one[1], one[0])))
