"""What a run cost is told beside what was foretold; what is not known is never zero."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.changes.left import Left
from maestro_cli.chaos import burned as burning
from maestro_cli.chaos.burned import Burned, burned, burned_line, measure_burned
from maestro_cli.chaos.guard.check import Burn
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import Unreachable
from maestro_cli.slo.measuring.stretch import Spent

FORETOLD = Burn("a", 0.0116, 0.5, left_by_what_was_seen=0.8)
AFTER = Left(0.49, low=0.48, high=0.49, coverage=1.0)
AT = datetime(2026, 11, 27, tzinfo=UTC)


def test_what_was_spent_is_a_share_of_the_budget_and_of_what_was_left_before() -> None:
    found = burned(FORETOLD, False, Spent(0.01, "", 0.008, 0.02, 130.0, 1.0), AFTER)
    assert (found.share, found.share_of_left, found.foretold) == (0.01, 0.02, 0.0116)
    assert (found.at_least, found.at_most, found.seconds) == (0.008, 0.02, 130.0)
    assert (found.left_at_least, found.left_by_what_was_seen, found.why) == (0.48, 0.49, "")


def test_where_gaps_count_for_nothing_both_shares_are_of_the_budget_that_was_seen() -> None:
    """Of a window of which a tenth was seen, a hundredth of its budget is a tenth of what was seen."""
    found = burned(FORETOLD, True, Spent(0.01), replace(AFTER, coverage=0.1))
    assert found.share_of_seen == pytest.approx(0.1)
    assert found.share_of_left == pytest.approx(0.1 / 0.8)


@pytest.mark.parametrize(
    ("before", "spent", "after", "why"),
    [
        (0.5, Spent(None, "no traffic"), AFTER, "no traffic"),
        (None, Spent(0.01), AFTER, "what was left before is not known"),
        (0.0, Spent(0.01), AFTER, "nothing was left before"),
        (-0.2, Spent(0.01), AFTER, "nothing was left before"),
        (0.5, Spent(0.01), Left(None, "no data"), "what is left is not known: no data"),
        (0.5, Spent(None, "no data"), Left(None, "gone"), "no data; what is left is not known: gone"),
    ],
)
def test_what_is_not_known_says_why(before: float | None, spent: Spent, after: Left, why: str) -> None:
    assert burned(replace(FORETOLD, left_at_least=before), False, spent, after).why == why


known = st.one_of(st.none(), st.floats(-10, 1))


@given(known, st.one_of(st.none(), st.floats(0, 10)), known, st.booleans(), st.sampled_from((None, 0.0, 0.5)))
def test_whatever_is_not_known_has_a_reason(
    before: float | None, share: float | None, after: float | None, by_seen: bool, coverage: float | None
) -> None:
    burn = Burn("a", 0.0116, before, left_by_what_was_seen=before)
    spent = Spent(share, "" if share is not None else "no data")
    found = burned(burn, by_seen, spent, Left(after, "w", coverage=coverage))
    if share is None or before is None or before <= 0:
        assert found.share_of_left is None
    assert bool(found.why) is (None in (found.share, found.share_of_left, after))


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            Burned("a", 0.004, 0.0116, share_of_left=0.008, words="49.0%"),
            "a: 0.4% of its budget, 0.8% of what was left; foretold at worst: 1.2%; left now: 49.0%",
        ),
        (
            Burned("a", 0.004, None, "nothing was left before", at_least=0.003, at_most=0.02),
            "a: 0.4% of its budget (0.3% to 2.0% by what was not seen); foretold at worst: not known; "
            "left now: not known",
        ),
        (
            Burned("a", 0.00003, 0.0032, share_of_seen=0.66, share_of_left=2.6, words="3.2%"),
            "a: 0.003% of its budget (66.0% by what was seen so far), 3 times what was left; "
            "foretold at worst: 0.3%; left now: 3.2%",
        ),
        (
            Burned("a", None, 0.0116, "no data"),
            "a: not known: no data; foretold at worst: 1.2%; left now: not known",
        ),
    ],
)
def test_it_is_told_in_a_line(found: Burned, line: str) -> None:
    assert burned_line(plain(found)) == line


class Around:
    """What a test says was spent and is left; `rules` as the context has them."""

    def __init__(self, budgets: str = "known") -> None:
        self.rules = SimpleNamespace(budgets=budgets)
        self.asked: list[tuple[Any, ...]] = []

    def spent(self, *asked: Any) -> Spent:
        self.asked.append(asked)
        return Spent(0.01)

    def left_after(self, objective: Any) -> Left:
        return AFTER


def measured(around: Around, is_hurried: bool = False) -> Burned:
    proposal: Any = SimpleNamespace(burns=(FORETOLD,), at=AT)
    platform, clock = SimpleNamespace(objectives={"a": "promise"}), SimpleNamespace(now=lambda: AT)
    means: Any = SimpleNamespace(surroundings=around, platform=platform, clock=clock)
    (found,) = measure_burned(proposal, means, lambda: is_hurried)
    return found


@pytest.mark.parametrize(("budgets", "of_left"), [("known", 0.02), ("seen", 0.0125)])
def test_what_counted_as_left_for_the_guard_counts_here(budgets: str, of_left: float) -> None:
    around = Around(budgets)
    assert measured(around).share_of_left == pytest.approx(of_left)
    assert around.asked == [("promise", AT, AT)]


class Silent(Around):
    def spent(self, *asked: Any) -> Spent:
        raise Unreachable("prometheus does not answer")


class Broken(Around):
    def spent(self, *asked: Any) -> Spent:
        raise ZeroDivisionError("a defect")


class Hanging(Around):
    def spent(self, *asked: Any) -> Spent:
        threading.Event().wait()
        raise AssertionError("it hangs")


@pytest.mark.parametrize(
    ("around", "is_hurried", "why"),
    [
        (Silent(), False, "prometheus does not answer"),
        (Broken(), False, "internal error: ZeroDivisionError: a defect"),
        (Hanging(), False, "it was not told within 0.3s"),
        (Hanging(), True, "it was not told within 0.1s"),
    ],
    ids=["silent", "a defect", "hangs", "hangs, after a signal"],
)
def test_whatever_happens_to_it_the_run_ends_and_says_why_it_is_not_known(
    monkeypatch: pytest.MonkeyPatch, around: Around, is_hurried: bool, why: str
) -> None:
    monkeypatch.setattr(burning, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(burning, "HURRIED_SECONDS", 0.1)
    found = measured(around, is_hurried)
    assert (found.share, found.share_of_left, found.foretold) == (None, None, 0.0116)
    assert found.why.startswith(why)
