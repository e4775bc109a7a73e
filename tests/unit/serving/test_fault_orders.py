"""What can be ordered: bounds, scopes, hostile bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.errors import RequestError
from maestro_cli.serving.faults.model import KINDS, MAX_ORDER_BYTES, MAX_SECONDS, Number, read_order

NEEDED = {
    "latency": {"milliseconds": 5},
    "memory": {"ceiling_mebibytes": 1},
    "slow-drain": {"drain_seconds": 1},
}


def order(kind: str = "latency", **members: Any) -> bytes:
    body = {"kind": kind, "seconds": 5, "parameters": NEEDED.get(kind, {}), **members}
    return json.dumps(body).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_ordered_and_has_all_its_parameters(kind: str) -> None:
    found = read_order(order(kind))
    assert set(found.parameters) == set(KINDS[kind].parameters)
    assert found.scope.share == 1.0
    assert (found.scope.health, found.scope.admin) == (False, False)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"kind": "nothing"}, "no such kind"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": MAX_SECONDS + 1}, "every fault has an end"),
        ({"seconds": "5"}, "seconds"),
        ({"seconds": None}, "seconds"),
        ({"parameters": {}}, "milliseconds must be a number from 1"),
        ({"parameters": {"milliseconds": 60001}}, "milliseconds"),
        ({"parameters": {"milliseconds": "5"}}, "milliseconds"),
        ({"parameters": {"milliseconds": True}}, "not a fault's order"),
        ({"parameters": {"milliseconds": 5, "other": 1}}, "no parameter 'other'"),
        ({"parameters": {"milliseconds": 5, "at": "nowhere"}}, "at must be one of"),
        ({"kind": "error", "parameters": {"status": 200}}, "status"),
        ({"kind": "error", "parameters": {"status": 500.5}}, "a whole number"),
        ({"kind": "error", "parameters": {"text": "x" * 201}}, "text"),
        ({"kind": "crash", "parameters": {"code": 0}}, "code"),
        ({"kind": "cpu", "parameters": {"processes": 17}}, "processes"),
        ({"kind": "memory", "parameters": {"ceiling_mebibytes": 4096}}, "ceiling"),
        ({"kind": "memory", "parameters": {}}, "ceiling"),
        ({"kind": "cpu", "parameters": {}, "scope": {"model": "fraud"}}, "takes no scope"),
        ({"kind": "swapped-features", "parameters": {"first": 3, "second": 3}}, "same column"),
        ({"kind": "crash", "parameters": {}, "scope": {"health": True}}, "cannot reach"),
        ({"scope": {"share": 0}}, "share"),
        ({"scope": {"share": 1.5}}, "share"),
        ({"scope": {"version": 1}}, "needs its model"),
        ({"scope": {"modle": "fraud"}}, "modle"),
        ({"scope": {"header": {"name": "a b", "value": "x"}}}, "header"),
        ({"scope": {"header": {"name": "é", "value": "x"}}}, "header"),
        ({"scope": {"model": "x", "version": 1}, "parameters": {"milliseconds": 1, "at": "parse"}}, "parse"),
        ({"note": "x" * 201}, "note"),
        ({"seed": -1}, "seed"),
        ({"until": "for ever"}, "until"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_and_named(members: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_order(order(**members))
    assert caught.value.status == 400
    assert says in caught.value.text


def test_a_fault_without_an_end_is_refused() -> None:
    with pytest.raises(RequestError, match="seconds"):
        read_order(b'{"kind": "hang"}')


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'{"kind":"hang","seconds":NaN}']
)
def test_what_is_no_order_is_refused(content: bytes) -> None:
    with pytest.raises(RequestError):
        read_order(content)


def test_a_large_order_is_413() -> None:
    with pytest.raises(RequestError) as caught:
        read_order(b" " * (MAX_ORDER_BYTES + 1))
    assert caught.value.status == 413


def test_texts_for_users_are_made_visible() -> None:
    found = read_order(order("error", parameters={"text": "\x1b[2J\u202e"}, note="\x07"))
    assert "\x1b" not in str(found.parameters["text"])
    assert "\x07" not in found.note


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=6,
)
PARAMETERS = sorted({name for kind in KINDS.values() for name in kind.parameters})


@given(
    st.sampled_from(sorted(KINDS)),
    st.one_of(JSON, st.floats(allow_nan=False, allow_infinity=False)),
    st.dictionaries(st.sampled_from(PARAMETERS), JSON, max_size=3),
    JSON,
)  # fmt: skip
def test_whatever_is_accepted_is_within_bounds(kind: str, seconds: Any, parameters: Any, scope: Any) -> None:
    body = {"kind": kind, "seconds": seconds, "parameters": parameters}
    try:
        found = read_order(json.dumps({**body, **({"scope": scope} if scope else {})}).encode())
    except RequestError:
        return
    assert 0 < found.seconds <= MAX_SECONDS
    for name, what in KINDS[kind].parameters.items():
        if isinstance(what, Number):
            assert what.low <= found.number(name) <= what.high
