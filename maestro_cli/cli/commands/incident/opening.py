"""Incidents that people open."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.cli.texts import FromOption, text_from
from maestro_cli.incidents.model import Severity
from maestro_cli.output.renderers.incidents import incidents_view
from maestro_cli.output.writer import emit
from maestro_cli.services.running import parse_pairs


def open_incident(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(help="What is wrong, in a line.")],
    severity: Annotated[
        Severity | None, typer.Option(help="How grave; sev3 unless you say. Unsure is the graver one.")
    ] = None,
    workload: Annotated[
        str, typer.Option("--workload", "-w", metavar="WORKLOAD", help="deploy/NAME and the like.")
    ] = "",
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", metavar="NAME")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="A label; repeatable.")
    ] = None,
    text: Annotated[str, typer.Option(metavar="TEXT", help="What was seen, at length.")] = "",
    file: FromOption = None,
    drill: Annotated[bool, typer.Option("--drill", help="It is a rehearsal; counts in no figure.")] = False,
    output: OutputOption = "table",
) -> None:
    """Open an incident from what somebody saw; no alert and no backend is needed.

    A report of a workload that has an open incident joins it, and raises its severity if graver.

    Example: maestro incident open "checkout is slow" --severity sev2 -w ml/deploy/fraud

    Example: maestro incident open "wrong scores" -n ml --from - < report.txt
    """
    ref = ctx.obj.workload_ref(workload, namespace) if workload else None
    found = ctx.obj.desk.open(
        title,
        severity=severity,
        workload=ref,
        namespace=namespace,
        drill=drill,
        text=text_from(text, file),
        labels=parse_pairs(label or ()),
    )
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))
