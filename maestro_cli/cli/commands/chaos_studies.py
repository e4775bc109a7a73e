"""`maestro chaos discover|import|compare`: before and after an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode, UsageError
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.diagnostics import note
from maestro_cli.output.writer import emit, emit_text

_CODES = {Verdict.FAIL: ExitCode.CONDITION_NOT_MET, Verdict.INDETERMINATE: ExitCode.NO_DATA}


def discover(
    ctx: typer.Context,
    namespace: Annotated[
        str,
        typer.Option("--namespace", "-n", metavar="NAME", help="By default those that the context allows."),
    ] = "",
    output: OutputOption = "table",
) -> None:
    """Show what could be broken in this context: each fault with each workload, and what hinders it.

    Example: maestro chaos discover -n ml
    """
    from maestro_cli.output.renderers.chaos_studies import breakable_view
    from maestro_cli.services.chaos_studies import breakable

    options = output_options(ctx, output)
    emit(breakable_view(breakable(ctx.obj, namespace)), options)


def import_experiment(
    ctx: typer.Context,
    experiment: Annotated[str, typer.Argument(metavar="FILE", help="A Chaos Toolkit experiment.")],
    path: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it there, where nothing is yet.")
    ] = None,
) -> None:
    """Propose what bounds a plain Chaos Toolkit file: its faults as maestro's, a duration, targets, undo.

    Nothing that only its author can know is invented: what is left to do is said on stderr.

    Example: maestro chaos import plain.json --to bounded.yaml
    """
    from maestro_cli.services.chaos_studies import proposed, write_new

    text, found = proposed(ctx.obj, experiment)
    if path is None:
        emit_text(text)
    else:
        write_new(path, text)
    for told in found.notes:
        note(told)


def compare(
    ctx: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="[RUN]", help="Its id, the end of it, or `latest`.", autocompletion=offers.experiment_runs
        ),
    ] = "latest",
    other: Annotated[
        str,
        typer.Argument(
            metavar="[OTHER]",
            help="With that run; by default the last before it that passed.",
            autocompletion=offers.experiment_runs,
        ),
    ] = "",
    tolerated: Annotated[
        str, typer.Option("--tolerance", metavar="SHARE", help="What changed by no more is the same.")
    ] = "25%",
    output: OutputOption = "table",
) -> None:
    """Show what got worse since another run of an experiment, with the figures.

    It ends with 10 when something got worse, and with 15 when something is not known any more.

    Example: maestro chaos compare latest --tolerance 50%
    """
    from maestro_cli.output.renderers.chaos_studies import comparison_view
    from maestro_cli.services.chaos_studies import compared

    options = output_options(ctx, output)
    was, now, found = compared(ctx.obj, run, other, _share(tolerated))
    emit(comparison_view(was, now, found), options)
    if found.verdict is not Verdict.PASS:
        raise typer.Exit(_CODES[found.verdict])


def _share(text: str) -> float:
    number = text.removesuffix("%")
    if not text.endswith("%") or not (number.isascii() and number.isdigit()) or int(number) > 1000:
        raise UsageError(f"{text[:40]!r} is no share", fix="--tolerance 25%")
    return int(number) / 100
