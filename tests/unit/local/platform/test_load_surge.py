"""The load follows a surge that a file asks for, while that lasts and its asker lives; else it is as ever."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.local.load.surge import SurgeFollower, begin_surge, end_surge, surge_file
from maestro_cli.local.load.traffic import arrivals

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class SetClock:
    """A fake: what time it is, is set."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def written(state: Path, **other: Any) -> None:
    fields = {"schema": "maestro.surge/1", "factor": 4, "ends": to_rfc3339(NOW + timedelta(seconds=60))}
    file = surge_file(state)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({**fields, "pid": os.getpid(), **other}), encoding="utf-8")


def test_a_surge_begins_and_ends_by_itself_and_by_word(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    clock = SetClock()
    factor = SurgeFollower(surge_file(tmp_path), clock)
    assert factor() == 1
    begin_surge(tmp_path, 4, 30, clock.now())
    assert stat.S_IMODE(surge_file(tmp_path).stat().st_mode) == 0o600
    clock.sleep(1)
    assert factor() == 4
    clock.sleep(30)
    assert factor() == 1
    begin_surge(tmp_path, 3, 30, clock.now())
    clock.sleep(1)
    assert factor() == 3
    assert end_surge(tmp_path)
    clock.sleep(1)
    assert (factor(), end_surge(tmp_path)) == (1, False)


def test_the_surge_of_a_process_that_is_gone_is_over(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    written(tmp_path, pid=gone.pid)
    assert SurgeFollower(surge_file(tmp_path), SetClock())() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"factor": 11}, {"factor": 1}, {"factor": "4"}, {"ends": "soon"}, {"more": 1}, {"schema": "x"},
        {"pid": 0}, {"ends": to_rfc3339(NOW + timedelta(hours=1))},
    ],
)  # fmt: skip
def test_what_is_no_surge_within_bounds_changes_nothing(tmp_path: Path, other: dict[str, Any]) -> None:
    written(tmp_path)
    assert SurgeFollower(surge_file(tmp_path), SetClock())() == 4
    written(tmp_path, **other)
    assert SurgeFollower(surge_file(tmp_path), SetClock())() == 1


@pytest.mark.parametrize(("factor", "seconds"), [(1, 10), (11, 10), (2, 0), (2, 901)])
def test_a_surge_out_of_bounds_is_not_asked_for(tmp_path: Path, factor: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="at most 10 times"):
        begin_surge(tmp_path, factor, seconds, NOW)
    assert not surge_file(tmp_path).exists()


def test_the_factor_holds_from_the_next_request_on() -> None:
    factors = iter([1.0] * 5000 + [4.0] * 20_000)
    sent = list(islice(arrivals(1, 50, 10, lambda: next(factors)), 25_000))
    usual, more = sent[4999].offset_seconds, sent[-1].offset_seconds - sent[4999].offset_seconds
    assert usual == pytest.approx(100, rel=0.05)
    assert more == pytest.approx(100, rel=0.05)
