"""Sends spans to an OpenTelemetry collector, beside the serving.

Invariant: handing over a request never waits and never raises: what does not fit into the queue is dropped
and counted. OpenTelemetry's library is loaded here alone, on this thread, when an endpoint was named.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from maestro_cli import __version__
from maestro_cli.serving.background import step_back
from maestro_cli.serving.telemetry.spans import Finished, Span, spans_of
from maestro_cli.serving.telemetry.trace_context import TraceContext

if TYPE_CHECKING:
    from collections.abc import Sequence

QUEUE_LENGTH = 2048  # requests
_BATCH_REQUESTS = 128
_PAUSE_SECONDS = 1.0
_POST_SECONDS = 5.0
_TRACES_PATH = "/v1/traces"


class SpanExport:
    """One queue and one thread; `sent`, `failed` and `dropped` count requests, each with all its spans."""

    def __init__(self, endpoint: str, *, queue_length: int = QUEUE_LENGTH) -> None:
        whole = endpoint.rstrip("/")
        self.url = whole if whole.endswith(_TRACES_PATH) else whole + _TRACES_PATH
        self._queue: deque[Finished] = deque()
        self._queue_length = queue_length
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self.sent = self.failed = self.dropped = 0

    def start(self) -> None:
        self._thread.start()

    def offer(self, request: Finished) -> None:
        """Hand over one answered request."""
        if len(self._queue) >= self._queue_length:
            self.dropped += 1
            return
        self._queue.append(request)
        if len(self._queue) >= _BATCH_REQUESTS:
            self._wake.set()

    def close(self, seconds: float) -> None:
        """Send what is left, for at most that long."""
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        step_back()
        wire = _Wire(self.url)
        while not (self._ending.is_set() and not self._queue):
            self._wake.wait(_PAUSE_SECONDS)
            if not self._ending.is_set():
                self._wake.clear()
            while self._queue:
                self._send(wire)

    def _send(self, wire: _Wire) -> None:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH_REQUESTS))]
        try:
            arrived = wire.send(batch)
        except Exception:  # noqa: BLE001 - whatever the library raises, the thread goes on
            arrived = False
        if arrived:
            self.sent += len(batch)
        else:
            self.failed += len(batch)


class _Wire:
    """OpenTelemetry's own encoder and HTTP exporter."""

    def __init__(self, url: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource

        self._exporter = OTLPSpanExporter(endpoint=url, timeout=_POST_SECONDS)
        self._resource = Resource.create({"service.name": "maestro-serving", "service.version": __version__})

    def send(self, batch: Sequence[Finished]) -> bool:
        """Whether the collector took them; the library tries again for a few seconds."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        spans = [self._readable(request.trace, span) for request in batch for span in spans_of(request)]
        return bool(self._exporter.export(spans) is SpanExportResult.SUCCESS)

    def _readable(self, trace: TraceContext, span: Span) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState
        from opentelemetry.trace.status import Status, StatusCode

        def context(span_id: str, *, is_remote: bool) -> SpanContext:
            state = TraceState.from_header([trace.state] if trace.state else [])
            flags = TraceFlags(TraceFlags.SAMPLED)  # what is sent was kept, by ratio or for its failure
            return SpanContext(int(trace.trace_id, 16), int(span_id, 16), is_remote, flags, state)

        return ReadableSpan(
            span.name,
            context=context(span.span_id, is_remote=False),
            parent=context(span.parent_id, is_remote=span.is_server) if span.parent_id else None,
            resource=self._resource,
            attributes=dict(span.attributes),
            kind=SpanKind.SERVER if span.is_server else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR) if span.is_error else Status(StatusCode.UNSET),
            start_time=span.begin_ns,
            end_time=span.end_ns,
        )
