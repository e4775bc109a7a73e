"""`maestro sla`: the report of a month, and the proof that it is what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.measuring_options import (
    FileOption,
    FreshOption,
    NamesArgument,
    PrometheusOption,
    ZoneOption,
    not_empty,
)
from maestro_cli.cli.options import OutputOption, output_options

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def sla() -> None:
    """Report how the promises of a month were kept, in a form that anybody can recompute."""


@app.command()
def report(
    ctx: typer.Context,
    names: NamesArgument = None,
    month: Annotated[
        str,
        typer.Option(
            metavar="YYYY-MM", callback=not_empty, help="The month; by default the last period that is over."
        ),
    ] = "",
    zone: ZoneOption = "",
    file: FileOption = None,
    prometheus: PrometheusOption = "",
    contract: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What was agreed; by default the context's.")
    ] = None,
    exclusions: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Maintenance to take out, else the context's; again for more."),
    ] = None,
    previous: Annotated[int, typer.Option(metavar="N", help="How many periods before are shown.")] = 1,
    bundle: Annotated[
        Path | None, typer.Option("--from", metavar="BUNDLE", help="Make it again of a bundle, offline.")
    ] = None,
    to: Annotated[
        list[Path] | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="Write FILE.html, .pdf, .md, .json, .csv, or the bundle .tar.gz; again for more.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    fresh: FreshOption = False,
    signing_key: Annotated[
        str | None,
        typer.Option(
            metavar="REFERENCE", help="env:NAME, file:PATH or bao:PATH#KEY of an Ed25519 key as PEM."
        ),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Report the objectives of a month: verdict, ratio, bounds, coverage, budget, incidents and drills.

    Exit 10 when a promise was not kept, 15 when that cannot be known. A bundle is signed with the key that
    incidents are exported with, or with --signing-key.

    Example: maestro sla report --month 2026-10 --zone Europe/Berlin --to october.html --to october.tar.gz

    Example: maestro sla report --from october.tar.gz -o json
    """
    from maestro_cli.core.errors import ExitCode
    from maestro_cli.core.verdict import Verdict
    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.renderers.sla import sla_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.sla import SlaWanted, make_report, write_reports

    options = output_options(ctx, output)
    wanted = SlaWanted(
        month,
        zone,
        tuple(names or ()),
        file,
        prometheus,
        contract,
        tuple(exclusions or ()),
        previous,
        bundle,
        tuple(to or ()),
        force,
        fresh,
        signing_key,
    )
    made = make_report(ctx.obj, wanted)
    for path in write_reports(made, wanted):
        note(f"wrote {path}")
    emit(sla_view(made.report), options)
    if made.report.verdict is Verdict.FAIL:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
    if made.report.verdict is Verdict.INDETERMINATE:
        raise typer.Exit(ExitCode.NO_DATA)


@app.command()
def verify(
    ctx: typer.Context,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A .tar.gz or .zip of sla report.")],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="A public key to trust, ed25519:…, or a file with one."),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Recompute every figure of a report from its bundle, without a journal or a network.

    Exit 10 when a file, a figure or the signature is not what it says, 15 when no --key that you gave signed
    it. The digest tells one bundle from another: compare it with the one that you were told.

    Example: maestro sla verify october.tar.gz --key ed25519:9f…
    """
    from maestro_cli.core.errors import ConditionNotMet, NoData
    from maestro_cli.core.verdict import Verdict
    from maestro_cli.output.renderers.sla import verification_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.sla import verify as verify_report

    options = output_options(ctx, output)
    found, is_trusted = verify_report(bundle, tuple(key or ()))
    emit(verification_view(bundle, found, is_trusted=is_trusted), options)
    if found.verdict is Verdict.FAIL:
        raise ConditionNotMet(
            "the report is not what its bundle gives",
            why=f"{found.problems[0].where}: {found.problems[0].text}",
            fix="ask who made it for it again, and keep this one",
        )
    if found.verdict is not Verdict.PASS:
        raise NoData(
            "nothing says that who you trust made the bundle",
            why=f"it is signed with {found.signed_by}" if found.signed_by else "it is not signed",
            fix="get the public key from who made it by another way, and pass --key",
        )
