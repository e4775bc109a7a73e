"""A month has the windows of the workbook, other periods them in proportion, none too short to measure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.slo.windows import PROFILES, burn_windows, spans_of

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
SHARES = (0.02, 0.05, 0.1, 0.1)


@pytest.mark.parametrize(
    ("days", "factors"),
    [(30, (14.4, 6, 3, 1)), (28, (13.44, 5.6, 2.8, 0.933333333333)), (31, (14.88, 6.2, 3.1, 1.033333333333))],
)
def test_a_month_has_the_windows_of_the_workbook(days: int, factors: tuple[float, ...]) -> None:
    found = burn_windows(days * DAY)
    assert tuple(window.factor for window in found) == factors
    assert [window.long_seconds for window in found] == [HOUR, 6 * HOUR, DAY, 3 * DAY]
    assert [window.short_seconds for window in found] == [5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR]


@pytest.mark.parametrize(
    ("days", "minutes"),
    [(7, (15, 84, 336, 1008)), (90, (180, 1080, 4320, 12960)), (365, (730, 4380, 17520, 52560))],
)
def test_another_period_has_them_in_proportion(days: int, minutes: tuple[int, ...]) -> None:
    assert tuple(window.long_seconds / MINUTE for window in burn_windows(days * DAY)) == minutes


@given(st.integers(1, 800 * 24))
def test_the_factor_spends_the_share_in_the_long_window(hours: int) -> None:
    period = hours * HOUR
    found = burn_windows(period)
    for window, share in zip(found, SHARES, strict=True):
        assert window.factor * window.long_seconds / period == pytest.approx(share)
        assert 5 * MINUTE <= window.short_seconds < window.long_seconds
        assert window.long_seconds % MINUTE == window.short_seconds % MINUTE == 0
    assert list(spans_of(found)) == sorted(set(spans_of(found)))


@given(st.integers(7, 800))
def test_no_sustainable_pace_is_told_but_that_of_a_short_february(days: int) -> None:
    assert min(window.factor for window in burn_windows(days * DAY)) >= (0.93 if days < 30 else 0.999)


def test_a_rehearsal_has_the_same_windows_for_every_period() -> None:
    drill = PROFILES["drill"]
    assert drill.windows_for(7 * DAY) == drill.windows_for(90 * DAY) == drill.windows
    assert PROFILES["production"].windows_for(30 * DAY) == PROFILES["production"].windows
