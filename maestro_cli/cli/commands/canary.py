"""`maestro canary`: give another version a share, judge it at every look, promote it or take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from maestro_cli.changes.canary.model import Verb
from maestro_cli.changes.model import Plan
from maestro_cli.cli.changing import ShareOption, planned_command, read_share
from maestro_cli.cli.options import NamespaceOption, OutputOption, output_options
from maestro_cli.cli.targets import TargetArgument
from maestro_cli.core.errors import ExitCode, UsageError
from maestro_cli.core.refs import ObjectRef
from maestro_cli.output.renderers.canaries import canary_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
CanaryModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="The model; left out of a deployment that is the canary."),
]
_EXITS = {Verb.ABORT: ExitCode.CONDITION_NOT_MET, Verb.HOLD: ExitCode.NO_DATA}


@app.callback()
def canary() -> None:
    """Give another version a share of the requests, judge it, and promote it or take it back."""


def _begin(services: Any, plan: Plan, words: Mapping[str, Any]) -> None:
    services.record_canary(plan, _rules(services, plan.target.ref, words))


def _rules(services: Any, ref: ObjectRef, words: Mapping[str, Any]) -> Any:
    names = ("worse", "objective", "slow", "deadline", "margin", "right", "judged", "max_price")
    return services.canary_rules(ref, words["beside"], **{name: words[name] for name in names})


def _where(services: Any, words: Mapping[str, Any]) -> tuple[ObjectRef, str]:
    """Where the canary is: the routing of a model, or the Deployment that is one."""
    model = words["model"] or ""
    find = services.routing_ref if model else services.workload_ref
    return find(words["target"], words["namespace"]), model


def _promoted(services: Any, plan: Plan, words: Mapping[str, Any]) -> None:
    services.record_canary_end(*_where(services, words), plan, "promoted")


def _aborted(services: Any, plan: Plan, words: Mapping[str, Any]) -> None:
    services.record_canary_end(*_where(services, words), plan, "aborted")


def _rest(services: Any, words: Mapping[str, Any]) -> Plan | None:
    plan: Plan | None = services.canary_promotion_left(*_where(services, words))
    return plan


@app.command()
@planned_command("canary", before=_begin)
def start(
    ctx: typer.Context,
    target: TargetArgument,
    model: CanaryModelOption = None,
    version: Annotated[int | None, typer.Option(metavar="N", help="A version of it.", min=1)] = None,
    beside: Annotated[
        str,
        typer.Option(metavar="NAME", help="The stable deployment, when TARGET is one that is the canary."),
    ] = "",
    share: ShareOption = "10%",
    namespace: NamespaceOption = None,
    stable: Annotated[
        int | None, typer.Option(metavar="VERSION", help="Who answers the rest, where no route says it.")
    ] = None,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="Who has the same stays in an arm: header:NAME.")
    ] = "",
    worse: Annotated[
        float, typer.Option(metavar="TIMES", help="So many times the errors, or slow requests, are too many.")
    ] = 3.0,
    objective: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="Of the requests may not fail; the context's, else 99.9."),
    ] = None,
    slow: Annotated[str, typer.Option(metavar="DURATION", help="What takes longer is slow.")] = "200ms",
    deadline: Annotated[str, typer.Option(metavar="DURATION", help="Held when undecided by then.")] = "1h",
    right: Annotated[
        str, typer.Option(metavar="SELECTOR", help="Counter of right answers, by label version.")
    ] = "",
    judged: Annotated[
        str, typer.Option(metavar="SELECTOR", help="Counter of answers that were judged, by label version.")
    ] = "",
    margin: Annotated[
        float, typer.Option(metavar="SHARE", help="Of the stable version's accuracy it must have.")
    ] = 0.95,
    max_price: Annotated[
        float | None, typer.Option(metavar="AMOUNT", help="What a million predictions may cost.")
    ] = None,
) -> Plan:
    """Start a canary; says first how long a decision needs at this traffic. Nothing runs while it waits.

    TARGET as in `maestro traffic set`; or, with --beside, a deployment that gets its share of the replicas
    behind a Service. It is decided by `maestro canary status`, at any time, as often as you like: of canaries
    that are no worse at most 1 % are taken back.

    Example: maestro canary start ml/deploy/fraud --model fraud --version 2 --share 10%
    """
    given = {"model": model, "version": version, "stable": stable, "key": key, "beside": beside}
    asked: dict[str, Any] = {name: value for name, value in given.items() if value not in (None, "")}
    if ("beside" in asked) is ("model" in asked) or (len(asked) > 1 if beside else version is None):
        raise UsageError(
            "a canary is a version of a model, or a deployment beside another",
            fix="--model NAME --version N, or --beside NAME alone",
        )
    ref, _ = _where(ctx.obj, {"target": target, "namespace": namespace, "model": model})
    asked["share"] = read_share(share)
    rules = _rules(ctx.obj, ref, locals())
    plan: Plan = ctx.obj.canary_start_plan(ref, asked, rules)
    return plan


@app.command()
def status(
    ctx: typer.Context,
    target: TargetArgument,
    model: CanaryModelOption = None,
    namespace: NamespaceOption = None,
    output: OutputOption = "table",
) -> None:
    """Decide about a canary now, from all its requests. Exit 0 promote, 10 abort, 15 hold.

    Example: maestro canary status ml/deploy/fraud --model fraud
    """
    options = output_options(ctx, output)
    found = ctx.obj.canary(*_where(ctx.obj, locals()))
    emit(canary_view(found), options)
    if found.decision.verb in _EXITS:
        raise typer.Exit(_EXITS[found.decision.verb])


@app.command()
def watch(
    ctx: typer.Context,
    target: TargetArgument,
    model: CanaryModelOption = None,
    namespace: NamespaceOption = None,
    every: Annotated[str, typer.Option(metavar="DURATION", help="How often to look.")] = "10s",
    output: OutputOption = "table",
) -> None:
    """Look until a canary is decided, and show the decision. Changes nothing; exit as `status`, 124 overdue.

    Example: maestro canary watch ml/deploy/fraud --model fraud && maestro canary promote ml/deploy/fraud
    --model fraud --yes
    """
    options = output_options(ctx, output)
    found = ctx.obj.watch_canary(*_where(ctx.obj, locals()), every)
    emit(canary_view(found), options)
    if found.decision.verb in _EXITS:
        raise typer.Exit(_EXITS[found.decision.verb])


@app.command()
@planned_command("canary promoted", before=_promoted, then=_rest)
def promote(
    ctx: typer.Context,
    target: TargetArgument,
    model: CanaryModelOption = None,
    namespace: NamespaceOption = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Whatever the decision is.")] = False,
) -> Plan:
    """Have the canary answer all requests. Refused unless every criterion passed, and while frozen.

    Of a deployment these are two changes: it gets as many replicas as the stable one, and then that one none.

    Example: maestro canary promote ml/deploy/fraud --model fraud
    """
    plan: Plan = ctx.obj.canary_promote_plan(*_where(ctx.obj, locals()), anyway)
    return plan


@app.command()
@planned_command("canary aborted", before=_aborted)
def abort(
    ctx: typer.Context,
    target: TargetArgument,
    model: CanaryModelOption = None,
    namespace: NamespaceOption = None,
) -> Plan:
    """Have the stable one answer all requests again; of a deployment: by having no replica of it left.

    Example: maestro canary abort ml/deploy/fraud --model fraud --yes
    """
    plan: Plan = ctx.obj.canary_abort_plan(*_where(ctx.obj, locals()))
    return plan
