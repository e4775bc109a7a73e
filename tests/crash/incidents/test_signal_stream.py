"""A stream of signals while watchers are killed: none lost, none doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.incidents.signal_worker import WORKLOADS, stream_with_kills

pytestmark = pytest.mark.crash


def test_of_a_stream_of_signals_none_is_lost_or_doubled_whenever_watchers_are_killed(tmp_path: Path) -> None:
    """`make bench-incidents` does the same with a hundred thousand."""
    came = stream_with_kills(tmp_path / "journal.db", 5000, kills=4, seed=7)
    assert (came.lost, came.doubled, came.doubled_keys) == (0, 0, 0)
    assert came.incidents == WORKLOADS
    assert came.is_intact
