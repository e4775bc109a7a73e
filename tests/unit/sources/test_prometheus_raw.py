"""Samples as they were scraped: which Prometheus they are of, from when to when, and whether they are all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import MaestroError, NoData, Unreachable
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.unit.sources.test_prometheus import http

Serve = Callable[[bytes | Callable[[], Iterator[bytes]]], Any]
Ask = Callable[[Endpoint], RawPrometheus]
NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
T = NOON.timestamp()
MINUTE = timedelta(minutes=1)
AWAY = "https://metrics.example.com"
ONE = [
    {
        "metric": {"__name__": "r_total"},
        "values": [[T - 0.001, "1"], [T, "2"], [T + 59.999, "3"], [T + 60, "4"]],
    }
]


@pytest.fixture
def raw() -> Iterator[Ask]:
    with ExitStack() as stack:

        def start(endpoint: Endpoint) -> RawPrometheus:
            source = RawPrometheus(endpoint)
            stack.callback(source.close)
            return source

        yield start


def _matrix(found: list[Any], **more: object) -> bytes:
    data = {"resultType": "matrix", "result": found}
    return http(200, json.dumps({"status": "success", "data": data, **more}))


def _runtime(started: str) -> bytes:
    return http(200, json.dumps({"status": "success", "data": {"startTime": started}}))


def test_both_ends_are_asked_for_and_what_is_not_within_them_is_left_out(scripted: Serve, raw: Ask) -> None:
    """Version 3 leaves a sample out that is where a range begins, version 2 does not."""
    server = scripted(_matrix(ONE))
    (one,) = raw(Endpoint(server.url)).samples("r_total", NOON, NOON + MINUTE)
    assert (list(one.times), list(one.values)) == ([T, T + 59.999], [2.0, 3.0])
    assert b"r_total%5B60001ms%5D" in server.requests[-1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"warnings": ["no StoreAPIs matched\x1b[2J"]}, "no StoreAPIs matched"),
        ({"isPartial": True}, "partial"),
    ],
    ids=["warning", "partial"],
)
def test_an_answer_that_may_be_a_part_is_no_data_and_says_why(
    scripted: Serve, raw: Ask, more: dict[str, object], said: str
) -> None:
    source = raw(Endpoint(scripted(_matrix(ONE, **more)).url))
    for ask in (source.samples("x", NOON, NOON + MINUTE), source.steps("x", NOON, NOON + MINUTE, 60)):
        with pytest.raises(NoData) as caught:
            list(ask)
        assert said in caught.value.why
        assert "\x1b" not in caught.value.why


def test_a_hint_about_the_query_takes_nothing_from_its_answer(scripted: Serve, raw: Ask) -> None:
    hint = "PromQL info: metric might not be a counter"
    source = raw(Endpoint(scripted(_matrix(ONE, warnings=[hint], infos=["x"])).url))
    assert len(list(source.steps("x", NOON, NOON + MINUTE, 60))) == 1


@pytest.mark.parametrize(
    "values",
    [["1", "2.5", "18446744073709551616", "0.1", "5e-324"], ["1", "NaN", "+Inf", "-Inf", "-0"], []],
    ids=["numbers", "others", "none"],
)
def test_values_are_what_their_text_says(scripted: Serve, raw: Ask, values: list[str]) -> None:
    points = [[T + 60.125 * (index + 1), value] for index, value in enumerate(values)]
    server = scripted(_matrix([{"metric": {"a": '",["'}, "values": points}, *ONE]))
    one, other = raw(Endpoint(server.url)).steps("r", NOON, NOON + MINUTE, 60)
    assert list(one.times) == [at for at, _ in points]
    assert [repr(value) for value in one.values] == [repr(float(value)) for value in values]
    assert list(other.values) == [1, 2, 3, 4]


@pytest.mark.parametrize("points", [[[T, "1"], [T]], [[T, 1, 2]], [[T, "1,2"]], {"a": 1}])
def test_what_are_no_samples_is_an_error(scripted: Serve, raw: Ask, points: object) -> None:
    server = scripted(_matrix([{"metric": {}, "values": points}]))
    with pytest.raises(MaestroError, match="Prometheus"):
        list(raw(Endpoint(server.url)).steps("r", NOON, NOON + MINUTE, 60))


def test_who_waited_in_vain_waited_for_all_who_ask_in_as_long_a_time(blackhole: int) -> None:
    """The clock says 30 s for a wait that is none; what is not asked needs no second time."""
    clock = iter([0.0, 30.0, 31.0, 59.9, 60.0, 90.0])
    url = f"http://127.0.0.1:{blackhole}"
    source = RawPrometheus(Endpoint(url), timeout_seconds=0.1, monotonic=lambda: next(clock))
    with closing(source):
        errors = []
        for ask in (
            lambda: list(source.samples("x", NOON, NOON + MINUTE)),
            lambda: source.query("x", at=NOON),
            lambda: list(source.steps("x", NOON, NOON + MINUTE, 60)),
            lambda: source.query("x", at=NOON),
        ):
            with pytest.raises(Unreachable) as caught:
                ask()
            errors.append(caught.value)
    first, *others, again = errors
    assert [one.__cause__ for one in others] == [first, first]
    assert {(one.what, one.why, one.fix) for one in others} == {(first.what, first.why, first.fix)}
    assert again.__cause__ is not first, "after as long a time it is asked again"
    assert list(clock) == []


def test_everybody_who_is_answered_otherwise_has_another_identity(raw: Ask) -> None:
    users = [
        Endpoint(AWAY),
        Endpoint(f"{AWAY}/prometheus"),
        Endpoint("https://anna@metrics.example.com"),
        Endpoint(AWAY, username="1001", password="env:P"),
        Endpoint(AWAY, username="1002", password="env:P"),
        Endpoint(AWAY, token="env:A"),
        Endpoint(AWAY, token="env:B"),
    ]
    told = [raw(one).identity() for one in users]
    assert None not in told
    assert len(set(told)) == len(users)
    assert raw(users[-1]).identity() == told[-1]


def test_what_listens_on_this_machine_is_known_by_when_it_was_started(scripted: Serve, raw: Ask) -> None:
    server = scripted(_runtime("2026-10-01T08:00:00.123456789Z"))
    source = raw(Endpoint(server.url))
    first = source.identity()
    assert first is not None
    assert source.identity() == first
    server.answer = _runtime("2026-10-01T08:00:00.123456790Z")  # another one behind the same port
    assert source.identity() not in (None, first)


@pytest.mark.parametrize(
    "answer",
    [http(404, "no"), _runtime(""), _runtime("0001-01-01T00:00:00Z")],
    ids=["no such page", "untold", "no time"],
)
def test_what_listens_on_this_machine_and_does_not_say_when_it_started_is_not_known(
    scripted: Serve, raw: Ask, answer: bytes
) -> None:
    assert raw(Endpoint(scripted(answer).url)).identity() is None
