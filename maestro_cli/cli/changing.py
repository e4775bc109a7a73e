"""A kind of change as a command.

Invariant: a command gives its kind's parameters, or a plan, and nothing else; target, dry run, consent,
progress and output are the same words with the same meaning in all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer

from maestro_cli.changes.kinds.kind import share_of_one
from maestro_cli.changes.model import Change, Plan
from maestro_cli.cli.options import (
    AcceptOption,
    ConfirmContextOption,
    DryRunOption,
    OutputOption,
    YesOption,
    output_options,
)
from maestro_cli.cli.targets import A_WORKLOAD
from maestro_cli.core.errors import MaestroError, UsageError
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.refs import ObjectRef
from maestro_cli.output.diagnostics import note
from maestro_cli.output.renderers.changes import change_view, plan_view
from maestro_cli.output.writer import OutputOptions, emit

Parameters = Mapping[str, Any]
Before = Callable[[Any, Plan, Mapping[str, Any]], None]
Next = Callable[[Any, Mapping[str, Any]], Plan | None]
ModelOption = Annotated[
    str, typer.Option("--model", metavar="NAME", help="The model, as clients ask for it.")
]
VersionOption = Annotated[int, typer.Option("--version", metavar="N", help="A version of it.", min=1)]
ShareOption = Annotated[str, typer.Option("--share", metavar="SHARE", help="Of the requests: 0.1 or 10%.")]


def read_share(text: str) -> float:
    """A share as people write it; raises UsageError."""
    try:
        return share_of_one(text)
    except ValueError as error:
        raise UsageError(f"{text!r} {error}", fix="--share 10%") from error


def _within(
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="How long it is waited for; by default the policy's time.")
    ] = "",
) -> None:
    """The word of a command whose change may take longer than others."""


def _seconds(timeout: str) -> float | None:
    if not timeout:
        return None
    try:
        seconds = parse_duration_seconds(timeout)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
    if seconds <= 0:
        raise UsageError("--timeout must be longer than nothing", fix="--timeout 10m")
    return seconds


def _consent(
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    typed_context: ConfirmContextOption = "",
    accept: AcceptOption = None,
    output: OutputOption = "table",
) -> None:
    """The last words of a command that changes anything."""


def change_command(
    kind: str | Callable[[ObjectRef], str],
    target: Callable[..., ObjectRef] = A_WORKLOAD,
    *,
    takes_time: bool = False,
) -> Callable[[Callable[..., Parameters]], Callable[..., None]]:
    """Make a command of a function from the words that only it has to the parameters of its kind.

    The kind may depend on what the target is. `takes_time`: how long it is waited for can be said.
    Its docstring is the help; the words of `target` name what is changed.
    """

    def decorate(own: Callable[..., Parameters]) -> Callable[..., None]:
        def plan(ctx: typer.Context, **words: Any) -> Plan:
            mine = {name: words.pop(name) for name in inspect.signature(own).parameters}
            seconds = _seconds(words.pop("timeout", ""))
            ref = target(ctx, **words)
            name = kind if isinstance(kind, str) else kind(ref)
            planned: Plan = ctx.obj.changes.plan(name, ref, own(**mine), timeout_seconds=seconds)
            return planned

        time = _parameters(_within) if takes_time else []
        made = _shaped(plan, own, [*_parameters(target), *_parameters(own), *time])
        return planned_command()(made)

    return decorate


def planned_command(
    cause: str = "", before: Before | None = None, then: Next | None = None
) -> Callable[[Callable[..., Plan]], Callable[..., None]]:
    """Make a command of a function from a context and its own words to a plan.

    `--dry-run` prints the plan and what the gate says of it, and ends as that would; otherwise it is agreed
    to, carried out and verified. `cause` is recorded; the function's own words are filled in. `before` is
    called once the plan was agreed to, before anything is done: with the services, the plan and those words.
    `then` gives the plan of another change that has to follow, agreed to likewise; the last one is shown.
    """

    def decorate(make: Callable[..., Plan]) -> Callable[..., None]:
        def command(ctx: typer.Context, **words: Any) -> None:
            consent = {name: words.pop(name) for name in inspect.signature(_consent).parameters}
            options = output_options(ctx, consent.pop("output"))
            plan = make(ctx=ctx, **words)

            def record(agreed: Plan) -> None:
                if before is not None:
                    before(ctx.obj, agreed, words)

            if consent.pop("dry_run"):
                del consent["yes"]  # a dry run asks what would be if somebody agreed
                _rehearse_all(ctx.obj, (plan,), options, **consent)
                return
            done = _carry_out(ctx.obj, plan, cause.format(**words), record, **consent)
            while then is not None and (following := then(ctx.obj, words)) is not None:
                note(f"{done.id} is {done.state.value}: {done.plan.summary}")
                done = _carry_out(ctx.obj, following, cause.format(**words), record, **consent)
            emit(change_view(done), options)

        shaped: Callable[..., None] = _shaped(command, make, [*_parameters(make), *_parameters(_consent)])
        return shaped

    return decorate


def run_plans(
    ctx: typer.Context,
    plans: Iterable[Plan],
    cause: str,
    *,
    dry_run: bool,
    yes: bool,
    typed_context: str,
    accept: list[str] | None,
    output: str,
    rest: Callable[[], str] = str,
) -> None:
    """Each plan is made, agreed to and carried out before the next one is made; the last one is shown.

    One that fails ends it, and what was done stays: it is told, with the command that does the `rest`.
    """
    options = output_options(ctx, output)
    if dry_run:
        _rehearse_all(ctx.obj, plans, options, typed_context=typed_context, accept=accept)
        return
    done: list[Change] = []
    try:
        for plan in plans:
            done.append(
                _carry_out(
                    ctx.obj, plan, cause, lambda _: None, yes=yes, typed_context=typed_context, accept=accept
                )
            )
    except BaseException:  # whatever ended it, a person has to know what stands
        for change in done:
            text = f"{change.id} is {change.state.value} and stays: {change.plan.summary}"
            note(f"{text}; maestro change undo {change.id} takes it back")
        if done and (command := rest()):
            note(f"what is left to do: {command}")
        raise
    for change in done[:-1]:
        note(f"{change.id} is {change.state.value}: {change.plan.summary}")
    if done:
        emit(change_view(done[-1]), options)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    found = inspect.signature(function, eval_str=True).parameters.values()
    return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in found]


def _shaped(function: Any, like: Any, parameters: list[inspect.Parameter]) -> Any:
    """The function with another's name and help and with these parameters, which is what typer reads."""
    function.__name__, function.__doc__ = like.__name__, like.__doc__
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    function.__signature__ = inspect.Signature(parameters)
    return function


def _rehearse_all(
    services: Any,
    plans: Iterable[Plan],
    options: OutputOptions,
    *,
    typed_context: str,
    accept: list[str] | None,
) -> None:
    """Show every plan, and end as the changes would: with the refusal of the first that the gate refuses."""
    refusal: MaestroError | None = None
    try:
        for plan in plans:
            decision, error = services.dry_run(plan, frozenset(accept or ()), typed_context)
            emit(plan_view(plan, decision), options)
            refusal = refusal or error
    except MaestroError as error:
        if refusal is None:
            raise
        note(f"what follows cannot be planned: {error.what}")  # the changes would not come so far
    if refusal is not None:
        raise refusal


def _carry_out(
    services: Any,
    plan: Plan,
    cause: str,
    record: Callable[[Plan], None],
    *,
    yes: bool,
    typed_context: str,
    accept: list[str] | None,
) -> Change:
    accepts = frozenset(accept or ())
    consent = services.ask_consent(plan, yes=yes, typed_context=typed_context, accepts=accepts)
    record(plan)
    with services.progress() as progress:
        progress.phase(plan.kind, plan.summary)
        change: Change = services.changes.execute(
            plan, consent, cause=cause, progress=progress, cancellation=services.cancellation
        )
    return change
