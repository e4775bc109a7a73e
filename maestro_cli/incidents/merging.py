"""What is appended when one incident goes into another. Invariant: pure; whether it may is asked before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident


def merge_events(gone: Incident, stays: Incident, reason: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, incident and data of each event: the survivor has the graver severity of both from now on."""
    if gone.severity < stays.severity:
        data = {"severity": gone.severity, "was": stays.severity, "reason": f"merged with #{gone.number}"}
        yield "incident.severity_set", stays.id, data
    yield (
        "incident.merged",
        gone.id,
        {
            "number": gone.number,
            "other": stays.id,
            "into_number": stays.number,
            "signals": gone.signals,
            "reason": capped(reason),
        },
    )
