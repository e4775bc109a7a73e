"""A bad hour is not blamed on a fault, and a fault is not excused by what was not counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maestro_cli.chaos import arms
from maestro_cli.chaos.arms import Arm, Blame, compare
from maestro_cli.chaos.measuring import filled

# bad and all of the treated arm, of the control arm, and what they say; an arm is well with 5 %
TOLD: tuple[tuple[float | None, float | None, float | None, float | None, Blame], ...] = (
    (60, 100, 0, 100, Blame.FAULT),
    (60, 100, 60, 100, Blame.HOUR),
    (60, 100, 40, 100, Blame.HOUR),
    (90, 100, 20, 100, Blame.FAULT),
    (0, 100, 60, 100, Blame.HOUR),
    (0, 100, 0, 100, Blame.NOBODY),
    (1, 2, 1, 2, Blame.NOBODY),
    (60, 100, None, None, Blame.UNKNOWN),
    (60, 100, 0, 0, Blame.UNKNOWN),
    (None, 100, 60, 100, Blame.UNKNOWN),
    (60, 0, 60, 100, Blame.UNKNOWN),
    (104.2, 103.9, 0, 100, Blame.FAULT),  # increases are extrapolated
)


def blame(bad: float | None, of: float | None, left_bad: float | None, left_of: float | None) -> Blame:
    return compare(Arm(("a",), bad, of), Arm(("b",), left_bad, left_of), 0.05, 10.0).blame


@pytest.mark.parametrize(("bad", "of", "left_bad", "left_of", "says"), TOLD)
def test_both_arms_together_say_whom_to_blame(
    bad: float | None, of: float | None, left_bad: float | None, left_of: float | None, says: Blame
) -> None:
    assert blame(bad, of, left_bad, left_of) is says


counts = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(lambda two: (min(two), max(two)))


@given(counts, counts)
def test_an_hour_is_bad_only_where_the_control_arm_is_and_never_by_what_was_not_counted(
    ours: tuple[int, int], others: tuple[int, int]
) -> None:
    found = compare(Arm(("a",), *ours), Arm(("b",), *others), 0.05, 10.0)
    if found.blame is Blame.HOUR:
        assert others[0] / others[1] > 0.05
        assert found.control.low > 0.05
    if not ours[1] or not others[1]:
        assert found.blame is Blame.UNKNOWN
    for one in (found.treated, found.control):
        assert one.low <= one.high
        if one.of and one.bad is not None:
            assert one.low <= one.bad / one.of <= one.high


@given(counts, counts, st.integers(1, 200))
def test_more_that_goes_well_in_the_control_arm_never_makes_the_hour_bad(
    ours: tuple[int, int], others: tuple[int, int], well: int
) -> None:
    assume(others[1])
    if blame(*ours, *others) is not Blame.HOUR:
        assert blame(*ours, others[0], others[1] + well) is not Blame.HOUR or ours[1] == 0


@given(counts)
def test_arms_that_are_alike_never_blame_the_fault_for_being_worse(one: tuple[int, int]) -> None:
    found = compare(Arm(("a",), *one), Arm(("b",), *one), 0.05, 10.0)
    assert found.blame is not Blame.FAULT


MUTATIONS: tuple[Callable[[arms.Figures, arms.Figures, float], Blame], ...] = (
    lambda treated, control, most: Blame.HOUR,
    lambda treated, control, most: Blame.FAULT,
    lambda treated, control, most: Blame.HOUR if treated.low > most else Blame.NOBODY,  # the wrong arm
    lambda treated, control, most: Blame.HOUR if control.high > most else Blame.FAULT,  # the wrong bound
)


@pytest.mark.parametrize("wrong", MUTATIONS)
def test_a_comparison_that_is_wrong_is_noticed(
    wrong: Callable[[arms.Figures, arms.Figures, float], Blame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arms, "_blame", wrong)
    assert any(blame(*row[:4]) is not row[4] for row in TOLD)


def test_a_query_is_about_these_pods_and_no_others_and_the_time_is_rounded_up() -> None:
    query = filled('sum(increase(x{pod=~"$PODS"}[$WINDOW]))', ("fraud-7d-a.b", "fraud-c"), 12.2)
    assert query == 'sum(increase(x{pod=~"fraud-7d-a\\\\.b|fraud-c"}[13s]))'
