"""What one process of the server holds in common.

Invariant: everything is made once, by `server`, and handed to the endpoints; there is no other state.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.serving.execution.predictor import Predictor
from maestro_cli.serving.models.repository import Repository
from maestro_cli.serving.options import DEFAULT_TIMEOUT_SECONDS
from maestro_cli.serving.telemetry.logs import Log
from maestro_cli.serving.telemetry.metrics import Metrics


@dataclass(slots=True)
class Replica:
    """`draining` is set by the process when it is told to stop; no request takes longer than the time-out."""

    repository: Repository
    metrics: Metrics
    log: Log
    predictor: Predictor
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    draining: bool = False
