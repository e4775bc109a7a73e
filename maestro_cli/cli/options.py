"""Options that many commands share. Invariant: the same option is spelled the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.output.formats import KINDS, parse_format
from maestro_cli.output.writer import OutputOptions


def _complete_format(incomplete: str) -> list[str]:
    return [kind for kind in (*KINDS, "jsonpath=") if kind.startswith(incomplete)]


OutputOption = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT",
        help=f"{', '.join(KINDS)} or jsonpath=TEMPLATE.",
        autocompletion=_complete_format,
    ),
]


RefArgument = Annotated[
    str,
    typer.Argument(
        metavar="INCIDENT",
        help="Its number, id, a unique part of the id, or `latest`.",
        autocompletion=offers.incidents,
    ),
]


SeqOption = Annotated[
    int | None,
    typer.Option(
        "--expected-seq",
        metavar="SEQ",
        help="Refuse if its state, ack, owner, severity or a role changed after this event.",
    ),
]


def _complete_cluster(incomplete: str) -> list[str]:
    from maestro_cli.local.clusters import CLUSTERS

    return [name for name in CLUSTERS if name.startswith(incomplete)]


ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="lite, or kubernetes: the real control plane. Default: what is up, else lite.",
        autocompletion=_complete_cluster,
    ),
]
NamespaceOption = Annotated[
    str | None, typer.Option("--namespace", "-n", metavar="NAME", help="The namespace of the workload.")
]
AllNamespacesOption = Annotated[
    bool, typer.Option("--all-namespaces", "-A", help="The objects of all namespaces.")
]
InNamespaceOption = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="This namespace; by default the context's."),
]
SelectorOption = Annotated[
    str, typer.Option("--selector", "-l", metavar="LABELS", help="Labels: app=fraud,tier in (a,b),!canary.")
]
FieldSelectorOption = Annotated[
    str,
    typer.Option(
        "--field-selector", metavar="FIELDS", help="Fields: status.phase!=Running,spec.nodeName=node-a."
    ),
]
SortOption = Annotated[
    str, typer.Option("--sort-by", metavar="KEY", help="An order; what is worth looking at comes first.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Consent where there is no terminal to ask. Overrides no gate.")
]
ConfirmContextOption = Annotated[
    str, typer.Option("--confirm-context", metavar="NAME", help="For a protected context: its name.")
]
AcceptOption = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="RISK", help="Accept a risk by its name, as the gate gives it."),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Show targets, diff and blast radius; change nothing. Ends as the gate would."
    ),
]


def output_options(ctx: typer.Context, output: str) -> OutputOptions:
    """The format asked for, with `--plain` of the root; raises UsageError for an unknown one."""
    return OutputOptions(parse_format(output), is_plain=ctx.obj.options.is_plain)


StrictOption = Annotated[bool, typer.Option("--strict", help="End with 10 for warnings too.")]
FindingsOption = Annotated[
    str, typer.Option("--output", "-o", metavar="FORMAT", help="As everywhere, or sarif.")
]

AlertsOption = Annotated[
    list[str] | None,
    typer.Option("--alerts", metavar="PATH", help="Rule files or objectives; by default the shipped ones."),
]
