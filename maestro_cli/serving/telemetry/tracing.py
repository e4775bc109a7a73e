"""What is told of each answered request: a span, and a line for a share of the successes.

Invariant: it is told after the answer was sent; a failure is always kept, a success by its trace's id.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.serving.protocol.http import Scope
from maestro_cli.serving.telemetry.export import SpanExport
from maestro_cli.serving.telemetry.logs import Log
from maestro_cli.serving.telemetry.spans import Finished
from maestro_cli.serving.telemetry.trace_context import TraceContext, is_drawn, trace_of

_LAST_SPANS_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Tracing:
    """`ratio` is the share of new traces that is sampled, `log_ratio` that of successes with a line."""

    log: Log
    ratio: float = 0.0
    log_ratio: float = 0.0
    export: SpanExport | None = None

    def begin(self, scope: Scope) -> TraceContext:
        """The trace of a request that has just come."""
        return trace_of(scope, self.ratio)

    def wants(self, trace: TraceContext, status: int) -> bool:
        """Whether anything will be told of a request that ended so; most are not told of at all."""
        return (self.export is not None and (trace.is_sampled or status >= 429)) or (
            self.log_ratio > 0 and status == 200 and is_drawn(trace.trace_id, self.log_ratio)
        )

    def tell(self, request: Finished) -> None:
        """Call it once the answer's last byte was handed over."""
        trail, trace = request.trail, request.trace
        if self.export is not None and (trace.is_sampled or request.has_failed):
            self.export.offer(request)
        if request.status == 200 and self.log_ratio and is_drawn(trace.trace_id, self.log_ratio):
            self.log.info(
                "inference answered",
                model=trail.entry.name if trail.entry is not None else None,
                version=str(trail.entry.version) if trail.entry is not None else None,
                status=200,
                route=trail.route,
                decision=trail.decision,
                trace_id=trace.trace_id,
                seconds=round(request.ended - request.began, 6),
            )

    def close(self) -> None:
        """Send the last spans, for a few seconds at most."""
        if self.export is not None:
            self.export.close(_LAST_SPANS_SECONDS)
