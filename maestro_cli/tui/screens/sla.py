"""The SLA report of a period, as `maestro sla report` gives it, and a key that writes it.

Invariant: what is written is the report that was shown; it is measured again for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.output.views import Report
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen

if TYPE_CHECKING:
    from maestro_cli.services.root import Services
    from maestro_cli.services.sla import Made

EVERY_SECONDS = 600.0  # a period that is over does not change; one that is not grows slowly


def read_sla(services: Services, argument: str) -> Made:
    """The month that was named, else the last period that is over."""
    from maestro_cli.services.sla import SlaWanted, make_report

    return make_report(services, SlaWanted(month=argument))


SLA: Feed[Made] = Feed("sla", "Prometheus", EVERY_SECONDS, read_sla)


def sla_report(made: Made, moment: Moment) -> Report:
    from maestro_cli.output.renderers.sla import sla_view

    return sla_view(made.report)


def report_target(place: Place, made: Made) -> Target:
    span = made.report.inputs.span
    name = span.label or str(span)
    return Target(place.context, "SlaReport", name, name, made)


def default_file(target: Target) -> str:
    """In the state folder, beside the post-mortems of the context."""
    from maestro_cli.services.sla import default_place

    return str(default_place(target.context, target.name))


def write(services: Services, target: Target, answers: Answers) -> str:
    """Write what was shown; a file that is there is left alone."""
    from pathlib import Path

    from maestro_cli.services.sla import write_report

    path = Path(answers["file"]).expanduser()
    return f"wrote {write_report(target.item, path, force=False)}"


def _line(target: Target, answers: Answers) -> tuple[str, ...]:
    of = ("--month", target.name) if target.item.report.inputs.unit == "month" else ()
    return ("sla", "report", *of, "--to", answers.get("file", "FILE"))


SCREENS = (
    ReportScreen(
        id="sla",
        title="SLA report",
        help="How promises were kept in the last period, or in a month: `:sla 2026-10`.",
        feed=SLA,
        report=sla_report,
        target=report_target,
        aliases=("report",),
        actions=(
            Action(
                "sla.write",
                "Write",
                "write the report that is shown: .html, .pdf, .md, .json, or a bundle .tar.gz to verify it",
                Danger.RECORD,
                _line,
                key="S",
                asks=(Ask("file", "File", default=default_file),),
                records=write,
            ),
        ),
    ),
)
