"""Instants are UTC inside: their text sorts as they do and reads back unchanged."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.clock import SystemClock, from_rfc3339, seconds_between, to_rfc3339

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(INSTANTS)
def test_the_text_reads_back_as_the_instant(instant: datetime) -> None:
    assert from_rfc3339(to_rfc3339(instant)) == instant


@given(INSTANTS, INSTANTS)
def test_the_text_sorts_as_the_instants_do(left: datetime, right: datetime) -> None:
    assert (to_rfc3339(left) < to_rfc3339(right)) == (left < right)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
        ("2026-01-01T00:00:00.5-01:00", "2026-01-01T01:00:00.500000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),  # Go's zero time
    ],
)
def test_what_go_writes_is_read(text: str, expected: str) -> None:
    assert to_rfc3339(from_rfc3339(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+05:00"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_rfc3339(text)


@given(st.text())
def test_reading_raises_nothing_but_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert from_rfc3339(text).tzinfo is UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_rfc3339(datetime(2026, 1, 1))


def test_seconds_between_counts_across_zones() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = datetime(2026, 1, 1, 2, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    assert seconds_between(start, end) == 1.0


def test_the_system_clock_is_aware_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
