"""Which trace a request belongs to: W3C trace context in and out, and what of it is kept.

Invariant: only a well-formed `traceparent` is continued; anything else begins a new trace, and its
`tracestate` is dropped with it. Whether a trace is sampled depends on its id alone, so that every server
of a request, and every sampled log line, decides alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from maestro_cli.serving.chance import random_hex
from maestro_cli.serving.protocol.http import Scope

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_STATE_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MAX_STATE_MEMBERS = 32
_MAX_STATE_CHARACTERS = 512
_RANDOM_DIGITS = 14  # the last of a trace id are random, by W3C level 2


def _new_trace_id() -> str:
    return random_hex(16)


def _new_span_id() -> str:
    return random_hex(8)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """`span_id` is this server's span, `parent_id` the caller's ("" without one), `state` its tracestate."""

    trace_id: str = field(default_factory=_new_trace_id)
    span_id: str = field(default_factory=_new_span_id)
    parent_id: str = ""
    is_sampled: bool = False
    state: str = ""

    @property
    def traceparent(self) -> str:
        """What goes out: this server's span, and whether it is sampled."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"


def trace_of(scope: Scope, ratio: float) -> TraceContext:
    """The trace that a request continues, sampled as its caller says; else a new one, sampled by ratio."""
    parents = [value.decode("latin-1") for key, value in scope["headers"] if key == b"traceparent"]
    found = _read(parents[0].strip(" \t")) if len(parents) == 1 else None
    if found is None:
        trace_id = _new_trace_id()
        return TraceContext(trace_id, is_sampled=is_drawn(trace_id, ratio))
    trace_id, parent_id, sampled = found
    states = [value.decode("latin-1") for key, value in scope["headers"] if key == b"tracestate"]
    return TraceContext(trace_id, parent_id=parent_id, is_sampled=sampled, state=_state(",".join(states)))


def is_drawn(trace_id: str, ratio: float) -> bool:
    """Whether a trace is in the sampled share of all; a larger share holds every smaller one."""
    if ratio >= 1.0:
        return True
    return int(trace_id[-_RANDOM_DIGITS:], 16) >= (1.0 - ratio) * 16.0**_RANDOM_DIGITS


def _read(text: str) -> tuple[str, str, bool] | None:
    """Trace, parent and the sampled flag; None when it is not a traceparent.

    A later version than 00 may say more behind a dash, as W3C asks; 00 may not, and ff is no version.
    """
    match = _PARENT.fullmatch(text)
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return trace_id, parent_id, bool(int(flags, 16) & 1)


def _state(text: str) -> str:
    """The list of members, or "" when it is not one or is larger than anybody has to carry."""
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > _MAX_STATE_MEMBERS or len(keys) < len(members) or len(text) > _MAX_STATE_CHARACTERS:
        return ""
    return ",".join(members) if all(_STATE_MEMBER.fullmatch(member) for member in members) else ""
