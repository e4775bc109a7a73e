"""What scripts and people wait for: the gate, and the live list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.incidents.gate import GateScope
from maestro_cli.incidents.model import Severity
from maestro_cli.output.live import Frame, follow
from maestro_cli.output.renderers.incident_gate import gate_view
from maestro_cli.output.renderers.incidents import incident_line, incidents_view
from maestro_cli.output.writer import emit

_EXITS = {"PASS": ExitCode.OK, "FAIL": ExitCode.CONDITION_NOT_MET, "INDETERMINATE": ExitCode.NO_DATA}


def gate(
    ctx: typer.Context,
    fail_on: Annotated[
        Severity, typer.Option("--fail-on", help="The least grave severity that fails.")
    ] = Severity.SEV2,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only this namespace.")
    ] = None,
    workload: Annotated[
        str, typer.Option("--workload", "-w", metavar="WORKLOAD", help="Only deploy/NAME and the like.")
    ] = "",
    drills: Annotated[bool, typer.Option("--drills/--no-drills", help="Whether drills count.")] = False,
    require_watch: Annotated[
        bool, typer.Option("--require-watch", help="Without a watch that sees, the answer is not known: 15.")
    ] = False,
    output: OutputOption = "table",
) -> None:
    """Exit 10 while a grave incident is open, 0 otherwise: for CI, and before a deploy.

    An incident that names no place counts everywhere. Exit 15 where there is no journal, or, with
    --require-watch, where nobody watches or the watch is blind; a journal that cannot be read is an error.

    Example: maestro incident gate --fail-on sev2 -n ml --require-watch && ./deploy
    """
    ref = ctx.obj.workload_ref(workload, namespace) if workload else None
    scope = GateScope(fail_on, namespace, ref, drills, require_watch)
    reading = ctx.obj.incident_gate(scope)
    emit(gate_view(reading, ctx.obj.context_name, ctx.obj.clock.now()), output_options(ctx, output))
    if code := _EXITS[reading.verdict.value]:
        raise typer.Exit(code)


def watch(
    ctx: typer.Context,
    ref: Annotated[
        str, typer.Argument(metavar="[INCIDENT]", help="One incident alone.", autocompletion=offers.incidents)
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="CONDITION", help="opened, acked, mitigated or resolved; ends the watch.")
    ] = "",
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="Exit 124 after that long.")] = "",
    drills: Annotated[bool, typer.Option("--drills/--no-drills", help="With or without drills.")] = True,
    output: OutputOption = "table",
) -> None:
    """Follow the open incidents, or one: redrawn on a terminal, elsewhere a line a change.

    With -o json (or jsonl) each change is one document on one line. Of a merged incident its survivor is
    followed. Without --until it goes on until it is stopped. Where nothing is open, acked, mitigated and
    resolved hold at once.

    Example: maestro incident watch latest --until resolved --timeout 30m
    """

    def frames() -> Iterator[Frame]:
        line = ""
        for incidents, changed in ctx.obj.follow_incidents(ref, until, timeout, drills=drills):
            view = incidents_view(incidents, ctx.obj.clock.now())
            for one in changed:
                line = incident_line(one, ctx.obj.clock.now())
                yield Frame(view, line)
            line = line if incidents else "no incident is open"
            yield Frame(view, line)  # on a terminal, ages go on

    follow(frames(), output_options(ctx, "json" if output == "jsonl" else output))
