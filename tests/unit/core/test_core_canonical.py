"""One value has one canonical text, and that text reads back as the same value."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.canonical import canonical_json, digest, plain
from maestro_cli.core.untrusted import Untrusted

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclass(frozen=True)
class Point:
    x: int
    colour: Colour


@given(JSON_VALUES)
def test_the_text_reads_back_as_the_value(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(JSON_VALUES)
def test_a_text_that_is_read_and_written_again_is_the_same(value: Any) -> None:
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


@given(JSON_VALUES)
def test_it_is_the_text_that_any_json_library_writes(value: Any) -> None:
    spelt = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    assert canonical_json(value) == spelt


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_count(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(turned) == canonical_json(value)
    assert digest(turned) == digest(value)


@given(JSON_VALUES, JSON_VALUES)
def test_different_texts_have_different_digests(left: Any, right: Any) -> None:
    assert (digest(left) == digest(right)) == (canonical_json(left) == canonical_json(right))


def test_it_is_compact_and_keeps_characters() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(1, Colour.RED), {"x": 1, "colour": "red"}),
        ({Colour.RED: 1, Level.HIGH: 2}, {"red": 1, "3": 2}),
        ((1, 2), [1, 2]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({1, "a", None}), ["a", 1, None]),
        (PurePosixPath("/a/b"), "/a/b"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
    ],
)
def test_what_maestro_uses_becomes_plain(value: object, expected: object) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize("value", [Untrusted("x"), Level.HIGH, Colour.RED])
def test_plain_values_have_exact_types(value: object) -> None:
    assert type(plain(value)) in (str, int)


@pytest.mark.parametrize("value", [b"x", object(), {"a": object()}, {(1, 2): 1}, {1: "a", "1": "b"}])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_a_number_that_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        canonical_json({"at": datetime(2026, 1, 1)})
