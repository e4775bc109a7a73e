"""`maestro chaos gate`: experiments as the gate of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.experiment_options import SeedOption, VariableOption, VariablesOption
from maestro_cli.cli.options import ConfirmContextOption, OutputOption, YesOption, output_options
from maestro_cli.core.errors import UsageError
from maestro_cli.output.writer import emit

STYLES = ("full", "simple")


def gate(
    ctx: typer.Context,
    experiments: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPERIMENT...",
            help="A file, a name, a Chaos Toolkit journal, or a run (its id, or `latest`).",
            autocompletion=offers.experiments,
        ),
    ],
    seed: SeedOption = None,
    yes: YesOption = False,
    confirm_context: ConfirmContextOption = "",
    fail_on: Annotated[
        str, typer.Option(metavar="CODES", help="End with 0 for other verdicts: 10,12,13,15. By default all.")
    ] = "",
    style: Annotated[
        str,
        typer.Option(
            "--exit-code-style",
            metavar="STYLE",
            help="full, or simple: 0 and 1.",
            autocompletion=lambda: STYLES,
        ),
    ] = "full",
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write the journals, JUnit, a summary and outputs there."),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--ci", metavar="HOST", help="Tell it too: auto, github, gitlab or none."),
    ] = "auto",
    variables: VariableOption = None,
    files: VariablesOption = None,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="End each run after that, whatever it does.")
    ] = "",
    output: OutputOption = "table",
) -> None:
    """Run experiments, or judge runs that ended, and end with the gravest that is true of any.

    13 undo failed or something left, 14 stop condition, 130 or 143 interrupted, 11 not in a steady state
    before, 12 not injected or without effect, 10 deviated, 15 no data, 0 passed. After 13, 14 and an
    interruption nothing more is begun. It needs --yes without a terminal, and a context that allows it.
    Where not one experiment was run, --fail-on waives nothing.

    Example: maestro chaos gate pod-failure network-latency --yes --seed 7 --out evidence
    """
    from maestro_cli.output.renderers.chaos_gate import gate_view
    from maestro_cli.services.gating import GateWanted, codes_of, run_gate

    options = output_options(ctx, output)
    if style not in STYLES:
        raise UsageError(f"{style!r} is no style of exit codes", fix="--exit-code-style full|simple")
    wanted = GateWanted(
        experiments, seed, yes, confirm_context, variables or (), files or (), timeout, codes_of(fail_on),
        folder, host,
    )  # fmt: skip
    with ctx.obj.progress() as progress:
        report = run_gate(ctx.obj, wanted, progress)
    emit(gate_view(report.outcomes, report.decision, report.files), options)
    if report.decision.ends_with:
        raise typer.Exit(1 if style == "simple" else report.decision.ends_with)
