"""Durations and quantities mean what people, Prometheus and Kubernetes mean by them."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.quantities import (
    counted,
    format_duration,
    format_share,
    parse_duration_seconds,
    parse_quantity,
    prometheus_duration,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("0", 0), ("1.5h", 5400), ("30d", 2592000)],
)
def test_a_duration_is_its_seconds(text: str, seconds: float) -> None:
    assert parse_duration_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "5m5m", "5m1h", "5x", "٣s", "1e3s", "9" * 400 + "s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration_seconds(text)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.2461, "24.6%"), (1.0, "100.0%"), (0.0, "0.0%"), (-0.0, "0.0%"), (-0.0004, "-0.04%"),
        (0.000012, "0.001%"), (-1e-12, "0.0%"), (-2.5, "-250.0%"), (-998.977, "under -1000%"),
    ],
)  # fmt: skip
def test_a_share_is_told_from_none_and_none_has_no_sign(share: float, text: str) -> None:
    assert format_share(share) == text


@given(st.integers(min_value=1, max_value=10**12))
def test_a_prometheus_duration_reads_back(milliseconds: int) -> None:
    text = prometheus_duration(milliseconds / 1000)
    assert parse_duration_seconds(text) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5m"), (90, "90s"), (86400, "1d"), (0.25, "250ms"), (129600, "36h")]
)
def test_a_prometheus_duration_is_short(seconds: float, text: str) -> None:
    assert prometheus_duration(seconds) == text


@given(st.text())
def test_reading_a_duration_raises_nothing_but_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_duration_seconds(text))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"), (-0.0, "0.0s"), (-0.01, "0.0s"), (0.42, "0.4s"), (9.94, "9.9s"), (9.96, "10s"),
        (59.4, "59s"), (59.6, "1m00s"), (185, "3m05s"), (3599.7, "1h00m"), (7800, "2h10m"),
        (86399.6, "1d00h"), (356400, "4d03h"), (-90, "-1m30s"), (math.nan, "unknown"), (math.inf, "unknown"),
    ],
)  # fmt: skip
def test_a_duration_for_people_has_two_units_at_most(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", 0.25),
        ("1.5", 1.5),
        ("64Mi", 64 * 2**20),
        ("1E", 1e18),
        ("1e3", 1000.0),
        (".5", 0.5),
        (2, 2.0),
    ],
)
def test_a_kubernetes_quantity_is_its_number(text: str | int, value: float) -> None:
    assert parse_quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "x", "1 Mi", "1mi", "--1", "1e999", "٣"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(("number", "text"), [(0, "0 pods"), (1, "1 pod"), (2, "2 pods")])
def test_one_of_a_thing_is_not_many(number: int, text: str) -> None:
    assert counted(number, "pod") == text
