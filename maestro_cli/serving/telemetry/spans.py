"""The spans of one request, made from what it met after it was answered.

Invariant: a request pays for two random ids; everything here happens after its answer was sent, and most of
it on another thread. The names are OpenTelemetry's HTTP and feature-flag conventions, the rest `maestro.`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from maestro_cli.serving.chance import random_hex
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.telemetry.trace_context import TraceContext

PHASES = ("features", "route", "encode")
Attributes = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Span:
    """Times are nanoseconds since 1970; `parent_id` is "" for the first of a trace."""

    name: str
    span_id: str
    parent_id: str
    begin_ns: int
    end_ns: int
    attributes: Attributes = field(default_factory=dict)
    is_server: bool = False
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that was answered: `began` and `ended` are perf_counter seconds, `ended_ns` wall clock."""

    trail: Trail
    method: str
    template: str
    path: str
    scheme: str
    status: int
    began: float
    ended: float
    ended_ns: int

    @property
    def trace(self) -> TraceContext:
        return self.trail.trace

    @property
    def has_failed(self) -> bool:
        """Whether the server failed its caller: such a trace is kept whatever the sampling says."""
        return self.status >= 500 or self.status == 429

    def at_ns(self, moment: float) -> int:
        """A perf_counter moment of this request on the wall clock."""
        return self.ended_ns - round((self.ended - moment) * 1e9)


def spans_of(request: Finished) -> Iterator[Span]:
    """The request's span, then features, route with queue and infer inside, encode: those it came to.

    Queue and infer have their measured lengths, laid at the end of the route: a request that asked several
    models has the sum of each.
    """
    trail, trace = request.trail, request.trace
    yield Span(
        f"{request.method} {request.template}",
        trace.span_id,
        trace.parent_id,
        request.at_ns(request.began),
        request.ended_ns,
        _request_attributes(request),
        is_server=True,
        is_error=request.status >= 500,
    )
    for name, (begin, end) in zip(PHASES, pairwise([*trail.marks, request.ended]), strict=False):
        span_id = random_hex(8)
        attributes = _route_attributes(trail) if name == "route" else {}
        yield Span(name, span_id, trace.span_id, request.at_ns(begin), request.at_ns(end), attributes)
        if name == "route":
            yield from _run_spans(request, span_id, begin, end)


def _run_spans(request: Finished, route_id: str, begin: float, end: float) -> Iterator[Span]:
    timing = request.trail.timing
    infer_begin = max(begin, end - timing.infer)
    queue_begin = max(begin, infer_begin - timing.queue)
    if timing.queue:
        yield Span("queue", random_hex(8), route_id, request.at_ns(queue_begin), request.at_ns(infer_begin))
    if timing.infer:
        yield Span(
            "infer",
            random_hex(8),
            route_id,
            request.at_ns(infer_begin),
            request.at_ns(end),
            _model_attributes(request.trail),
        )


def _request_attributes(request: Finished) -> Attributes:
    attributes: dict[str, str | int | bool] = {
        "http.request.method": request.method,
        "http.route": request.template,
        "http.response.status_code": request.status,
        "url.path": request.path,
        "url.scheme": request.scheme,
        "maestro.decision": request.trail.decision,
        **_model_attributes(request.trail),
    }
    if request.status >= 500:
        attributes["error.type"] = str(request.status)
    return attributes


def _model_attributes(trail: Trail) -> Attributes:
    entry = trail.entry
    if entry is None:
        return {}
    found: dict[str, str | int | bool] = {
        "maestro.model.name": entry.name,
        "maestro.model.version": str(entry.version),
    }
    if trail.served:
        found["maestro.model.served"] = trail.served_by
    return found


def _route_attributes(trail: Trail) -> Attributes:
    """A route is evaluated as a feature flag is: which variant, and whether a document chose it."""
    return {
        "feature_flag.key": trail.entry.name if trail.entry is not None else "",
        "feature_flag.result.variant": trail.route,
        "feature_flag.result.reason": "split" if trail.arms else "static" if trail.is_routed else "default",
        "feature_flag.context.id": trail.decision,
    }
