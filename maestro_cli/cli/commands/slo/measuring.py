"""`maestro slo status`, `budget`, `explain`, `gate` and `what-if`: how what was promised is kept."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated

import typer

from maestro_cli.cli.measuring_options import (
    AtOption,
    CrossCheckOption,
    FileOption,
    FreshOption,
    MonthOption,
    NameArgument,
    NamesArgument,
    PrometheusOption,
    WindowOption,
    ZoneOption,
    not_empty,
)
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode, UsageError
from maestro_cli.core.verdict import Verdict


class Purpose(Enum):
    DEPLOY = "deploy"
    EXPERIMENT = "experiment"


_EXITS = {"PASS": ExitCode.OK, "FAIL": ExitCode.CONDITION_NOT_MET, "INDETERMINATE": ExitCode.NO_DATA}


def status(
    ctx: typer.Context,
    names: NamesArgument = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again.")] = False,
    every: Annotated[
        str, typer.Option(metavar="DURATION", callback=not_empty, help="How often with --watch.")
    ] = "30s",
    until: Annotated[
        Verdict | None,
        typer.Option(
            metavar="VERDICT", help="End --watch once all together are PASS, FAIL or INDETERMINATE."
        ),
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", callback=not_empty, help="End --watch with 124 after it.")
    ] = "",
    file: FileOption = None,
    prometheus: PrometheusOption = "",
    at: AtOption = "",
    month: MonthOption = "",
    window: WindowOption = "",
    zone: ZoneOption = "",
    fresh: FreshOption = False,
    output: OutputOption = "table",
) -> None:
    """Show how objectives are kept: the verdict, what is left of the budget, how it burns, what follows.

    Counts are exact increments of raw samples. What was not seen is in the bounds: PASS and FAIL hold
    whatever happened unseen, else it is INDETERMINATE. Ends with 10 when one fails, 15 when one is not known.

    Example: maestro slo status --month 2026-10 --zone Europe/Berlin

    Example: maestro slo status -f slos/ --prometheus http://prometheus:9090

    Example: maestro slo status fraud-latency --watch --until PASS --timeout 10m
    """
    from maestro_cli.output.live import Frame, follow
    from maestro_cli.output.renderers.kept import ending_at, kept_line, kept_view, overall
    from maestro_cli.output.writer import emit
    from maestro_cli.services.measuring import MeasureWanted, follow_kept, read_kept

    options = output_options(ctx, output)
    wanted = MeasureWanted(tuple(names or ()), file, prometheus, at, month, window, zone, fresh)
    if until is not None and not watch:
        raise UsageError("--until ends --watch", fix=f"--watch --until {until.value}")
    if watch:
        looks = ending_at(until, follow_kept(ctx.obj, wanted, every, timeout))
        frames: Iterator[Frame] = (Frame(kept_view(found), kept_line(found)) for found in looks)
        follow(frames, options)
        return
    found = read_kept(ctx.obj, wanted)
    emit(kept_view(found), options)
    if code := _EXITS[overall(found)]:
        raise typer.Exit(code)


def budget(
    ctx: typer.Context,
    names: NamesArgument = None,
    file: FileOption = None,
    prometheus: PrometheusOption = "",
    at: AtOption = "",
    month: MonthOption = "",
    window: WindowOption = "",
    zone: ZoneOption = "",
    fresh: FreshOption = False,
    output: OutputOption = "table",
) -> None:
    """Show what is spent of each error budget, so far and of the whole period, and what follows.

    Over half of it left is normal, less is careful, nothing left is freeze. Ends with 10 when a budget is
    spent whatever was not seen, 15 when that is not known of one. Recoveries have no budget.

    Example: maestro slo budget -o wide
    """
    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.renderers.kept import budget_code, budget_view, left_out_line
    from maestro_cli.output.writer import emit
    from maestro_cli.services.measuring import MeasureWanted, read_kept, with_budgets

    options = output_options(ctx, output)
    wanted = MeasureWanted(tuple(names or ()), file, prometheus, at, month, window, zone, fresh)
    found, left_out = with_budgets(read_kept(ctx.obj, wanted), wanted)
    if left_out:
        note(left_out_line(left_out))
    emit(budget_view(found), options)
    if code := budget_code(found):
        raise typer.Exit(code)


def explain(
    ctx: typer.Context,
    name: NameArgument,
    file: FileOption = None,
    prometheus: PrometheusOption = "",
    at: AtOption = "",
    month: MonthOption = "",
    window: WindowOption = "",
    zone: ZoneOption = "",
    fresh: FreshOption = False,
    cross_check: CrossCheckOption = False,
    output: OutputOption = "table",
) -> None:
    """Show all that the verdict of an objective rests on: counts, coverage, bounds, days, burn, queries.

    JSON has every query with its time and the digest of its answer.

    Example: maestro slo explain fraud-availability --month 2026-10
    """
    from maestro_cli.output.renderers.explained import explain_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.measuring import MeasureWanted, read_kept

    options = output_options(ctx, output)
    wanted = MeasureWanted(
        (name,), file, prometheus, at, month, window, zone, fresh, cross_check, durations=True
    )
    (one,) = read_kept(ctx.obj, wanted)
    emit(explain_view(one), options)


def gate(
    ctx: typer.Context,
    names: NamesArgument = None,
    left_at_least: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Pass with more than this share of each budget left."),
    ] = None,
    purpose: Annotated[
        Purpose, typer.Option("--for", metavar="WHAT", help="deploy, or experiment: by the budget policy.")
    ] = Purpose.DEPLOY,
    outside: Annotated[
        bool, typer.Option("--outside-production", help="The experiment harms nobody's users.")
    ] = False,
    file: FileOption = None,
    prometheus: PrometheusOption = "",
    at: AtOption = "",
    month: MonthOption = "",
    window: WindowOption = "",
    zone: ZoneOption = "",
    fresh: FreshOption = False,
    output: OutputOption = "table",
) -> None:
    """Exit 0 while there is budget to spend, for deploy scripts and CI; 10 when not, 15 when it is not known.

    A budget that burns critically does not pass either, however much is left of it. Recoveries have no
    budget: only those that are named are asked for.

    Example: maestro slo gate fraud-availability --left-at-least 0.25 && ./deploy

    Example: maestro slo gate --at 2026-10-31T12:00:00Z

    Example: maestro slo gate --for experiment && chaos run experiment.json
    """
    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.renderers.kept import gate_view, left_out_line
    from maestro_cli.output.writer import emit
    from maestro_cli.services.measuring import MeasureWanted, read_experiment_gate, read_slo_gate

    options = output_options(ctx, output)
    wanted = MeasureWanted(tuple(names or ()), file, prometheus, at, month, window, zone, fresh)
    if purpose is Purpose.EXPERIMENT:
        if left_at_least is not None:
            raise UsageError("the budget policy has a limit of its own", fix="leave out --left-at-least")
        answer = read_experiment_gate(ctx.obj, wanted, in_production=not outside)
    elif outside:
        raise UsageError("--outside-production is about experiments", fix="--for experiment")
    else:
        answer = read_slo_gate(ctx.obj, wanted, left_at_least or 0.0)
    if answer.left_out:
        note(left_out_line(answer.left_out))
    emit(gate_view(answer), options)
    if code := _EXITS[answer.verdict.value]:
        raise typer.Exit(code)


def what_if(
    ctx: typer.Context,
    name: NameArgument,
    target: Annotated[
        list[str], typer.Option("--target", "-t", metavar="TARGET", help="99.95% or 0.9995; more than once.")
    ],
    file: FileOption = None,
    prometheus: PrometheusOption = "",
    at: AtOption = "",
    month: MonthOption = "",
    window: WindowOption = "",
    zone: ZoneOption = "",
    fresh: FreshOption = False,
    output: OutputOption = "table",
) -> None:
    """Show what another target had cost: the verdict, what is left of its budget, and when it was spent.

    Example: maestro slo what-if fraud-availability --target 99.95% --target 99.99% --month 2026-10
    """
    from maestro_cli.output.renderers.kept import what_if_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.measuring import MeasureWanted
    from maestro_cli.services.measuring import what_if as find

    options = output_options(ctx, output)
    wanted = MeasureWanted((name,), file, prometheus, at, month, window, zone, fresh)
    emit(what_if_view(*find(ctx.obj, wanted, target)), options)
