"""What Prometheus is told.

Invariant: label values come from the manifests, the routing, the keys file and HTTP status codes, never from
a client, and there are no more than MAX_ROUTES routes, so the number of series is bounded; a request that no
served version could be found for counts as `_unknown`, which no model can be called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from maestro_cli.serving.execution.predictions import PredictionCache
from maestro_cli.serving.execution.predictor import Predictor
from maestro_cli.serving.execution.timing import STAGES
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Entry
from maestro_cli.serving.routing.shadow import Shadows
from maestro_cli.serving.routing.trail import DIRECT, Trail
from maestro_cli.serving.telemetry.export import SpanExport
from maestro_cli.serving.telemetry.histogram import Distribution, Histogram
from maestro_cli.serving.telemetry.trace_context import TraceContext
from maestro_cli.serving.telemetry.watched import (
    FaultCounts,
    LostLines,
    PredictionCounts,
    RunCounts,
    ShadowCounts,
    SpanCounts,
    Together,
)

UNKNOWN = "_unknown"
CONSTANT = "constant"  # the version of an answer that is a constant of the routing; others are numbers
MIXED = "_mixed"  # the route of a request whose rows went several ways
OTHER = "_other"  # the route of a request that went another way than the first MAX_ROUTES
MAX_ROUTES = 256
BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
STAGE_BUCKETS_SECONDS = (1e-5, 1e-4, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 1.0, 10.0)


# name → what it counts, and its labels
_COUNTERS: Mapping[str, tuple[str, Sequence[str]]] = {
    "maestro_inference_requests": (
        "Inference requests answered, by the version that was resolved, HTTP status and route.",
        ("model", "version", "code", "route"),
    ),
    "maestro_inference_fallbacks": (
        "Answers of a version with that HTTP status that the next node of its route stood in for.",
        ("model", "version", "code"),
    ),
    "maestro_access_refused": (
        "Requests refused for who sent them: 401 nobody known, 403 a known key that may not.",
        ("code", "key"),
    ),
    "maestro_model_loads": (
        "Loads of model versions, by how they ended: loaded or refused.",
        ("model", "version", "result"),
    ),
    "maestro_model_drops": (
        "Model versions dropped from memory: evicted, unloaded, or replaced by a newer read.",
        ("why",),
    ),
}
# name → what it tells, its labels and its buckets
_HISTOGRAMS: Mapping[str, tuple[str, tuple[str, ...], Sequence[float]]] = {
    "maestro_inference_duration_seconds": (
        "Time from the request line to the complete answer, errors included.",
        ("model", "version"),
        BUCKETS_SECONDS,
    ),
    "maestro_inference_stage_seconds": (
        "Where the time of an answered request went: features, queue, infer, encode.",
        ("model", "version", "stage"),
        STAGE_BUCKETS_SECONDS,
    ),
    "maestro_event_loop_lag_seconds": (
        "How much later than it was due the event loop came to a timer, ten times a second.",
        (),
        LAG_BUCKETS_SECONDS,
    ),
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """The children that a request of one version, status and route counts in."""

    requests: Counter
    duration: Distribution
    stages: tuple[Distribution, ...]


class Metrics:
    """The series of one server; children are looked up once and kept."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._faults: Collector | None = None
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        counters = {
            name: Counter(name, text, labels, registry=self.registry)
            for name, (text, labels) in _COUNTERS.items()
        }
        histograms = {name: Histogram(name, *what) for name, what in _HISTOGRAMS.items()}
        for histogram in histograms.values():
            self.registry.register(histogram)
        self._requests = counters["maestro_inference_requests"]
        self._fallbacks = counters["maestro_inference_fallbacks"]
        self._access_refused = counters["maestro_access_refused"]
        self._loads = counters["maestro_model_loads"]
        self._drops = counters["maestro_model_drops"]
        self._durations = histograms["maestro_inference_duration_seconds"]
        self._stages = histograms["maestro_inference_stage_seconds"]
        self.loop_lag = histograms["maestro_event_loop_lag_seconds"].of()
        self._info = Gauge(
            "maestro_model_info",
            "1 for each loaded model version, with its artefact's SHA-256.",
            ("model", "version", "digest"),
            registry=self.registry,
        )
        self._seen: dict[tuple[str, str, int, str], _Seen] = {}
        self._routes = {DIRECT, MIXED, OTHER}
        for why in ("evicted", "unloaded", "replaced"):
            self._drops.labels(why)
        self._access_refused.labels("401", UNKNOWN)

    def watch_memory(self, memory: ModelMemory) -> None:
        """Show what the models take whenever the page is asked for."""
        self._show(
            "maestro_model_memory_bytes",
            "Memory that the loaded models take, measured.",
            lambda: memory.held_bytes,
        )
        self._show(
            "maestro_model_memory_reserved_bytes",
            "Memory that running loads are expected to take.",
            lambda: memory.reserved_bytes,
        )
        budget_bytes = memory.budget_bytes
        if budget_bytes is not None:
            self._show(
                "maestro_model_memory_budget_bytes",
                "Memory that models may take; absent without a limit.",
                lambda: budget_bytes,
            )

    def watch_requests(self, in_flight: Callable[[], int]) -> None:
        """Show how many requests are being answered whenever the page is asked for."""
        self._show("maestro_inference_in_flight", "Inference requests that are being answered.", in_flight)

    def watch_runs(self, predictor: Predictor) -> None:
        """Show what versions answered, in runs of how many rows, and what waits for them."""
        self.registry.register(predictor.run_rows)
        self.registry.register(RunCounts(predictor))

    def _show(self, name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(value)

    def watch_predictions(self, cache: PredictionCache) -> None:
        """Show the prediction cache's own counts whenever the page is asked for."""
        self.registry.register(PredictionCounts(cache))

    def watch_shadows(self, shadows: Shadows) -> None:
        """Show the shadows' own counts whenever the page is asked for."""
        self.registry.register(ShadowCounts(shadows))

    def watch_spans(self, export: SpanExport) -> None:
        """Show the span export's own counts whenever the page is asked for."""
        self.registry.register(SpanCounts(export))

    def watch_log(self, lost: Mapping[str, int]) -> None:
        """Show how many lines the log lost whenever the page is asked for."""
        self.registry.register(LostLines(lost))

    def watch_faults(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show how many faults of each kind are on to those who may know of drills' faults."""
        self._faults = FaultCounts(counts)

    def access_refused(self, code: int, key: str | None) -> None:
        """Count a request that its sender may not make; `key` is the id of a key that we know."""
        self._access_refused.labels(str(code), UNKNOWN if key is None else key).inc()

    def model_loaded(self, entry: Entry) -> None:
        """Have its series exist at 0, so that rate() sees the first error."""
        version = str(entry.version)
        self._loads.labels(entry.name, version, "loaded").inc()
        self._declare(entry.name, version)
        if entry.model is not None:
            self._info.labels(entry.name, version, entry.model.digest).set(1)

    def model_refused(self, entry: Entry) -> None:
        self._loads.labels(entry.name, str(entry.version), "refused").inc()
        self._declare(entry.name, str(entry.version))

    def model_dropped(self, entry: Entry, model: LoadedModel, why: str) -> None:
        """It is not loaded any more; what it has counted stays."""
        self._drops.labels(why).inc()
        if entry.model is None or entry.model.digest != model.digest:
            self._info.remove(entry.name, str(entry.version), model.digest)

    def _declare(self, model: str, version: str) -> None:
        for code in (200, 500):
            self._count(model, version, code)
        self._durations.of(model, version)

    def _count(self, model: str, version: str, code: int, route: str = DIRECT) -> Counter:
        return self._requests.labels(model, version, str(code), route)

    def _look_up(self, model: str, version: str, code: int, route: str) -> _Seen:
        if route not in self._routes and len(self._routes) >= MAX_ROUTES:
            route = OTHER
        self._routes.add(route)
        seen = _Seen(
            self._count(model, version, code, route),
            self._durations.of(model, version),
            tuple(self._stages.of(model, version, stage) for stage in STAGES) if code == 200 else (),
        )
        self._seen[model, version, code, route] = seen
        return seen

    def observe(self, trail: Trail, code: int, seconds: float) -> None:
        """Count one answered inference request; without a version it has no duration series.

        Stages are those of answers with 200 alone: a refused request has not been through all of them.
        """
        entry = trail.entry
        for failed, status in trail.failed:
            self._fallbacks.labels(failed.name, str(failed.version), str(status)).inc()
        if entry is not None:
            name, version = entry.name, str(entry.version)
        elif trail.is_constant:
            name, version = trail.name, CONSTANT
        else:
            self._count(UNKNOWN, UNKNOWN, code).inc()
            return
        route = MIXED if trail.is_spread else trail.route
        seen = self._seen.get((name, version, code, route)) or self._look_up(name, version, code, route)
        seen.requests.inc()
        seen.duration.observe(seconds, _exemplar(trail.trace, code))
        if code == 200:
            timing = trail.timing
            features, queue, infer, encode = seen.stages
            features.observe(timing.features)
            queue.observe(timing.queue)
            infer.observe(timing.infer)
            encode.observe(timing.encode)

    def exposition(self, accept: str, *, with_faults: bool = False) -> tuple[bytes, str]:
        """The page and its content type: OpenMetrics when the Accept header asks for it, else text."""
        encoder, content_type = choose_encoder(accept)
        faults = self._faults if with_faults else None
        return encoder(self.registry if faults is None else Together(self.registry, faults)), content_type


def _exemplar(trace: TraceContext, code: int) -> dict[str, str] | None:
    """The trace to look at for a bucket: one that is sampled, or was kept or logged because it failed."""
    return {"trace_id": trace.trace_id} if trace.is_sampled or code != 200 else None
