"""`maestro incident anomalies`: what is unusual without a rule that says so."""

from __future__ import annotations

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.output.renderers.anomalies import anomalies_view
from maestro_cli.output.writer import emit


def anomalies(ctx: typer.Context, output: OutputOption = "table") -> None:
    """Show what is unusual for a service now, and by how much: rate, errors, latency, saturation, accuracy.

    A watch looks for it every minute. It opens no incident, unless the context trusts the measure
    (anomalies.trusted), and is evidence of an open incident of the same workload.

    Example: maestro incident anomalies -o json
    """
    emit(anomalies_view(ctx.obj.anomalies(), ctx.obj.clock.now()), output_options(ctx, output))
