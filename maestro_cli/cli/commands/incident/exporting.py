"""Incidents for other programs and for the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, RefArgument, output_options


def export(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    path: Annotated[
        str | None,
        typer.Option("--to", metavar="FILE", help="A bundle: FILE.tar.gz or FILE.zip; or with --as."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="FORM", help="json; or the timeline as jsonl or cloudevents. No bundle."
        ),
    ] = None,
    whole_chain: Annotated[
        bool,
        typer.Option(
            "--whole-chain", help="Also the events between, of other things, so that no gap is left."
        ),
    ] = False,
    signing_key: Annotated[
        str | None,
        typer.Option(
            metavar="REFERENCE", help="env:NAME, file:PATH or bao:PATH#KEY of an Ed25519 key as PEM."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    output: OutputOption = "table",
) -> None:
    """Write everything about an incident as a signed bundle that can be verified offline; or as JSON.

    Signed with a key that is made in the state folder at the first use, or with --signing-key.

    Example: maestro incident export 3 --to incident-3.tar.gz
    """
    from maestro_cli.core.canonical import plain
    from maestro_cli.core.errors import UsageError
    from maestro_cli.output.renderers.bundles import exported_view
    from maestro_cli.output.writer import emit, emit_text

    if form is not None:
        text = ctx.obj.export_incident(ref, form, path, force=force)
        emit_text(text)
    elif path is None:
        raise UsageError("an export needs a file or a form", fix="--to FILE.tar.gz, or --as json")
    else:
        done = ctx.obj.export_bundle(ref, path, whole_chain=whole_chain, signing_key=signing_key, force=force)
        emit(exported_view(done.path, plain(done)), output_options(ctx, output))


def verify(
    ctx: typer.Context,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="A .tar.gz or .zip of incident export.")],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="A public key to trust, ed25519:…, or a file with one."),
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(metavar="SEQ:HASH", help="A head kept elsewhere that its chain must hold.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Verify a bundle without a journal or a network: signature, files, hashes, links of the chain.

    Ends with 10 when something is not as it was signed, with 15 when all fits but no key that you trust
    signed it, or the event of the anchor is not in it.

    Example: maestro incident verify incident-3.tar.gz --key ed25519:9f…
    """
    from maestro_cli.core.errors import ConditionNotMet, NoData
    from maestro_cli.core.verdict import Verdict
    from maestro_cli.output.renderers.bundles import bundle_view
    from maestro_cli.output.writer import emit

    options = output_options(ctx, output)
    report = ctx.obj.verify_bundle(bundle, keys=tuple(key or ()), anchor=anchor)
    emit(bundle_view(Path(bundle), report), options)
    if report.verdict is Verdict.FAIL:
        raise ConditionNotMet(
            "the bundle is not what was signed",
            why=f"{report.problems[0].file}: {report.problems[0].text}",
            fix="ask who exported it for it again, and keep this one",
        )
    if report.verdict is not Verdict.PASS and report.is_trusted:
        raise NoData(
            "the head that was kept elsewhere says nothing of the bundle",
            why="its event is not in the bundle",
            fix="ask for a bundle with --whole-chain, or pass the head of an event that is in it",
        )
    if report.verdict is not Verdict.PASS:
        raise NoData(
            "nothing says who signed the bundle",
            why="no key that you trust signed it; the one inside proves nothing",
            fix="get the public key from who exported it by another way, and pass --key",
        )
