"""What is unusual now, as a view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.clock import seconds_between, to_rfc3339
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.incidents.intake.anomalies.model import Anomaly


def anomalies_view(anomalies: Sequence[Anomaly], now: datetime) -> Listing[Anomaly]:
    columns: tuple[Column[Anomaly], ...] = (
        Column("service", lambda anomaly: str(anomaly.service)),
        Column("measure", lambda anomaly: anomaly.measure.value),
        Column("for", lambda anomaly: format_duration(seconds_between(anomaly.since, now)), right=True),
        Column("mads", lambda anomaly: f"{anomaly.mads:.0f}", right=True, wide=True),
        Column("incident", lambda anomaly: anomaly.incident or None, wide=True),
        Column("why", lambda anomaly: anomaly.text, priority=1, folds=True),
    )
    empty = "nothing is unusual, as far as a watch has looked"
    return Listing("anomalies/v1", columns, tuple(anomalies), empty=empty, document=anomaly_document)


def anomaly_document(anomaly: Anomaly) -> dict[str, Any]:
    baseline = anomaly.baseline
    return {
        "namespace": anomaly.service.namespace,
        "service": anomaly.service.name,
        "measure": anomaly.measure.value,
        "since": to_rfc3339(anomaly.since),
        "value": anomaly.value,
        "mads": anomaly.mads,
        "usual": {
            "low": baseline.low,
            "high": baseline.high,
            "points": baseline.points,
            "basis": baseline.basis,
        },
        "incident": anomaly.incident or None,
        "why": anomaly.text,
    }
