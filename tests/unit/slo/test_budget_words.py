"""What is said of a budget: the same words everywhere, and none that was not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.changes.left import Left
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.burning import Burning
from maestro_cli.slo.words import bounded_words, gone_phrase, gone_words, left_phrase, left_words, shown_state
from tests.unit.slo.test_burning import burning, every


@pytest.mark.parametrize(
    ("share", "cell", "phrase"),
    [
        (None, "", "what is left is not known"),
        (1.0, "100.0%", "100.0% left"),
        (0.246, "24.6%", "24.6% left"),
        (0.00003, "0.003%", "0.003% left"),
        (0.0, "0.0%", "0.0% left"),
        (-0.0004, "overspent by 0.04%", "overspent by 0.04%"),
        (-8.09, "overspent by 809.0%", "overspent by 809.0%"),
        (-4000.0, "overspent more than tenfold", "overspent more than tenfold"),
    ],
)
def test_nothing_is_left_below_none(share: float | None, cell: str, phrase: str) -> None:
    assert (left_words(share), left_phrase(share)) == (cell, phrase)


def test_what_was_not_seen_is_said_beside_what_is_left() -> None:
    assert bounded_words(0.5, 0.5, 0.5) == "50.0%"
    assert bounded_words(0.5, -3.0, 0.9) == "50.0% (none to 90.0% by what was not seen)"
    assert bounded_words(None, 0.0, 0.0) == Left(None).words == "not known"
    assert Left(-0.2, low=-0.4, high=0.1).words == "overspent by 20.0% (none to 10.0% by what was not seen)"


def budget(left: float | None, at_most: float | None = None, rate: float = 0.01) -> Burning:
    return replace(burning(**every(rate)), left=left, left_at_most=at_most)


@pytest.mark.parametrize(
    ("one", "cell", "phrase"),
    [
        (budget(0.5), "1d12h", "budget gone in 1d12h"),
        (budget(0.5, rate=0.0001), "not at this rate", ""),
        (budget(0.5, rate=0.0), "not at this rate", ""),
        (budget(None), "", ""),
        (budget(-1.0), "spent", "budget spent"),
        (budget(-1.0, -0.5), "spent", "budget spent"),
        (budget(-1.0, 0.9), "spent by what was seen", "budget spent by what was seen"),
    ],
    ids=[
        "soon",
        "after the window",
        "nothing burns",
        "not known",
        "spent",
        "spent at best",
        "little was seen",
    ],
)
def test_a_time_is_told_within_the_window_alone_and_spent_is_what_is_spent_at_best(
    one: Burning, cell: str, phrase: str
) -> None:
    assert (gone_words(one), gone_phrase(one)) == (cell, phrase)


@pytest.mark.parametrize(
    ("now", "shown"),
    [(0.0, BurnState.RECOVERING), (0.0005, BurnState.RECOVERING), (0.01, BurnState.CRITICAL)],
)
def test_critical_is_not_shown_of_what_burns_no_more(now: float, shown: BurnState) -> None:
    """The alert of 30 minutes and 6 hours pages on: of a promise of 99.9 %, 1 % burns tenfold."""
    one = burning(**{**every(0.01), "s5m": now})
    assert one.state is BurnState.CRITICAL
    assert shown_state(one) is shown
