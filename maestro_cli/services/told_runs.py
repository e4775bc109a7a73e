"""One run of an experiment as it is told, whether it was begun or refused.

Invariant: a program that asks for a run reads a verdict and a code of it, also of one that was refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.chaos.ci.outcome import is_refusal, refused
from maestro_cli.core.errors import MaestroError
from maestro_cli.output.renderers.experiment_reports import refusal_view, report_view

if TYPE_CHECKING:
    from maestro_cli.chaos.running import RunReport, Wanted
    from maestro_cli.output.views import Report
    from maestro_cli.services.root import Services


@dataclass(frozen=True, slots=True)
class ToldRun:
    """How it `ended`, or why it was not begun."""

    view: Report
    ended: RunReport | MaestroError


def run_told(services: Services, wanted: Wanted) -> ToldRun:
    """Have somebody agree to it, and run it. Raises whatever is no refusal."""
    try:
        agreed = services.agreed_experiment(wanted)
        with services.progress() as progress:
            report = services.run_experiment(agreed, progress)
    except MaestroError as error:
        if not is_refusal(error):
            raise
        return ToldRun(refusal_view(refused(wanted.experiment, error), error), error)
    return ToldRun(report_view(report.journal), report)
