"""W3C trace context: what is continued, what begins anew, and who is sampled."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.telemetry.trace_context import TraceContext, is_drawn, trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def read(*headers: tuple[str, str], ratio: float = 0.0) -> TraceContext:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return trace_of({"type": "http", "headers": raw}, ratio)


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (GOOD, True),
        (GOOD[:-2] + "00", False),
        (GOOD[:-2] + "ff", True),
        (f" {GOOD}\t", True),
        ("cc" + GOOD[2:], True),
        ("cc" + GOOD[2:] + "-what-the-future-will-be-like", True),
    ],
)
def test_a_trace_is_continued_as_its_caller_sampled_it(text: str, sampled: bool) -> None:
    trace = read(("traceparent", text), ("tracestate", "rojo=1 , congo=t61"), ratio=1.0)
    assert (trace.trace_id, trace.parent_id, trace.is_sampled) == (TRACE, PARENT, sampled)
    assert trace.state == "rojo=1,congo=t61"
    assert trace.span_id not in (PARENT, "")
    assert trace.traceparent == f"00-{TRACE}-{trace.span_id}-{'01' if sampled else '00'}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}0-{PARENT}-01",
        f"00-{TRACE}-{PARENT[:-1]}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01.",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"0-{TRACE}-{PARENT}-01",
        f"00_{TRACE}_{PARENT}_01",
        f"00-{TRACE}-{PARENT}-01, {GOOD}",
        "²²" + GOOD[2:],
    ],
)
def test_what_is_no_traceparent_begins_a_new_trace_without_its_state(text: str) -> None:
    trace = read(("traceparent", text), ("tracestate", "rojo=1"))
    assert trace.trace_id != TRACE
    assert (trace.parent_id, trace.state, trace.is_sampled) == ("", "", False)


def test_a_traceparent_that_came_twice_begins_a_new_trace() -> None:
    trace = read(("traceparent", GOOD), ("traceparent", GOOD), ("tracestate", "rojo=1"))
    assert trace.trace_id != TRACE
    assert trace.state == ""


@pytest.mark.parametrize(
    "state",
    [
        "no-equals",
        "UPPER=1",
        "a=1,a=2",
        "a=\x01",
        ",".join(f"k{n}=1" for n in range(33)),
        "a=" + "x" * 600,
        "a=",
    ],
)
def test_a_broken_tracestate_is_dropped_and_the_trace_continued(state: str) -> None:
    trace = read(("traceparent", GOOD), ("tracestate", state))
    assert (trace.trace_id, trace.state) == (TRACE, "")


def test_tracestate_of_several_headers_is_one_list() -> None:
    assert read(("traceparent", GOOD), ("tracestate", "a=1"), ("tracestate", "b=2,,")).state == "a=1,b=2"


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_hostile_headers_never_raise_and_what_goes_out_is_well_formed(parent: bytes, state: bytes) -> None:
    scope = {"type": "http", "headers": [(b"traceparent", parent), (b"tracestate", state)]}
    trace = trace_of(scope, 0.5)
    again = read(("traceparent", trace.traceparent))
    assert (again.trace_id, again.parent_id) == (trace.trace_id, trace.span_id)


def test_the_share_drawn_is_the_ratio_and_a_larger_one_holds_a_smaller() -> None:
    ids = [secrets.token_hex(16) for _ in range(4000)]
    tenth = {one for one in ids if is_drawn(one, 0.1)}
    half = {one for one in ids if is_drawn(one, 0.5)}
    assert 250 < len(tenth) < 560
    assert tenth < half
    assert all(is_drawn(one, 1.0) for one in ids)
    assert not any(is_drawn(one, 0.0) for one in ids)
