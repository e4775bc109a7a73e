"""Bounds and targets of autoscalers are suggested with their evidence, and never set by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_cli.cost.rightsizing.advice import Suggestion
from maestro_cli.cost.rightsizing.autoscaler_advice import growth_of
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Autoscaler, Facts
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, ContainerId, OutOfMemory, Size, Usage, WorkloadId
from maestro_cli.cost.rightsizing.sizing import advise
from tests.unit.cost.rightsizing.usages import DAY, STEP, usage

API = WorkloadId("shop", "Deployment", "api")
MAIN = ContainerId(API, "main")


def suggested(autoscaler: Autoscaler, used: Usage | None = None, *, killed: bool = False) -> list[Suggestion]:
    facts = Facts(
        {MAIN: Size(0.25, None, 220 * MIB, None)}, {API: 3}, {API: autoscaler}, endings=frozenset({MAIN}),
        kills={MAIN: OutOfMemory(0.0, None)} if killed else {},
    )  # fmt: skip
    measured = [Measured(MAIN, used or usage(), KrrSeries(), 1.0, 1.0)]
    return list(advise(API, measured, facts, (), Looked(14 * DAY)).suggestions)


def test_load_that_doubles_within_five_minutes_needs_a_target_of_half_of_90() -> None:
    (found,) = suggested(Autoscaler("api", 2, 10, 70.0), usage([0.2, 0.1]))
    assert (found.code, found.move and found.move.cpu) == ("autoscaler-target", 45)
    assert found.facts[0].value == pytest.approx(2.0)
    assert "grows up to 2.00 times" in found.text


def test_a_target_that_is_nearly_right_is_left_alone() -> None:
    assert suggested(Autoscaler("api", 2, 10, 48.0), usage([0.2, 0.1])) == []
    assert suggested(Autoscaler("api", 2, 10, 85.0)) == []


def test_steady_load_may_use_more_but_not_where_a_cut_is_forbidden() -> None:
    (found,) = suggested(Autoscaler("api", 2, 10, 50.0))
    assert found.move is not None
    assert found.move.cpu == 90
    wide = Autoscaler("api", 2, 10, 50.0)
    used = usage(0.1)  # a cut, which the kill forbids
    assert [one.code for one in suggested(wide, used, killed=True)] == []


def test_growth_is_of_all_pods_at_one_time_and_not_of_a_gap() -> None:
    one = usage([0.2, 0.1], days=1)
    other = usage([0.1, 0.2], days=1)
    both = [Measured(MAIN, of, KrrSeries(), 1.0, 1.0) for of in (one, other)]
    assert growth_of(both, STEP) == pytest.approx(1.0)
    assert growth_of([], STEP) is None
    lonely = Usage(
        np.array([0.1, 0.4]), np.array([0.0, 2 * STEP]), one.peaks, one.peak_times, 1.0, one.cpu_seen,
        one.memory_seen,
    )  # fmt: skip
    assert growth_of([Measured(MAIN, lonely, KrrSeries(), 1.0, 1.0)], STEP) is None


def test_load_that_begins_from_nothing_has_no_growth() -> None:
    begun = usage([0.0, 0.1, 0.1, 0.1], days=1)
    assert growth_of([Measured(MAIN, begun, KrrSeries(), 1.0, 1.0)], STEP) == pytest.approx(1.0)


def test_what_was_not_measured_asks_for_its_share_of_the_request_as_well() -> None:
    """Of 2 cores one container has 1, and falls to 500m: 40 % of 2 cores are 53 % of 1.5."""
    rest = ContainerId(API, "rest")
    facts = Facts(
        {MAIN: Size(1.0, None, 220 * MIB, None), rest: Size(1.0)}, {API: 3},
        {API: Autoscaler("api", 2, 10, 40.0)}, endings=frozenset({MAIN}),
    )  # fmt: skip
    found = advise(API, [Measured(MAIN, usage(), KrrSeries(), 1.0, 1.0)], facts, (), Looked(14 * DAY))
    assert found.autoscaler is not None
    assert (found.containers[0].next.cpu_request, found.autoscaler.next) == (0.5, 53)


def test_a_maximum_that_is_wanted_often_is_too_small() -> None:
    (found,) = suggested(Autoscaler("api", 2, 10, 88.0, full=0.06))
    assert (found.code, found.move and found.move.most) == ("autoscaler-max", 13)
    assert suggested(Autoscaler("api", 2, 10, 88.0, full=0.05)) == []
    assert suggested(Autoscaler("api", 2, 10, 88.0)) == []


def test_a_minimum_that_was_never_left_and_not_used_is_too_large() -> None:
    (found,) = suggested(Autoscaler("api", 8, 10, 88.0, wanted=8.0, used=33.0))
    assert (found.code, found.move and found.move.least) == ("autoscaler-min", 3)
    assert suggested(Autoscaler("api", 8, 10, 88.0, wanted=9.0, used=33.0)) == []
    assert suggested(Autoscaler("api", 8, 10, 88.0, wanted=8.0)) == []


def test_thin_history_suggests_nothing() -> None:
    assert suggested(Autoscaler("api", 2, 10, 20.0, full=1.0), usage(days=2)) == []
