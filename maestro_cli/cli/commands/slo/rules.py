"""`maestro slo rules`: what Prometheus is to record and to alert on, and whether it is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

PathArgument = Annotated[
    str | None, typer.Argument(metavar="[PATH]", help="Objectives; by default the context's.")
]
ProfileOption = Annotated[
    str, typer.Option(metavar="NAME", help="production, or drill: the pace of a rehearsal.")
]
NamesOption = Annotated[
    str, typer.Option(metavar="NAME", help="Whose names records have: maestro or sloth, for its dashboards.")
]
WindowsOption = Annotated[
    str | None, typer.Option(metavar="PATH", help="Burn windows as Sloth's AlertWindows, a file or a folder.")
]
AbsentOption = Annotated[bool, typer.Option("--absent/--no-absent", help="Alert where there is no data.")]
BudgetOption = Annotated[
    bool, typer.Option("--budget/--no-budget", help="Record the whole period and what is left of the budget.")
]
LeastBadOption = Annotated[
    float, typer.Option("--min-bad-events", metavar="N", help="Tell nobody below so many in the long window.")
]

WatchedOption = Annotated[
    bool, typer.Option("--watched", help="Only of objectives whose burn people are told of.")
]


@app.callback()
def rules() -> None:
    """Write the recording and alert rules of objectives, and compare them with what is loaded."""


@app.command()
def generate(
    ctx: typer.Context,
    path: PathArgument = None,
    profile: ProfileOption = "production",
    names: NamesOption = "maestro",
    windows: WindowsOption = None,
    absent: AbsentOption = True,
    budget: BudgetOption = True,
    least_bad: LeastBadOption = 0.0,
    watched: WatchedOption = False,
    operator: Annotated[
        bool, typer.Option("--operator", help="As a PrometheusRule of the Prometheus Operator.")
    ] = False,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The PrometheusRule's name.")
    ] = "maestro-objectives",
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="The PrometheusRule's namespace.")
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label", "-l", metavar="NAME=VALUE", help="A label of the PrometheusRule; may be repeated."
        ),
    ] = None,
    tests: Annotated[
        str | None,
        typer.Option(
            "--tests", metavar="RULES", help="Unit tests for promtool of the rule file RULES instead."
        ),
    ] = None,
) -> None:
    """Write rules for Prometheus: error ratios over every window, burn alerts, what is left of budgets.

    They mean what Sloth's mean; only the whole period is weighted by events here, not a mean of ratios.

    Example: maestro slo rules generate > rules.yaml

    Example: maestro slo rules generate --tests rules.yaml > tests.yaml && promtool test rules tests.yaml

    Example: maestro slo rules generate --operator -l release=prometheus | kubectl apply -f -
    """
    from maestro_cli.config.strict import dump_yaml
    from maestro_cli.core.errors import UsageError
    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.writer import emit_text
    from maestro_cli.services.objective_rules import WantedRules, make_rules
    from maestro_cli.services.objectives import check_queries
    from maestro_cli.services.promql_parsers import parser_of
    from maestro_cli.services.running import parse_pairs
    from maestro_cli.slo.rules.operator import resource

    if not operator and (labels or namespace):
        raise UsageError("only a PrometheusRule has labels and a namespace", fix="--operator")
    if operator and tests:
        raise UsageError("promtool reads no PrometheusRule", fix="leave out --operator")
    parser = parser_of(ctx.obj)
    check_queries(ctx.obj, path, parser)
    note(f"queries are checked by {parser.name}")
    made = make_rules(ctx.obj, WantedRules(path, profile, names, windows, absent, budget, least_bad, watched))
    for one in made.without:
        note(f"{one} has no rules: no metric tells it")
    document = made.document
    if tests:
        found = made.tests_of(tests)
        document = found.document
        for one in found.without:
            note(f"{one} has no test: no series can be made up for its queries")
    elif operator:
        document = resource(document, name, namespace, parse_pairs(labels or ()))
    emit_text(dump_yaml(document))


@app.command()
def diff(
    ctx: typer.Context,
    path: PathArgument = None,
    profile: ProfileOption = "production",
    names: NamesOption = "maestro",
    windows: WindowsOption = None,
    absent: AbsentOption = True,
    budget: BudgetOption = True,
    least_bad: LeastBadOption = 0.0,
    watched: WatchedOption = False,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE", help="A rule file or PrometheusRule; - reads the pipe."),
    ] = None,
    resource: Annotated[
        str | None, typer.Option(metavar="NAMESPACE/NAME", help="A PrometheusRule of the cluster.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Compare what the context's Prometheus has loaded with what should be; ends with 10 for a difference.

    Rules are found by their name and their objective. How a query is spelled makes no difference.

    Example: maestro slo rules diff

    Example: kubectl get prometheusrule -n ml maestro-objectives -o yaml | maestro slo rules diff --file -
    """
    from maestro_cli.cli.texts import text_from
    from maestro_cli.config.strict import MAX_BYTES
    from maestro_cli.output.renderers.objective_rules import differences_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.objective_rules import WantedRules, differences_of

    options = output_options(ctx, output)
    wanted = WantedRules(path, profile, names, windows, absent, budget, least_bad, watched)
    given = None if file is None else (file, text_from("", file, MAX_BYTES))
    found = differences_of(ctx.obj, wanted, given, resource)
    emit(differences_view(found), options)
    if found:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
