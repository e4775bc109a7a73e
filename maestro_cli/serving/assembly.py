"""From options to a replica: what the process holds is put together here and nowhere else.

Invariant: every version named on the command line was tried before the server listens.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from maestro_cli.core.clock import SystemClock
from maestro_cli.serving.access.assembly import make_guard
from maestro_cli.serving.execution.predictions import PredictionCache
from maestro_cli.serving.execution.predictor import Predictor
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Entry, Repository, names_on_disk, versions_on_disk
from maestro_cli.serving.options import Options
from maestro_cli.serving.replica import Flights, ModelNews, Replica
from maestro_cli.serving.routing.file import RoutingFile
from maestro_cli.serving.routing.router import Router
from maestro_cli.serving.routing.shadow import Shadows
from maestro_cli.serving.telemetry.export import SpanExport
from maestro_cli.serving.telemetry.logs import Log
from maestro_cli.serving.telemetry.metrics import Metrics
from maestro_cli.serving.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from maestro_cli.serving.faults.injector import Injector

POD_VARIABLE = "POD_UID"  # set by the downward API, from metadata.uid


def assemble(options: Options, log: Log, executor: Executor) -> Replica:
    """A replica with its models loaded; one that was refused is in the repository with its reason.

    Raises InvalidFile when it cannot know who may call it.
    """
    guard, keys_file = make_guard(options.access, log)
    metrics = Metrics()
    metrics.watch_log(log.lost)
    predictor = Predictor(executor, cache=PredictionCache(options.cache_bytes))
    metrics.watch_predictions(predictor.cache)
    metrics.watch_runs(predictor)
    repository, memory = _models(options, ModelNews(metrics, log, predictor))
    metrics.watch_memory(memory)
    router = Router(repository, memory, predictor)
    routing_file = RoutingFile(options.routing, log) if options.routing is not None else None
    flights = Flights()
    metrics.watch_requests(lambda: flights.count)
    shadows = Shadows(repository, memory, log, is_busy=lambda: flights.count > 0)
    router.changed.append(lambda force: shadows.follow(force.routing))
    metrics.watch_shadows(shadows)
    if routing_file is not None:
        routing_file.read(router)
    return Replica(
        repository,
        memory,
        metrics,
        log,
        predictor,
        router,
        shadows,
        flights,
        _tracing(options, log, metrics),
        guard,
        keys_file,
        routing_file,
        options.timeout_seconds,
        injector=_injector(options, log, metrics),
        pod=os.environ.get(POD_VARIABLE, ""),
    )


def _models(options: Options, news: ModelNews) -> tuple[Repository, ModelMemory]:
    """What may be asked for, with what is required loaded."""
    required = [Entry(name, version, declared=True, required=True) for name, version in options.serve]
    repository = Repository([*required, *(_on_demand(options) if options.lazy else ())])
    memory = ModelMemory(
        options.models,
        repository,
        news,
        load_seconds=options.load_seconds,
        budget_bytes=options.memory_bytes,
    )
    for entry in required:
        memory.load_before_serving(entry)
    return repository, memory


def _tracing(options: Options, log: Log, metrics: Metrics) -> Tracing:
    """With a running export when an endpoint is named."""
    export = SpanExport(options.otlp_endpoint) if options.otlp_endpoint is not None else None
    if export is not None:
        metrics.watch_spans(export)
        export.start()
    return Tracing(log, options.trace_ratio, options.log_successes, export)


def _injector(options: Options, log: Log, metrics: Metrics) -> Injector | None:
    """None unless faults were asked for; raises StartRefused when they could not be recorded."""
    if options.fault_journal is None:
        return None
    from maestro_cli.serving.faults.injector import Injector  # nothing of it is loaded without drills
    from maestro_cli.serving.faults.journal import FaultJournal

    clock = SystemClock()
    injector = Injector(FaultJournal(options.fault_journal, clock.now()), log, clock)
    metrics.watch_faults(lambda: injector.counts)
    return injector


def _on_demand(options: Options) -> list[Entry]:
    """Every other version in the folder, to be loaded when it is asked for."""
    return [
        Entry(name, version)
        for name in names_on_disk(options.models)
        for version in versions_on_disk(options.models, name)
        if (name, version) not in options.serve
    ]
