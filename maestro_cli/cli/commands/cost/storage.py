"""`maestro cost storage`: which versions of models are worth moving to cheaper storage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import counted
from maestro_cli.cost.storage.keeping import NEWEST
from maestro_cli.cost.storage.report import StorageWanted
from maestro_cli.output.diagnostics import note
from maestro_cli.output.renderers.cost_storage import policy_view, stored_view
from maestro_cli.output.writer import emit


def storage(
    ctx: typer.Context,
    store: Annotated[
        Path, typer.Argument(metavar="STORE", help="A folder of models, or an inventory (CSV).")
    ],
    prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="What stands before MODEL/VERSION/ in keys.")
    ] = "",
    hot: Annotated[str, typer.Option("--from", metavar="CLASS", help="The class they are in.")] = "STANDARD",
    cold: Annotated[str, typer.Option("--to", metavar="CLASS", help="The class to move to.")] = "STANDARD_IA",
    months: Annotated[float, typer.Option(metavar="N", help="How long they will lie there.")] = 12.0,
    reads: Annotated[
        float, typer.Option("--reads-per-month", metavar="N", help="How often a version is read whole.")
    ] = 0.0,
    after_days: Annotated[float, typer.Option(metavar="DAYS", help="What is younger stays.")] = 30.0,
    keep: Annotated[int, typer.Option(metavar="N", help="The newest versions of each model stay.")] = NEWEST,
    needed: Annotated[
        list[str] | None, typer.Option(metavar="MODEL@VERSION", help="Stays in any case; may be repeated.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no backend: needed is what --needed and --keep say.")
    ] = False,
    as_policy: Annotated[
        bool, typer.Option("--policy", help="Print the lifecycle policy, in the shape of S3 or GCS.")
    ] = False,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices; by default those of the context.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Say which versions are worth moving to cheaper storage; what could be rolled back to stays.

    Nothing is moved or deleted. While it is not known what is served, every version stays, and the exit
    is 15; so it is when of no version a figure is known.

    Example: maestro cost storage /srv/models --to STANDARD_IA --prices prices.yaml

    Example: maestro cost storage inventory.csv --prefix models/ --to COLDLINE --policy -o json
    """
    options = output_options(ctx, output)
    wanted = StorageWanted(
        store,
        prefix,
        hot,
        cold,
        prices,
        keep,
        months,
        reads,
        after_days,
        tuple(needed or ()),
        offline,
    )
    found = ctx.obj.stored(wanted)
    if as_policy:
        policy = found.policy()
        emit(policy_view(policy, found), options)
        note("putting it on a bucket replaces all the rules that are there: add those that shall stay")
        if policy.left_out:
            left = counted(len(policy.left_out), "version")
            note(f"left out: {left}, more than a store takes or with names that it cannot be told")
    else:
        emit(stored_view(found), options)
    if found.unknown or found.saving is None or not found.items:
        raise typer.Exit(ExitCode.NO_DATA)
