"""`maestro oncall`: who is on call, by the file of the context or by PagerDuty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import FindingsOption, OutputOption, StrictOption, output_options
from maestro_cli.output.renderers.oncall import on_call_view, shifts_view
from maestro_cli.output.writer import emit

if TYPE_CHECKING:
    from maestro_cli.runbooks.lint import Finding

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

AtOption = Annotated[
    str, typer.Option("--at", metavar="TIME", help="Another instant: 3d, 2026-12-24T18:00Z. Default: now.")
]


@app.callback()
def oncall() -> None:
    """Show who is on call, and check the file that says so."""


@app.command("list")
def list_schedules(ctx: typer.Context, at: AtOption = "", output: OutputOption = "table") -> None:
    """List the schedules, with who is on call now or at another instant, until when, and who comes then.

    Ends with 4 or 5 when PagerDuty keeps a schedule and does not tell; the others are shown all the same.

    Example: maestro oncall list --at 2026-12-24T18:00Z
    """
    options = output_options(ctx, output)
    found = ctx.obj.on_call_now(at)
    emit(on_call_view(found), options)
    code = max((one.exit_code for one in found), default=0)
    if code:
        raise typer.Exit(code)


@app.command()
def show(
    ctx: typer.Context,
    schedule: Annotated[
        str,
        typer.Argument(
            metavar="[SCHEDULE]", help="By default the only one.", autocompletion=offers.oncall_schedules
        ),
    ] = "",
    at: AtOption = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How far to look.")] = 14,
    output: OutputOption = "table",
) -> None:
    """Show the shifts of a schedule: who is on call now, and from when to when each of those who follow.

    Example: maestro oncall show primary --days 28 -o csv
    """
    options = output_options(ctx, output)
    emit(shifts_view(ctx.obj.on_call_shifts(schedule, at, days)), options)


@app.command()
def lint(
    ctx: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="By default the context's.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How far to look for gaps.")] = 28,
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Find what is wrong with an on-call file: times in which nobody is on call, people without a channel.

    Ends with 10 when there are errors.

    Example: maestro oncall lint oncall.yaml -o sarif
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.incidents.people.oncall_lint import RULES

    def find() -> Sequence[Finding]:
        found: Sequence[Finding] = ctx.obj.lint_oncall(file, days)
        return found

    tell_findings(ctx, find, output, strict=strict, schema="oncall-lint/v1", rules=RULES)
