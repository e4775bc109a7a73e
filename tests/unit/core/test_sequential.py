"""Bounds that hold at every look at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest

from maestro_cli.core.sequential import bounds, expected_trials, log_likelihood_ratio

ALPHA = 0.05
Bounds = Callable[[float, float], tuple[float, float]]


def chance_to_err(of: Bounds, share: float, looks: int) -> float:
    """The exact chance that bounds, looked at after each trial, leave the true share out at least once."""
    held = {0: 1.0}  # by successes: the chance to be there, and never to have erred
    erred = 0.0
    for trials in range(1, looks + 1):
        reached: dict[int, float] = {}
        for successes, chance in held.items():
            reached[successes] = reached.get(successes, 0.0) + chance * (1 - share)
            reached[successes + 1] = reached.get(successes + 1, 0.0) + chance * share
        held = {}
        for successes, chance in reached.items():
            low, high = of(successes, trials)
            if chance < 1e-12 or not low <= share <= high:
                erred += chance
            else:
                held[successes] = chance
    return erred


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """The bounds for one look alone, at the same alpha (Wilson 1927)."""
    z, share = 1.959964, successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return middle - spread, middle + spread


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_looking_after_every_trial_errs_no_more_often_than_alpha(share: float) -> None:
    assert 0 < chance_to_err(partial(bounds, alpha=ALPHA), share, 400) <= ALPHA


def test_bounds_for_one_look_would_err_far_more_often() -> None:
    assert chance_to_err(wilson, 0.1, 400) > 3 * ALPHA


@pytest.mark.parametrize(("successes", "trials"), [(3, 40), (37, 40), (2.5, 9)])
def test_at_the_bounds_the_evidence_against_the_share_is_one_to_alpha(
    successes: float, trials: float
) -> None:
    """Averaged by hand: of Beta(1/2, 1/2) each sin² of an angle is as likely as another."""

    def likelihood(share: float) -> float:
        return math.exp(successes * math.log(share) + (trials - successes) * math.log(1 - share))

    steps = 20_000
    angles = ((step + 0.5) * math.pi / 2 / steps for step in range(steps))
    average = sum(likelihood(math.sin(angle) ** 2) for angle in angles) / steps
    for bound in bounds(successes, trials, ALPHA):
        assert average / likelihood(bound) == pytest.approx(1 / ALPHA, rel=1e-3)


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 1), (1, 1), (3, 40), (0, 10**6), (2.5, 7), (10**6, 10**8)]
)
def test_the_share_observed_is_inside(successes: float, trials: float) -> None:
    low, high = bounds(successes, trials, 0.01)
    assert 0 <= low <= successes / trials <= high <= 1
    assert (low == 0, high == 1) == (successes == 0, successes == trials)


def test_the_two_sides_mirror_each_other() -> None:
    low, high = bounds(3, 40, ALPHA)
    assert bounds(37, 40, ALPHA) == pytest.approx((1 - high, 1 - low))


def test_more_trials_and_a_larger_alpha_narrow_the_bounds() -> None:
    def width(successes: float, trials: float, alpha: float) -> float:
        low, high = bounds(successes, trials, alpha)
        return high - low

    assert width(100, 1000, 0.05) < width(10, 100, 0.05) < width(10, 100, 0.01)
    assert width(10_000, 100_000, 0.05) < 0.01


def test_no_trials_tell_nothing() -> None:
    assert bounds(0, 0, ALPHA) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("successes", "trials", "alpha"),
    [
        (2, 1, 0.1),
        (-1, 3, 0.1),
        (1, math.nan, 0.1),
        (1, math.inf, 0.1),
        (math.nan, 1, 0.1),
        (1, 2, 0),
        (1, 2, 1),
    ],
)
def test_counts_that_cannot_be_are_refused(successes: float, trials: float, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"alpha|cannot be"):
        bounds(successes, trials, alpha)


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (5, 5), (3, 9)])
def test_the_likelihood_ratio_is_that_of_the_two_shares(hits: int, trials: int) -> None:
    def likelihood(share: float) -> float:
        return math.log(share) * hits + math.log(1 - share) * (trials - hits)

    expected = likelihood(0.25) - likelihood(0.1)
    assert log_likelihood_ratio(hits, trials, 0.1, 0.25) == pytest.approx(expected)


def test_walds_figures_are_those_of_the_literature() -> None:
    """Shares 0.1 and 0.25 (threefold at a tenth): with Wald's own bounds 45 trials, here a little more."""
    assert 40 < expected_trials(0.25, 0.1, 0.25, 0.01, 0.05) < 50
    assert 20 < expected_trials(0.1, 0.1, 0.25, 0.01, 0.05) < 45


@pytest.mark.parametrize(
    ("hits", "trials", "none", "some"),
    [(1, 2, 0.2, 0.2), (1, 2, 0.3, 0.2), (1, 2, 0, 0.2), (1, 2, 0.2, 1), (3, 2, 0.1, 0.2), (-1, 2, 0.1, 0.2)],
)
def test_what_is_no_question_has_no_ratio(hits: float, trials: float, none: float, some: float) -> None:
    with pytest.raises(ValueError, match=r"told apart|cannot be"):
        log_likelihood_ratio(hits, trials, none, some)
