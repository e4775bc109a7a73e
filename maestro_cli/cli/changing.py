"""A kind of change as a command.

Invariant: a command gives its kind's parameters and nothing else; target, dry run, consent, progress and
output are the same words with the same meaning in all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from maestro_cli.cli.options import (
    ConfirmContextOption,
    DryRunOption,
    NamespaceOption,
    OutputOption,
    YesOption,
    output_options,
)
from maestro_cli.output.renderers.changes import change_view, plan_view
from maestro_cli.output.writer import emit

Parameters = Mapping[str, Any]
_TARGET = 3  # of the words below stand before the command's own


def _words(
    ctx: typer.Context,
    workload: Annotated[str, typer.Argument(help="deploy/NAME, or namespace/deploy/NAME.")],
    namespace: NamespaceOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    typed_context: ConfirmContextOption = "",
    accept: Annotated[
        list[str] | None, typer.Option(metavar="RISK", help="Accept one named risk: disruption-budget.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """The words that every command here has."""


def change_command(kind: str) -> Callable[[Callable[..., Parameters]], Callable[..., None]]:
    """Make a command of a function from the words that only it has to the parameters of its kind.

    Its docstring is the help. `--dry-run` prints the plan and what the gate says of it; otherwise the plan
    is agreed to, carried out and verified.
    """

    def decorate(own: Callable[..., Parameters]) -> Callable[..., None]:
        def command(**words: Any) -> None:
            shared = {name: words.pop(name) for name in inspect.signature(_words).parameters}
            _make(kind, own(**words), **shared)

        before, after = _parameters(_words)[:_TARGET], _parameters(_words)[_TARGET:]
        parameters = [*before, *_parameters(own), *after]
        command.__name__, command.__doc__ = own.__name__, own.__doc__
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        return command

    return decorate


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    found = inspect.signature(function, eval_str=True).parameters.values()
    return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in found]


def _make(
    kind: str,
    parameters: Parameters,
    *,
    ctx: typer.Context,
    workload: str,
    namespace: str | None,
    dry_run: bool,
    yes: bool,
    typed_context: str,
    accept: list[str] | None,
    output: str,
) -> None:
    options = output_options(ctx, output)
    plan = ctx.obj.changes.plan(kind, ctx.obj.workload_ref(workload, namespace), parameters)
    accepts = frozenset(accept or ())
    if dry_run:
        change = ctx.obj.rehearse_change(plan, accepts)
        emit(plan_view(plan, change.decision), options)
        return
    consent = ctx.obj.ask_consent(plan, yes=yes, typed_context=typed_context, accepts=accepts)
    with ctx.obj.progress() as progress:
        progress.phase(kind, plan.summary)
        change = ctx.obj.changes.execute(plan, consent, progress=progress, cancellation=ctx.obj.cancellation)
    emit(change_view(change), options)
