"""Series of counts that others keep, read when the page is asked for: a request pays nothing for them.

Invariant: nothing here is counted twice or changed; each collector tells what its owner counted so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from maestro_cli.serving.execution.predictions import PredictionCache
from maestro_cli.serving.execution.predictor import Predictor
from maestro_cli.serving.routing.shadow import Shadows
from maestro_cli.serving.telemetry.export import SpanExport


class RunCounts(Collector):
    """Reads what versions answered, and what waits for them."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def collect(self) -> Iterator[Metric]:
        rows = CounterMetricFamily(
            "maestro_inference_rows", "Rows that a version answered, from the prediction cache too.",
            labels=["model", "version"],
        )  # fmt: skip
        waiting = GaugeMetricFamily(
            "maestro_inference_waiting_rows", "Rows that wait for a run of their version.",
            labels=["model", "version"],
        )  # fmt: skip
        wait = self._predictor.waiting_rows()
        for which, answered in self._predictor.answered.items():
            rows.add_metric(which, answered.rows)
            waiting.add_metric(which, wait.get(which, 0))
        yield rows
        yield waiting


class PredictionCounts(Collector):
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


class LostLines(Collector):
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


class SpanCounts(Collector):
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


class Together(Collector):
    """The series of two collectors, one after the other."""

    def __init__(self, *collectors: Collector) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        for collector in self._collectors:
            yield from collector.collect()


class FaultCounts(Collector):
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


class ShadowCounts(Collector):
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
        yield GaugeMetricFamily(
            "maestro_shadow_waiting",
            "Requests that wait to be shown to a shadow.",
            value=self._shadows.waiting,
        )
