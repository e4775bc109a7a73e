"""Calls that nobody waits for any longer than they want."""

from __future__ import annotations

import threading

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted
from maestro_cli.sources.deadline import unless_cancelled
from tests.patience import PATIENCE_SECONDS


def test_a_call_that_ends_gives_its_result_or_its_error() -> None:
    assert unless_cancelled(Cancellation(), lambda: 7) == 7
    with pytest.raises(KeyError):
        unless_cancelled(Cancellation(), lambda: {"a": 1}["b"])


@pytest.mark.parametrize("seconds", [1000.0, 0.01], ids=["cancelled", "too slow"])
def test_who_does_not_wait_gets_away_and_a_late_result_is_handed_over(seconds: float) -> None:
    cancellation, go, came = Cancellation(), threading.Event(), threading.Event()

    def slow() -> str:
        if seconds > 1:
            cancellation.cancel()
        go.wait(PATIENCE_SECONDS)
        return "late"

    with pytest.raises(Interrupted if seconds > 1 else TimeoutError):
        unless_cancelled(cancellation, slow, seconds=seconds, late=lambda said: came.set())
    assert not came.is_set()
    go.set()
    assert came.wait(PATIENCE_SECONDS)
