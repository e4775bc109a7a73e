"""Options that the views of costs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.commands.cost import offers

WindowOption = Annotated[
    str, typer.Option(metavar="DURATION", help="The last hours, with the one of now: 24h, 7d, 30d.")
]
UntilOption = Annotated[
    str,
    typer.Option(
        metavar="TIME", help="When the window ends: 2026-10-04T02:00:00Z, or a day; by default now."
    ),
]
ByOption = Annotated[
    str,
    typer.Option(
        metavar="KEYS",
        help="namespace, workload, team, model, version, node, …, or label:NAME; several by commas.",
        autocompletion=offers.keys,
    ),
]
WhereOption = Annotated[
    str, typer.Option(metavar="MATCHERS", help="Only these rows: namespace=ml,team!=risk, or labels of pods.")
]
ShareIdleOption = Annotated[
    str,
    typer.Option(
        "--share-idle",
        metavar="HOW",
        help="Idle capacity: a row, or shared within each node or the cluster.",
        autocompletion=offers.idle_sharings,
    ),
]
ShareOption = Annotated[
    list[str] | None,
    typer.Option(
        "--share",
        metavar="NAMESPACE=HOW",
        help="A namespace that all others pay: by cost, even or metric; may be repeated.",
        autocompletion=offers.spreads_of_namespace,
    ),
]
ShareOverheadOption = Annotated[
    str,
    typer.Option(
        "--share-overhead",
        metavar="HOW",
        help="The control plane likewise: cost, even or metric.",
        autocompletion=offers.spreads,
    ),
]
WeightOption = Annotated[
    list[str] | None,
    typer.Option("--share-weight", metavar="NAMESPACE=N", help="What `metric` shares by; may be repeated."),
]
ShareOrderOption = Annotated[
    str,
    typer.Option(
        "--share-order",
        metavar="STEPS",
        help="What is shared first, by commas. Default: idle,namespaces,overhead.",
        autocompletion=offers.sharing_steps,
    ),
]
PricesOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Prices; by default those of the context.")
]
FromOption = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A record instead of a Prometheus: no network is needed."),
]
RecordOption = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="FILE", help="Keep what was metered and its prices there: .tar.gz or .zip."
    ),
]
