"""Who does what about an incident, and what people were told of it."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, RefArgument, SeqOption, output_options
from maestro_cli.incidents.people.model import Audience, Role, Said
from maestro_cli.output.renderers.handover import handover_view
from maestro_cli.output.renderers.people import roles_view, updates_view
from maestro_cli.output.writer import emit


def role(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    name: Annotated[
        Role | None, typer.Argument(metavar="ROLE", help="commander, ops, scribe or liaison.")
    ] = None,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="Who has it from now on.", autocompletion=offers.people)
    ] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Nobody has it from now on.")] = False,
    held_by: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PERSON",
            help="A hand-over: refuse unless this is who has it now.",
            autocompletion=offers.people,
        ),
    ] = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Give a role to a person, hand it over, or take it; without a role, show who has and had which.

    A role is an attribute with times: it moves no state. Exit 11 when --from is not who has it. PERSON may be
    schedule:NAME for whoever is on call by it; exit 6 when the on-call file has no such schedule.

    Example: maestro incident role latest commander ana
    """
    options = output_options(ctx, output)
    holder = ctx.obj.role_holder(person)
    ctx.obj.people.change_role(ref, name, holder, clear=clear, held_by=held_by, expected_seq=expected_seq)
    emit(roles_view(ctx.obj.role_turns(ref)), options)


def update(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    conditions: Annotated[
        str, typer.Argument(metavar="TEXT", help="How it stands. Without it, show what was told.")
    ] = "",
    actions: Annotated[str, typer.Option(metavar="TEXT", help="What is being done.")] = "",
    needs: Annotated[str, typer.Option(metavar="TEXT", help="What is needed, and of whom.")] = "",
    status: Annotated[Audience, typer.Option(help="Whom it is for.")] = Audience.INTERNAL,
    snooze: Annotated[
        str, typer.Option(metavar="TIME", help="Put the next reminder off: 30m, or an instant.")
    ] = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Tell how an incident stands, and set the clock to the next time; without a text, show what was told.

    While it is open the next update is due 20 minutes after the last for sev1, 1 hour for sev2, 4 hours for
    sev3 and a day for sev4. One that is late is shown by list, status and handover.

    Example: maestro incident update latest "checkout fails for 4%" --actions "rolling back" --status public
    """
    options = output_options(ctx, output)
    until = ctx.obj.due(snooze) if snooze else None
    said = Said(conditions, actions, needs, status)
    ctx.obj.people.tell(ref, said, snooze_until=until, expected_seq=expected_seq)
    emit(updates_view(ctx.obj.updates(ref)), options)


def handover(
    ctx: typer.Context,
    ref: Annotated[
        str,
        typer.Argument(
            metavar="INCIDENT", help="Its number, id, `latest`, or `all`.", autocompletion=offers.incidents
        ),
    ] = "all",
    output: OutputOption = "table",
) -> None:
    """Tell the next shift what is open: state, roles, updates, mitigation, what waits, tasks.

    It is read from the journal, and says who is on call where the context has an on-call file.

    Example: maestro incident handover all -o md > handover.md
    """
    options = output_options(ctx, output)
    emit(handover_view(ctx.obj.hand_over(ref)), options)
