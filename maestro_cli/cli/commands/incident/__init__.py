"""`maestro incident`: what people respond to. Invariant: a command is one line of the table below."""

from __future__ import annotations

from collections.abc import Callable

import typer

from maestro_cli.cli.commands.incident import (
    anomalies,
    bonds,
    exporting,
    following,
    lifecycle,
    opening,
    people,
    reading,
    reporting,
    responding,
    rules,
    silencing,
    tasks,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def incident(ctx: typer.Context) -> None:
    """Open, list, show, triage, respond to and resolve incidents."""
    ctx.call_on_close(lambda: ctx.obj.tell_news() if ctx.obj is not None else None)


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("open", opening.open_incident),
    ("list", reading.list_incidents),
    ("show", reading.show),
    ("timeline", reading.timeline),
    ("evidence", reading.evidence),
    ("suspects", reading.suspects),
    ("ack", lifecycle.ack),
    ("assign", lifecycle.assign),
    ("severity", lifecycle.severity),
    ("note", lifecycle.note),
    ("link", bonds.link),
    ("merge", bonds.merge),
    ("silence", silencing.silence),
    ("resolve", lifecycle.resolve),
    ("triage", responding.triage),
    ("respond", responding.respond),
    ("mitigate", lifecycle.mitigate),
    ("dismiss", lifecycle.dismiss),
    ("reopen", lifecycle.reopen),
    ("close", lifecycle.close),
    ("role", people.role),
    ("update", people.update),
    ("anomalies", anomalies.anomalies),
    ("handover", people.handover),
    ("gate", following.gate),
    ("watch", following.watch),
    ("stats", reporting.stats),
    ("postmortem", reporting.postmortem),
    ("export", exporting.export),
    ("verify", exporting.verify),
)

for name, command in COMMANDS:
    app.command(name)(command)

app.add_typer(tasks.app, name="task")
app.add_typer(rules.app, name="rules")
