"""The gate of open incidents as a view."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import counted
from maestro_cli.output.renderers.incidents import incident_document, incidents_view
from maestro_cli.output.views import Fields, Heading, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.gate import GateReading


def gate_view(reading: GateReading, context: str, now: datetime) -> Report:
    """JSON has `verdict`, `reason`, `context`, `scope`, `blocking`, `lesser`, `watch`."""
    scope = reading.scope
    where = scope.workload or scope.namespace or "everywhere"
    rows: list[tuple[str, object]] = [
        ("verdict", reading.verdict.value),
        ("reason", reading.reason),
        ("context", context),
        ("where", where),
        ("watched", _watched(reading)),
    ]
    if reading.lesser:
        rows.append(("less grave", f"{counted(reading.lesser, 'incident')} open"))
    blocks: list[Any] = [Fields(rows)]
    if reading.blocking:
        blocks += [Heading("Open"), incidents_view(reading.blocking, now)]
    document = {
        "verdict": reading.verdict.value,
        "reason": reading.reason,
        "context": context,
        "scope": {**plain(scope), "workload": None if scope.workload is None else str(scope.workload)},
        "blocking": [incident_document(one) for one in reading.blocking],
        "lesser": reading.lesser,
        "watch": plain(reading.sight),
    }
    return Report("incident-gate/v1", document, tuple(blocks))


def _watched(reading: GateReading) -> str:
    sight = reading.sight
    if not sight.watchers:
        return "no"
    return f"by {len(sight.watchers)}" + (
        "" if sight.blind_since is None else f", blind since {sight.blind_since}"
    )
