"""How long a container was there, and how much of its time was measured."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_cli.cost.rightsizing.collecting import Collected, Sampled
from tests.unit.cost.rightsizing.usages import STEP

NOBODY = np.empty(0, dtype=np.int64)
HOUR = 3600.0


def sampled(first: float, hours: float) -> Sampled:
    """One pod that was measured for so many hours from `first` on."""
    times = first + STEP * (1 + np.arange(int(hours * HOUR / STEP), dtype=np.float64))
    return Sampled(np.full(len(times), 0.1), times, times, len(times), {}, {})


def test_pods_beside_each_other_are_there_once_and_after_each_other_as_long_as_both() -> None:
    beside, after = Collected(STEP), Collected(STEP)
    for pod, first in (("a", 0.0), ("b", 0.0)):
        beside.add_used(pod, sampled(first, 6))
    for pod, first in (("a", 0.0), ("b", 10 * HOUR)):
        after.add_used(pod, sampled(first, 6))
    assert [beside.hours, beside.pod_hours] == pytest.approx([6, 12])
    assert [after.hours, after.pod_hours] == pytest.approx([12, 12])
    assert (beside.first, after.first) == (0.0, 0.0)
    assert Collected(STEP).hours == 0.0


def test_hours_are_seen_by_its_own_samples_and_by_those_that_count_as_such() -> None:
    one = Collected(STEP)
    one.add_used("a", sampled(-1.0, 84))
    assert one.usage(NOBODY).cpu_seen.week == pytest.approx(0.5, abs=0.01)
    assert one.usage(NOBODY).memory_seen.week == 0.0
    watched = np.arange(168, dtype=np.int64)
    assert one.usage(watched).cpu_seen.week == 1.0
    assert one.usage(watched).memory_seen.week == 0.0
