"""What is written of an incident."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, RefArgument, output_options
from maestro_cli.output.renderers.incident_stats import stats_table, stats_view
from maestro_cli.output.writer import emit


def postmortem(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    path: Annotated[
        str | None, typer.Option("--to", metavar="FILE", help="The file; by default in the state folder.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORM", help="md, or html: one page that stands alone.")
    ] = "md",
    lint: Annotated[
        bool, typer.Option("--lint", help="Tell what the written file lacks; ends with 10 for an error.")
    ] = False,
    publish: Annotated[bool, typer.Option("--publish", help="Record that the written file is out.")] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Replace a file that somebody has edited; publish one that lacks things."
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why it is published as it is.")
    ] = "",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="Of --lint: as everywhere, or sarif.")
    ] = "table",
) -> None:
    """Write the post-mortem from the journal, and print where; or review it, or publish it.

    What people wrote between its marks is kept when it is written again. A file that was edited elsewhere
    is left alone, with exit 11.

    Example: maestro incident postmortem latest --format html --to outage.html
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.core.errors import UsageError
    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.writer import emit_text

    if lint and publish:
        raise UsageError("--lint and --publish are two commands", fix="pass one of them")
    if lint:
        from maestro_cli.incidents.report.review import RULES

        find = partial(ctx.obj.review_postmortem, ref, path)
        tell_findings(ctx, find, output, strict=False, schema="postmortem-lint/v1", rules=RULES)
    elif publish:
        incident = ctx.obj.publish_postmortem(ref, path, force=force, reason=reason)
        emit_text(f"the post-mortem of incident #{incident.number} is published")
    else:
        written = str(ctx.obj.write_postmortem(ref, path, form=form, force=force))
        emit_text(written)
        lacking = ctx.obj.review_postmortem(ref, written) if form == "md" else ()
        if waiting := sum(finding.level == "error" for finding in lacking):
            note(f"{waiting} things wait for people: maestro incident postmortem {ref} --lint tells which")


def stats(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Incidents opened since then.")] = "90d",
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only this namespace.")
    ] = None,
    drills: Annotated[bool, typer.Option("--drills/--no-drills", help="Whether drills count.")] = False,
    output: OutputOption = "table",
) -> None:
    """Show MTTD, MTTA, MTTM and MTTR: mean, p50, p90 and of how many, against as long a time before.

    By severity, service and week, with a plot. Detection, mitigation and resolution count from the first
    signal's start, ack from the opening. False alarms and merged incidents do not count. CSV has seconds.

    Example: maestro incident stats --since 30d -o csv
    """
    found = ctx.obj.incident_stats(since, namespace, drills=drills)
    emit(stats_table(found) if output == "csv" else stats_view(found), output_options(ctx, output))
