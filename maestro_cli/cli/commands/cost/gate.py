"""`maestro cost gate`: what a change of manifests costs a month, for pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.commands.cost.offers import pipeline_hosts, scales
from maestro_cli.cli.commands.cost.options import PricesOption
from maestro_cli.cli.options import InNamespaceOption, OutputOption, output_options
from maestro_cli.core.errors import UsageError
from maestro_cli.output.writer import emit


def gate(
    ctx: typer.Context,
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MANIFEST...", help="Files, folders, kustomizations, or - for what is piped in."
        ),
    ] = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option("--diff", metavar="BASE HEAD", help="Compare two files or folders, and no cluster."),
    ] = None,
    max_increase: Annotated[
        str, typer.Option(metavar="AMOUNT", help="The most that a month may cost more: 50, or 10%.")
    ] = "",
    budget: Annotated[
        float | None, typer.Option(metavar="AMOUNT", help="The most that all of it may cost a month.")
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            metavar="END", help="Judge at the fewest or the most replicas: min, max.", autocompletion=scales
        ),
    ] = "max",
    prices: PricesOption = None,
    nodes: Annotated[
        int | None,
        typer.Option(metavar="N", help="Nodes that a DaemonSet runs on; by default the cluster's."),
    ] = None,
    job_hours: Annotated[
        float | None, typer.Option(metavar="HOURS", help="Hours a month that each Job and CronJob runs.")
    ] = None,
    ignore_unknown: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="Take what is not known of a kind, or of a resource (x.com/fpga), for nothing.",
        ),
    ] = None,
    fail_on: Annotated[
        str, typer.Option(metavar="CODES", help="End with 0 for other verdicts: 10,11,15. By default all.")
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write a comment, the report and outputs there."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--ci",
            metavar="HOST",
            help="Tell it too: auto, github, gitlab or none.",
            autocompletion=pipeline_hosts,
        ),
    ] = "auto",
    namespace: InNamespaceOption = None,
    output: OutputOption = "table",
) -> None:
    """Tell what a change of manifests costs a month: requests × replicas × list rates, volumes, GPUs.

    The old side is the cluster of the context, or BASE. Exit 11 over --max-increase, 10 over --budget, 15
    when the cost of the change is not known: a container without requests costs something, not nothing.

    Example: maestro cost gate --diff base/deploy deploy --max-increase 50 --prices prices.yaml

    Example: maestro cost gate deploy/serving/overlays/canary --budget 500 --out evidence
    """
    from maestro_cli.output.renderers.cost_gate import gate_view
    from maestro_cli.services.costs.gate import GateWanted
    from maestro_cli.services.gating import codes_of

    options = output_options(ctx, output)
    if diff is not None and manifests:
        raise UsageError("manifests and --diff exclude each other", fix="maestro cost gate --diff BASE HEAD")
    wanted = GateWanted(
        manifests=tuple(manifests or ()) if diff is None else (diff[1],),
        base="" if diff is None else diff[0],
        max_increase=max_increase, budget=budget, at=at, prices=prices, namespace=namespace, nodes=nodes,
        job_hours=job_hours, ignored=tuple(ignore_unknown or ()), fail_on=codes_of(fail_on), folder=folder,
        host=host,
    )  # fmt: skip
    report = ctx.obj.cost_gate(wanted)
    emit(gate_view(report), options)
    if report.ends_with:
        raise typer.Exit(report.ends_with)
