"""`maestro cost rightsize`: how large containers should be, and what that saves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.commands.cost.offers import patch_formats
from maestro_cli.cli.offers import measured_workloads
from maestro_cli.cli.options import (
    AcceptOption,
    AllNamespacesOption,
    ConfirmContextOption,
    DryRunOption,
    InNamespaceOption,
    OutputOption,
    YesOption,
    output_options,
)
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.pages import check_form, write_page
from maestro_cli.output.renderers.cost_patches import FORMATS, changes_as, check_format
from maestro_cli.output.renderers.cost_rightsize import rightsizing_view
from maestro_cli.output.writer import emit, emit_text
from maestro_cli.services.costs.rightsizing import RightsizingWanted

app = typer.Typer(add_completion=False, rich_markup_mode=None)


WindowOption = Annotated[str, typer.Option("--window", metavar="DURATION", help="How far back to look.")]
LeastHistoryOption = Annotated[
    str,
    typer.Option("--least-history", metavar="DURATION", help="So much is enough; less is insufficient."),
]


@app.callback(invoke_without_command=True)
def rightsize(
    ctx: typer.Context,
    workloads: Annotated[
        list[str] | None,
        typer.Option(
            "--workload",
            metavar="WORKLOAD",
            help="Only this one; may be repeated.",
            autocompletion=measured_workloads,
        ),
    ] = None,
    window: WindowOption = "14d",
    least_history: LeastHistoryOption = "7d",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="Look at what was then: 2026-11-01T12:00:00Z. Default: now.")
    ] = "",
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices; by default those of the context.")
    ] = None,
    changes: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="What may be set next, as files.",
            autocompletion=patch_formats,
        ),
    ] = "",
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Also as a page: .html or .md.")] = None,
    namespace: InNamespaceOption = None,
    everywhere: AllNamespacesOption = False,
    output: OutputOption = "table",
) -> None:
    """Say how large containers should be by what they used, and what that saves.

    KRR's figures and those of the Vertical Pod Autoscaler stand beside. A change halves a request at the
    most. A cut is refused where a container is throttled, was killed for its memory, an objective's error
    budget is short, or history is thin. Claimable is what requests cost less; realisable are nodes that go
    away. Exit 15 when of nothing enough is known.

    Example: maestro cost rightsize -A --prices prices.yaml

    Example: maestro cost rightsize -n shop --format kustomize
    """
    if ctx.invoked_subcommand is not None:
        return
    options = output_options(ctx, output)
    if changes:
        check_format(changes)
    if to is not None:
        check_form(to)
    wanted = RightsizingWanted(
        namespace, everywhere, tuple(workloads or ()), window, least_history, until, prices
    )
    found = ctx.obj.rightsizing(wanted)
    view = rightsizing_view(found)
    if to is not None:
        write_page(view, "Right-sizing", to)
    if changes:
        emit_text(changes_as(changes, found))
    else:
        emit(view, options)
    if found.is_blind:
        raise typer.Exit(ExitCode.NO_DATA)


@app.command()
def apply(
    ctx: typer.Context,
    workloads: Annotated[
        list[str],
        typer.Argument(metavar="WORKLOAD", help="One after the other.", autocompletion=measured_workloads),
    ],
    window: WindowOption = "14d",
    least_history: LeastHistoryOption = "7d",
    namespace: InNamespaceOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    typed_context: ConfirmContextOption = "",
    accept: AcceptOption = None,
    output: OutputOption = "table",
) -> None:
    """Set what may be set next, and watch whether it goes well; it is undone otherwise.

    A change a workload, as every other: plan, gate, journal, undo. It holds once every replica has run with
    it for a minute, none was killed for its memory, and no objective of the workload burns. Where an
    autoscaler scales by the share of the request, its target is set after it. Exit 11 where nothing may be
    set, with the reasons. Of several workloads the first that fails ends it: what was set before stays and
    is told, with the command for what is left.

    Example: maestro cost rightsize apply shop/deploy/api --dry-run
    """
    from maestro_cli.cli.changing import run_plans  # all kinds of change, which no report needs

    wanted = RightsizingWanted(namespace, window=window, least_history=least_history)
    course = ctx.obj.rightsizing_course(tuple(workloads), wanted)
    run_plans(
        ctx, course.plans(), "right-sizing",
        dry_run=dry_run, yes=yes, typed_context=typed_context, accept=accept, output=output, rest=course.rest,
    )  # fmt: skip
