"""What one process of the server holds in common.

Invariant: everything is made once, by `server`, and handed to the endpoints; there is no other state.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.serving.models.repository import Repository
from maestro_cli.serving.telemetry.logs import Log
from maestro_cli.serving.telemetry.metrics import Metrics


@dataclass(slots=True)
class Replica:
    """`draining` is set by the process when it is told to stop."""

    repository: Repository
    metrics: Metrics
    log: Log
    draining: bool = False
