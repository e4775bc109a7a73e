"""Silencing what the alerts of an incident would still notify of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro_cli.cli.options import (
    ConfirmContextOption,
    DryRunOption,
    OutputOption,
    RefArgument,
    SeqOption,
    YesOption,
    output_options,
)
from maestro_cli.output.renderers.incidents import incident_silences_view
from maestro_cli.output.writer import emit

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan


def silence(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    duration: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long at most, up to 31d; without it, list.")
    ] = "",
    comment: Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who see it.")] = "",
    expected_seq: SeqOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    typed_context: ConfirmContextOption = "",
    output: OutputOption = "table",
) -> None:
    """Silence the alerts of an incident, and those that share all their labels, until it is over.

    A gated change: --dry-run lists which alerts it would hide. It ends when the incident is resolved or
    dismissed, and at its time at the latest. Without --for, the silences made for the incident are listed.

    Example: maestro incident silence latest --for 2h --comment "rolling back"
    """
    if not duration:
        found = ctx.obj.desk.silences(ref)
        emit(incident_silences_view(found, ctx.obj.clock.now()), output_options(ctx, output))
        return
    from maestro_cli.cli.changing import planned_command  # loads PyYAML, which no completion needs

    planned_command(before=_record)(_plan)(
        ctx=ctx, ref=ref, duration=duration, comment=comment, expected_seq=expected_seq, dry_run=dry_run,
        yes=yes, typed_context=typed_context, accept=None, output=output,
    )  # fmt: skip


def _plan(ctx: typer.Context, ref: str, duration: str, comment: str, expected_seq: int | None) -> Any:
    return ctx.obj.silence_plan(ref, duration, comment)


def _record(services: Any, plan: Plan, words: Mapping[str, Any]) -> None:
    services.record_silence(words["ref"], plan, words["expected_seq"])
