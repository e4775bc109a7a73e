"""`maestro incident task`: what is to be done about incidents, and later because of them."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, RefArgument, SeqOption, output_options
from maestro_cli.incidents.people.model import TaskKind, TaskState
from maestro_cli.output.renderers.people import tasks_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

TaskArgument = Annotated[
    str,
    typer.Argument(
        metavar="TASK", help="Its number: see maestro incident task list all.", autocompletion=offers.tasks
    ),
]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="More, for the record.")]


@app.callback()
def task() -> None:
    """Add tasks and action items, list them, and say when they are done."""


@app.command()
def add(
    ctx: typer.Context,
    ref: RefArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be done.")],
    owner: Annotated[
        str | None, typer.Option(metavar="PERSON", help="Who does it.", autocompletion=offers.people)
    ] = None,
    due: Annotated[
        str, typer.Option(metavar="TIME", help="By when, ahead: 3d, 2026-12-01 (its end), 2026-12-01T17:00Z.")
    ] = "",
    action: Annotated[
        bool, typer.Option("--action", help="An action item: after the incident, because of it.")
    ] = False,
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Add a task to an incident, or with --action an action item; it is shown until it is done or dropped.

    Example: maestro incident task add latest "alert on the queue, too" --action --owner ana --due 2026-12-01
    """
    options = output_options(ctx, output)
    made = ctx.obj.people.add_task(
        ref,
        text,
        kind=TaskKind.ACTION if action else TaskKind.TASK,
        owner=owner,
        due_at=ctx.obj.due(due) if due else None,
        expected_seq=expected_seq,
    )
    emit(tasks_view([made], ctx.obj.clock.now()), options)


@app.command("list")
def list_tasks(
    ctx: typer.Context,
    ref: Annotated[
        str, typer.Argument(metavar="INCIDENT", help="Its number, id, `latest`, or `all`.")
    ] = "all",
    ended: Annotated[bool, typer.Option("--ended", help="Those that are done or dropped, too.")] = False,
    output: OutputOption = "table",
) -> None:
    """List the open tasks and action items of an incident or of all, the next due first.

    Example: maestro incident task list all -o json
    """
    emit(tasks_view(ctx.obj.tasks(ref, ended=ended), ctx.obj.clock.now()), output_options(ctx, output))


@app.command()
def done(
    ctx: typer.Context,
    number: TaskArgument,
    reason: ReasonOption = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Say that a task is done. Exit 11 when it has ended before.

    Example: maestro incident task done 12
    """
    _end(ctx, number, TaskState.DONE, reason, expected_seq, output)


@app.command()
def drop(
    ctx: typer.Context,
    number: TaskArgument,
    reason: ReasonOption = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Say that a task will not be done. Exit 11 when it has ended before.

    Example: maestro incident task drop 12 --reason "the service is gone"
    """
    _end(ctx, number, TaskState.DROPPED, reason, expected_seq, output)


def _end(
    ctx: typer.Context, number: str, state: TaskState, reason: str, expected_seq: int | None, output: str
) -> None:
    options = output_options(ctx, output)
    ended = ctx.obj.people.end_task(number, state, reason=reason, expected_seq=expected_seq)
    emit(tasks_view([ended], ctx.obj.clock.now()), options)
