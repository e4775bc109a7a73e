"""The load hides nothing: neither a failure, nor a wrong answer, nor the time that a stalled server costs."""

from __future__ import annotations

import socket
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.local.load.traffic import Arrival
from tests.bench.serving import load
from tests.bench.serving.echo import _Client
from tests.bench.serving.load import Outcome, all_at_once, schedule, send
from tests.unit.bench.scripted_server import BODIES, ok, serving

STALL_SECONDS = 0.3


def spaced(count: int, seconds: float = 0.01) -> list[Arrival]:
    return [Arrival(number * seconds, number % len(BODIES)) for number in range(count)]


def assert_everyone_is_counted(outcome: Outcome) -> None:
    assert len(outcome.latencies) + outcome.failed == outcome.intended


@given(st.integers(0, 2**32), st.floats(1, 300), st.floats(0.1, 5))
def test_a_seed_has_one_schedule_and_it_ends_in_time(seed: int, rate: float, seconds: float) -> None:
    plan = schedule(seed, rate, seconds, 7)
    assert plan == schedule(seed, rate, seconds, 7)
    assert all(a.offset_seconds <= b.offset_seconds < seconds for a, b in pairwise(plan))
    assert all(0 <= one.body < 7 for one in plan)


def test_a_schedule_has_its_rate_and_differs_by_seed() -> None:
    plan = schedule(1, 500, 20, 7)
    assert abs(len(plan) - 10_000) < 5 * 10_000**0.5  # five standard deviations of a Poisson count
    gaps = [b.offset_seconds - a.offset_seconds for a, b in pairwise(plan)]
    assert sum(gap > 1 / 500 for gap in gaps) / len(gaps) == pytest.approx(
        0.368, abs=0.03
    )  # e⁻¹: no metronome
    assert plan != schedule(2, 500, 20, 7)


def test_right_answers_are_latencies_and_nothing_else() -> None:
    with serving(lambda number, _: ok(b"yes")) as target:
        outcome = send(target, spaced(20), connections=1)
    assert (len(outcome.latencies), outcome.failed) == (20, 0)
    assert all(latency > 0 for latency in outcome.latencies)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ok(b"no"), "wrong"),
        (ok(b"yes", b"500 Internal Server Error"), "status 500"),
        (ok(b"yes", b"429 Too Many Requests"), "status 429"),
        (None, "closed by the server"),
        (ok(b"yes") + ok(b"yes"), "more came than one answer"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "not an answer with a length: b'HTTP/1.1 200 OK'"),
        (b"SSH-2.0\r\n\r\n", "not an answer with a length: b'SSH-2.0'"),
    ],
)
def test_a_failure_is_counted_with_its_reason_and_the_others_go_on(answer: bytes | None, reason: str) -> None:
    with serving(lambda number, _: answer if number == 3 else ok(b"yes")) as target:
        outcome = send(target, spaced(10), connections=1)
    assert dict(outcome.failures) == {reason: 1}
    assert_everyone_is_counted(outcome)


def test_who_is_never_answered_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0.2)
    with serving(lambda number, _: ok(b"yes") if number < 4 else b"") as target:
        outcome = send(target, spaced(10), connections=1)
    assert dict(outcome.failures) == {"not answered": 6}
    assert_everyone_is_counted(outcome)


def test_an_answer_in_pieces_is_one_answer() -> None:
    def script(number: int, connection: socket.socket) -> bytes:
        whole = ok(b"yes")
        for place in range(len(whole) - 1):
            connection.sendall(whole[place : place + 1])
        return whole[-1:]

    with serving(script) as target:
        outcome = send(target, spaced(5), connections=1)
    assert (len(outcome.latencies), outcome.failed) == (5, 0)


def test_whoever_was_meant_to_be_sent_during_a_stall_has_waited_for_its_end() -> None:
    """A generator that counted from the moment it could send would see one slow request in forty."""
    pause = threading.Event()

    def script(number: int, _: socket.socket) -> bytes:
        if number == 0:
            pause.wait(STALL_SECONDS)
        return ok(b"yes")

    plan = spaced(40)
    with serving(script) as target:
        outcome = send(target, plan, connections=1)
    assert outcome.failed == 0
    for arrival, latency in zip(plan, outcome.latencies, strict=True):
        assert latency >= STALL_SECONDS - arrival.offset_seconds
    assert outcome.at(0.5) > STALL_SECONDS / 4
    assert max(outcome.lateness) > STALL_SECONDS / 2


def test_all_at_once_is_due_at_once() -> None:
    plan = all_at_once(5, 3)
    assert [(one.offset_seconds, one.body) for one in plan] == [(0, 0), (0, 1), (0, 2), (0, 0), (0, 1)]


@given(st.integers(1, 5), st.integers(1, 40))
def test_the_static_server_counts_requests_however_they_are_cut(count: int, size: int) -> None:
    stream = load.request_bytes("/x", 1, b"some body") * count
    client = _Client(socket.socket())
    with client.socket:
        parts = [stream[place : place + size] for place in range(0, len(stream), size)]
        assert sum(client.complete(part) for part in parts) == count
        assert client.complete(stream[:-1]) == count - 1
        assert client.complete(stream[-1:]) == 1
