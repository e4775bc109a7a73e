"""What one process of the server holds in common.

Invariant: everything is made once, by `server`, and handed to the endpoints; there is no other state.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maestro_cli.serving.access.file import KeysFile
from maestro_cli.serving.access.guard import Guard
from maestro_cli.serving.execution.predictor import Predictor
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Entry, Repository
from maestro_cli.serving.options import DEFAULT_TIMEOUT_SECONDS
from maestro_cli.serving.routing.file import RoutingFile
from maestro_cli.serving.routing.router import Router
from maestro_cli.serving.routing.shadow import Shadows
from maestro_cli.serving.telemetry.logs import Log
from maestro_cli.serving.telemetry.metrics import Metrics
from maestro_cli.serving.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from maestro_cli.serving.faults.injector import Injector


@dataclass(slots=True)
class Flights:
    """How many inference requests are being answered now."""

    count: int = 0


@dataclass(slots=True)
class Replica:
    """`draining` is set by the process when it is told to stop; no request takes longer than the time-out.

    `injector` is there when the server was started with faults for drills. `id` tells this process from
    every other one, so that somebody in front of a load balancer can count replicas and call one of them.
    `pod` is the uid of the Kubernetes pod that it runs in, or "" where nobody said so.
    `cleared_by` is the change that cleared the prediction cache last, or "".
    """

    repository: Repository
    memory: ModelMemory
    metrics: Metrics
    log: Log
    predictor: Predictor
    router: Router
    shadows: Shadows
    flights: Flights
    tracing: Tracing
    guard: Guard
    keys_file: KeysFile | None = None
    routing_file: RoutingFile | None = None
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    draining: bool = False
    injector: Injector | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    pod: str = ""
    cleared_by: str = ""

    @property
    def faults(self) -> list[str]:
        """Why it is not ready; nothing when it is."""
        if self.draining:
            return ["draining"]
        found = [f"{entry.name}/{entry.version}: {entry.reason}" for entry in self.repository.missing]
        if self.routing_file is not None and not self.routing_file.was_read:
            found.append(self.routing_file.problem)
        if self.keys_file is not None and self.keys_file.withdrawn and self.guard.asks_for_keys:
            found.append(self.keys_file.withdrawn)
        return found


class ModelNews:
    """Tells metrics, log and predictor what became of models."""

    def __init__(self, metrics: Metrics, log: Log, predictor: Predictor) -> None:
        self._metrics = metrics
        self._log = log
        self._predictor = predictor

    def loaded(self, entry: Entry, seconds: float) -> None:
        self._metrics.model_loaded(entry)
        if entry.model is not None:
            self._predictor.declare(entry.model)
        digest = entry.model.digest if entry.model else None
        self._log.info(
            "model loaded", model=entry.name, version=entry.version, digest=digest,
            bytes=entry.bytes, seconds=round(seconds, 6),
        )  # fmt: skip

    def refused(self, entry: Entry, reason: str) -> None:
        self._metrics.model_refused(entry)
        self._log.error("model refused", model=entry.name, version=entry.version, error=reason)

    def dropped(self, entry: Entry, model: LoadedModel, why: str) -> None:
        self._metrics.model_dropped(entry, model, why)
        self._predictor.forget(model)
        self._log.info("model dropped", model=entry.name, version=entry.version, digest=model.digest, why=why)
