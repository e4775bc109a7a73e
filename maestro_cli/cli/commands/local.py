"""`maestro local`: the embedded platform."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import ClusterOption, OutputOption, output_options
from maestro_cli.core.errors import ExitCode, UsageError
from maestro_cli.output.renderers.platform import build_view, down_view, platform_view, prune_view
from maestro_cli.output.writer import emit, emit_text

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
PARTS = (
    "supervisor", "cluster", "controllers", "etcd", "apiserver", "controller-manager", "scheduler", "audit",
    "kubelet-a", "kubelet-b", "kubelet-c", "balancer", "metrics",
    "prometheus", "alertmanager", "load", "watch",
)  # fmt: skip

IDENTITIES = ("admin", "oncall", "viewer", "kubelet", "agent")


def _complete_part(incomplete: str) -> list[str]:
    return [part for part in PARTS if part.startswith(incomplete)]


def _complete_identity(incomplete: str) -> list[str]:
    return [identity for identity in IDENTITIES if identity.startswith(incomplete)]


def _complete_target(incomplete: str) -> list[str]:
    from maestro_cli.local.kubernetes.build_target import TARGETS  # for no other command than this completion

    return [target for target in TARGETS if target.startswith(incomplete)]


@app.callback()
def local() -> None:
    """Start and stop the embedded platform of real processes."""


@app.command()
def up(
    ctx: typer.Context,
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Scrape interval and alert windows: drill or production.")
    ] = "drill",
    cluster: ClusterOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the load.")] = 1,
    region: Annotated[
        str, typer.Option(metavar="NAME", help="The region that its nodes say they are in.")
    ] = "local",
    output: OutputOption = "table",
) -> None:
    """Start it and wait until every part is ready. Twice says that it is up; with another cluster, exit 75.

    Example: maestro local up --cluster kubernetes
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        status = ctx.obj.start_platform(
            progress, seed=seed, cluster=cluster, profile=profile, region=region,
            cancellation=ctx.obj.cancellation,
        )  # fmt: skip
    emit(platform_view(status), options)


@app.command()
def build(
    ctx: typer.Context,
    target: Annotated[
        str,
        typer.Option(
            metavar="SYSTEM/PROCESSOR",
            help="Build for another machine: linux or darwin, amd64 or arm64.",
            autocompletion=_complete_target,
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Build although there is one.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Only remove what other versions of maestro built.")
    ] = False,
    output: OutputOption = "table",
) -> None:
    """Build the real Kubernetes control plane into the cache, ahead of time. About ten minutes, once.

    Example: maestro local build --target linux/arm64
    """
    options = output_options(ctx, output)
    if prune and (target or force):
        what, why = "--prune goes with neither --target nor --force", "it only removes, and builds nothing"
        raise UsageError(what, why=why, fix="maestro local build --prune")
    with ctx.obj.progress() as progress:
        if prune:
            view = prune_view(ctx.obj.prune_kubernetes(progress))
        else:
            view = build_view(ctx.obj.build_kubernetes(target, progress, force=force))
    emit(view, options)


@app.command()
def down(ctx: typer.Context, output: OutputOption = "table") -> None:
    """Stop it and leave no process behind, whatever state it is in.

    Example: maestro local down
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        report = ctx.obj.platform.down(progress=progress)
    emit(down_view(report), options)


@app.command()
def status(ctx: typer.Context, output: OutputOption = "table") -> None:
    """Show its parts, ports and restarts. Exit 10 when it is not up, or a part of it is not ready.

    Example: maestro local status -o wide
    """
    found = ctx.obj.platform.status()
    emit(platform_view(found), output_options(ctx, output))
    if found.state != "up":
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)


@app.command()
def logs(
    ctx: typer.Context,
    part: Annotated[
        str,
        typer.Argument(
            help="A part, as `local status` names it; audit is who changed what on --cluster kubernetes.",
            autocompletion=_complete_part,
        ),
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    tail: Annotated[int, typer.Option(help="How many of the last lines.", min=0)] = 100,
) -> None:
    """Show what a part wrote.

    Example: maestro local logs controllers -f
    """
    for line in ctx.obj.platform.logs(part, tail=tail, follow=follow, cancellation=ctx.obj.cancellation):
        emit_text(line)


@app.command()
def kubeconfig(
    ctx: typer.Context,
    identity: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="IDENTITY",
            help=f"{', '.join(IDENTITIES[:-1])} or {IDENTITIES[-1]}.",
            autocompletion=_complete_identity,
        ),
    ] = "admin",
) -> None:
    """Print the path of a kubeconfig for the embedded cluster.

    Example: kubectl --kubeconfig "$(maestro local kubeconfig)" -n ml get pods
    """
    emit_text(str(ctx.obj.platform.kubeconfig(identity)))
