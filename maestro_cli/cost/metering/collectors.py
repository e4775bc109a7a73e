"""Jobs whose collectors are not all alike: of agents and a gateway under one job each counts what passes.

Which of them is the last is known to their configuration alone: receivers and exporters count the same at
both. What can be seen is that they send by different exporters, so that is told, and nothing is taken off.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.core.promql import promql_string
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.metering.model import Signal
from maestro_cli.cost.metering.telemetry import COUNTERS, OTELCOL, ROTEL, TELLER, TelemetryNames

_SENT = (
    (OTELCOL, Signal.SPANS, "otelcol_exporter_sent_spans"),
    (OTELCOL, Signal.LOG_RECORDS, "otelcol_exporter_sent_log_records"),
    (ROTEL, Signal.SPANS, "rotel_exporter_sent_spans"),
    (ROTEL, Signal.LOG_RECORDS, "rotel_exporter_sent_log_records"),
)


def exporters_query(series: ClusterSeries, names: TelemetryNames) -> str:
    """By job, the exporters that some of its collectors have and not all, and of which program they are.

    `TELLER` goes on where that of `telemetry_query` ends: both are asked as one.
    """
    parts = []
    for number, (program, _, metric) in enumerate(_SENT, len(COUNTERS)):
        both = (series.of(f"{metric}{suffix}", names.of(program)) for suffix in ("", "_total"))
        sent = f"({' or '.join(both)})"
        some = f"count by (job, exporter) (group by (job, instance, exporter) {sent})"
        every = f"count by (job) (group by (job, instance) {sent})"
        lacking = f"{some} < on (job) group_left () {every}"
        parts.append(f'label_replace({lacking}, "{TELLER}", {promql_string(str(number))}, "", "")')
    return " or ".join(parts)


def exporter_of(number: int, labels: Mapping[str, str]) -> tuple[tuple[str, str, Signal], str]:
    """Program, job and signal of what such a query found under that number, and the exporter."""
    program, signal, _ = _SENT[number - len(COUNTERS)]
    return (program, labels.get("job", ""), signal), labels.get("exporter", "")
