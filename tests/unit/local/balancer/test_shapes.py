"""What leases do to a way: those in force add up, and one that is over, wrong or endless does nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from maestro_cli.core.fault_leases import PREFIX, FaultLease, annotation_of, read_leases
from maestro_cli.local.balancer.shapes import KIND, Shape, shape_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def lease(note: str = "chg-1", seconds: float = 60, kind: str = KIND, **parameters: float) -> FaultLease:
    return FaultLease(note, kind, NOW + timedelta(seconds=seconds), parameters)


def test_a_lease_is_read_as_it_was_written() -> None:
    made = lease(milliseconds=5, partition=1)
    name, text = annotation_of(made)
    assert name == f"{PREFIX}chg-1"
    assert read_leases({name: text, "other": text}) == (made,)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"kind": "link"}', '{"kind": "link", "ends": "never", "parameters": {}}',
     '{"kind": "link", "ends": "2026-11-01T00:00:00Z", "parameters": {"loss": "much"}}',
     '{"kind": "link", "ends": "2026-11-01T00:00:00Z", "parameters": {"loss": -1}}',
     '{"kind": "link", "ends": "2026-11-01T00:00:00Z", "parameters": {"loss": NaN}}',
     '{"kind": "link", "ends": "2026-11-01T00:00:00Z", "parameters": []}', "[" * 5000],
)  # fmt: skip
def test_what_is_no_lease_is_passed_over(text: str) -> None:
    assert read_leases({f"{PREFIX}chg-1": text}) == ()


def test_what_is_in_force_together_adds_up() -> None:
    both = (lease(milliseconds=100, loss=0.5), lease("chg-2", milliseconds=50, loss=0.5, bytes_per_second=9))
    assert shape_of(both, NOW) == Shape(delay_seconds=0.15, loss=0.75, bytes_per_second=9)


@pytest.mark.parametrize("seconds", [0, -1, 100_000])
def test_a_lease_that_is_over_or_has_no_near_end_does_nothing(seconds: float) -> None:
    assert shape_of((lease(seconds=seconds, partition=1),), NOW) is None


def test_faults_of_another_kind_do_nothing_to_the_way() -> None:
    assert shape_of((lease(kind="cpu", cores=1),), NOW) is None


def test_delay_and_jitter_are_of_what_goes_to_the_pod_alone() -> None:
    shape = Shape(delay_seconds=0.1, jitter_seconds=0.1)
    assert 0.1 <= shape.lateness(Random(1), to_pod=True) <= 0.2
    assert shape.lateness(Random(1), to_pod=False) == 0


def test_a_loss_costs_a_retransmission_each_twice_as_long() -> None:
    assert Shape(loss=1.0).lateness(Random(1), to_pod=False) == pytest.approx(0.2 * (2**6 - 1))
    assert Shape(loss=0.0).lateness(Random(1), to_pod=False) == 0
