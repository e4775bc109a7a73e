"""What Prometheus is told.

Invariant: label values come from the manifests, the routing and HTTP status codes, never from a client, and
there are no more than MAX_ROUTES routes, so the number of series is bounded; a request that no served version
could be found for counts as `_unknown`, which no model can be called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from maestro_cli.serving.execution.predictions import PredictionCache
from maestro_cli.serving.execution.timing import STAGES
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Entry
from maestro_cli.serving.routing.shadow import Shadows
from maestro_cli.serving.routing.trail import DIRECT, Trail
from maestro_cli.serving.telemetry.export import SpanExport
from maestro_cli.serving.telemetry.histogram import Distribution, Histogram
from maestro_cli.serving.telemetry.trace_context import TraceContext

UNKNOWN = "_unknown"
CONSTANT = "constant"  # the version of an answer that is a constant of the routing; others are numbers
MIXED = "_mixed"  # the route of a request whose rows went several ways
OTHER = "_other"  # the route of a request that went another way than the first MAX_ROUTES
MAX_ROUTES = 256
BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STAGE_BUCKETS_SECONDS = (1e-5, 1e-4, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 1.0, 10.0)


class Metrics:
    """The series of one server; children are looked up once and kept."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._faults: Collector | None = None
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "maestro_inference_requests",
            "Inference requests answered, by the version that was resolved, HTTP status and route.",
            ["model", "version", "code", "route"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "maestro_inference_duration_seconds",
            "Time from the request line to the complete answer, errors included.",
            ("model", "version"),
            BUCKETS_SECONDS,
        )
        self._stages = Histogram(
            "maestro_inference_stage_seconds",
            "Where the time of an answered request went: features, queue, infer, encode.",
            ("model", "version", "stage"),
            STAGE_BUCKETS_SECONDS,
        )
        self.registry.register(self._durations)
        self.registry.register(self._stages)
        self._info = Gauge(
            "maestro_model_info",
            "1 for each loaded model version, with its artefact's SHA-256.",
            ["model", "version", "digest"],
            registry=self.registry,
        )
        self._counters: dict[tuple[str, str, int, str], Counter] = {}
        self._routes = {DIRECT, MIXED, OTHER}
        self._fallbacks = Counter(
            "maestro_inference_fallbacks",
            "Answers of a version with that HTTP status that the next node of its route stood in for.",
            ["model", "version", "code"],
            registry=self.registry,
        )
        self._stage_timers: dict[tuple[str, str], tuple[Distribution, ...]] = {}
        self._loads = Counter(
            "maestro_model_loads",
            "Loads of model versions, by how they ended: loaded or refused.",
            ["model", "version", "result"],
            registry=self.registry,
        )
        self._drops = Counter(
            "maestro_model_drops",
            "Model versions dropped from memory: evicted, unloaded, or replaced by a newer read.",
            ["why"],
            registry=self.registry,
        )
        self._model_bytes = Gauge(
            "maestro_model_memory_bytes",
            "Memory that the loaded models take, measured.",
            registry=self.registry,
        )
        self._budget_bytes = Gauge(
            "maestro_model_memory_budget_bytes",
            "Memory that models may take; absent without a limit.",
            registry=None,
        )
        for why in ("evicted", "unloaded", "replaced"):
            self._drops.labels(why)

    def watch_memory(self, memory: ModelMemory) -> None:
        """Show what the models take whenever the page is asked for."""
        self._model_bytes.set_function(lambda: memory.held_bytes)
        if memory.budget_bytes is not None:
            self.registry.register(self._budget_bytes)
            self._budget_bytes.set(memory.budget_bytes)

    def watch_predictions(self, cache: PredictionCache) -> None:
        """Show the prediction cache's own counts whenever the page is asked for."""
        self.registry.register(_PredictionCounts(cache))

    def watch_shadows(self, shadows: Shadows) -> None:
        """Show the shadows' own counts whenever the page is asked for."""
        self.registry.register(_ShadowCounts(shadows))

    def watch_spans(self, export: SpanExport) -> None:
        """Show the span export's own counts whenever the page is asked for."""
        self.registry.register(_SpanCounts(export))

    def watch_log(self, lost: Mapping[str, int]) -> None:
        """Show how many lines the log lost whenever the page is asked for."""
        self.registry.register(_LostLines(lost))

    def watch_faults(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show how many faults of each kind are on to those who may know of drills' faults."""
        self._faults = _FaultCounts(counts)

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
            self._counter(model, version, code)
        self._durations.of(model, version)

    def _counter(self, model: str, version: str, code: int, route: str = DIRECT) -> Counter:
        child = self._counters.get((model, version, code, route))
        if child is None:
            if route not in self._routes and len(self._routes) >= MAX_ROUTES:
                route = OTHER
            self._routes.add(route)
            child = self._requests.labels(model, version, str(code), route)
            self._counters[model, version, code, route] = child
        return child

    def _stage_timer(self, model: str, version: str) -> tuple[Distribution, ...]:
        key = (model, version)
        children = self._stage_timers.get(key)
        if children is None:
            children = tuple(self._stages.of(model, version, stage) for stage in STAGES)
            self._stage_timers[key] = children
        return children

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
            self._counter(UNKNOWN, UNKNOWN, code).inc()
            return
        self._counter(name, version, code, MIXED if trail.is_spread else trail.route).inc()
        self._durations.of(name, version).observe(seconds, _exemplar(trail.trace, code))
        if code == 200:
            timing = trail.timing
            features, queue, infer, encode = self._stage_timer(name, version)
            features.observe(timing.features)
            queue.observe(timing.queue)
            infer.observe(timing.infer)
            encode.observe(timing.encode)

    def exposition(self, accept: str, *, with_faults: bool = False) -> tuple[bytes, str]:
        """The page and its content type: OpenMetrics when the Accept header asks for it, else text."""
        encoder, content_type = choose_encoder(accept)
        faults = self._faults if with_faults else None
        return encoder(self.registry if faults is None else _Together(self.registry, faults)), content_type


def _exemplar(trace: TraceContext, code: int) -> dict[str, str] | None:
    """The trace to look at for a bucket: one that is sampled, or was kept or logged because it failed."""
    return {"trace_id": trace.trace_id} if trace.is_sampled or code != 200 else None


class _PredictionCounts(Collector):
    """Reads the cache's counts, so that a request pays nothing for telling them."""

    def __init__(self, cache: PredictionCache) -> None:
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        lookups = CounterMetricFamily(
            "maestro_prediction_cache_lookups",
            "Requests to deterministic models: answered from the cache, not found in it, not looked up.",
            labels=["result"],
        )
        for result, count in (
            ("hit", self._cache.hits),
            ("miss", self._cache.misses),
            ("bypass", self._cache.bypassed),
        ):
            lookups.add_metric([result], count)
        yield lookups
        yield GaugeMetricFamily(
            "maestro_prediction_cache_bytes", "Memory that kept answers take.", value=self._cache.held_bytes
        )


class _LostLines(Collector):
    """Reads what the log did not write."""

    def __init__(self, lost: Mapping[str, int]) -> None:
        self._lost = lost

    def collect(self) -> Iterator[Metric]:
        lines = CounterMetricFamily(
            "maestro_log_lines_lost", "Log lines not written: nobody read them, or too many of one message.",
            labels=["why"],
        )  # fmt: skip
        for why in ("full", "limited"):
            lines.add_metric([why], self._lost.get(why, 0))
        yield lines


class _SpanCounts(Collector):
    """Reads what became of traces that were to be exported."""

    def __init__(self, export: SpanExport) -> None:
        self._export = export

    def collect(self) -> Iterator[Metric]:
        traces = CounterMetricFamily(
            "maestro_trace_exports", "Traces of requests: sent, not taken by the collector, no room to wait.",
            labels=["result"],
        )  # fmt: skip
        for result in ("sent", "failed", "dropped"):
            traces.add_metric([result], getattr(self._export, result))
        yield traces


class _Together(Collector):
    """The series of two collectors, one after the other."""

    def __init__(self, *collectors: Collector) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        for collector in self._collectors:
            yield from collector.collect()


class _FaultCounts(Collector):
    """Reads which drills' faults are on."""

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        active = GaugeMetricFamily(
            "maestro_fault_active", "Faults for drills that are on now.", labels=["kind"]
        )
        for kind, count in self._counts().items():
            active.add_metric([kind], count)
        yield active


class _ShadowCounts(Collector):
    """Reads the shadows' counts; they are apart from every metric of users' requests."""

    def __init__(self, shadows: Shadows) -> None:
        self._shadows = shadows

    def collect(self) -> Iterator[Metric]:
        rows = CounterMetricFamily(
            "maestro_shadow_rows", "Rows that a shadow answered as users were answered, or not.",
            labels=["route", "result"],
        )  # fmt: skip
        missed = CounterMetricFamily(
            "maestro_shadow_missed", "Requests that a shadow failed, or that were dropped before it.",
            labels=["route", "why"],
        )  # fmt: skip
        for route, (agreed, disagreed, failed, dropped) in self._shadows.counts().items():
            rows.add_metric([route, "agree"], agreed)
            rows.add_metric([route, "disagree"], disagreed)
            missed.add_metric([route, "failed"], failed)
            missed.add_metric([route, "dropped"], dropped)
        yield rows
        yield missed
