"""What makes a shadow's answers agree, and when that is enough to tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from maestro_cli.core import sequential
from maestro_cli.core.sequential import bounds
from maestro_cli.core.verdict import Verdict
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.agreement import ALPHA, Agreement, rows_that_agree


def tensor(*values: float) -> Array:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(
    ("given", "shadow", "agree"),
    [
        ({"y": tensor(1, 2, 300)}, {"y": tensor(1.0005, 2.5, 300.2)}, [True, False, True]),
        ({"y": tensor(1, 2)}, {"y": tensor(1, float("nan"))}, [True, False]),
        ({"y": tensor(1, 2)}, {}, [False, False]),
        ({"y": tensor(1, 2)}, {"y": tensor(1)}, [False, False]),
        (
            {"y": tensor(1, 2), "n": np.array([3, 4])},
            {"y": tensor(1, 2), "n": np.array([3, 5])},
            [True, False],
        ),
        ({"s": np.array(["a", "b"], object)}, {"s": np.array(["a", "c"], object)}, [True, False]),
        ({"m": np.ones((2, 3))}, {"m": np.array([[1, 1, 1], [1, 1, 9.0]])}, [True, False]),
        ({}, {"y": tensor(1)}, []),
        ({"y": tensor(1, 2), "n": tensor(7)}, {"y": tensor(1, 9), "n": tensor(7)}, [True, False]),
        ({"y": tensor(1, 2), "n": tensor(7)}, {"y": tensor(1, 2), "n": tensor(8)}, [False, False]),
        ({"n": tensor(8), "y": tensor(1, 2)}, {"n": tensor(7), "y": tensor(1, 2)}, [False, False]),
    ],
)
def test_rows_agree_when_every_output_does(
    given: Mapping[str, Array], shadow: Mapping[str, Array], agree: list[bool]
) -> None:
    assert rows_that_agree(given, shadow, 1e-3) == agree


@pytest.mark.parametrize(
    ("rows", "disagreed", "verdict"),
    [
        (0, 0, "INDETERMINATE"),
        (50, 0, "INDETERMINATE"),
        (2000, 0, "PASS"),
        (2000, 60, "FAIL"),
        (29, 29, "INDETERMINATE"),
        (30, 30, "FAIL"),
    ],
)
def test_the_verdict_waits_until_the_bounds_decide(rows: int, disagreed: int, verdict: str) -> None:
    counted = Agreement(most_disagreement=0.01, tolerance=0)
    for row in range(rows):
        counted.compare({"y": np.zeros(1)}, {"y": np.array([float(row < disagreed)])})
    assert counted.verdict is Verdict(verdict)
    low, high = counted.bounds
    assert low <= (disagreed / rows if rows else 0) <= high


def wilson(count: float, total: float, alpha: float) -> tuple[float, float]:
    """The bounds for one look alone (Wilson 1927), which a verdict that is polled must not be made of."""
    z, share = NormalDist().inv_cdf(1 - alpha / 2), count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return middle - spread, middle + spread


def verdicts_while_polled(runs: int, questions: int) -> float:
    """The share of runs in which who asks after every question is told a verdict, where none is right.

    The true disagreement is just what is allowed; all rows of a question agree, or none does.
    """
    random = np.random.default_rng(7)
    told = 0
    for _ in range(runs):
        counted = Agreement(most_disagreement=0.05, tolerance=0)
        rows = random.integers(1, 17, questions)
        for size, disagrees in zip(rows.tolist(), random.random(questions) < 0.05, strict=True):
            counted._count(size, size * int(disagrees))
            if counted.verdict is not Verdict.INDETERMINATE:
                told += 1
                break
    return told / runs


def test_who_polls_until_there_is_a_verdict_is_told_a_false_one_no_more_often_than_alpha(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sequential, "bounds", cache(bounds))
    assert verdicts_while_polled(500, 400) <= ALPHA
    monkeypatch.setattr(sequential, "bounds", cache(wilson))
    assert verdicts_while_polled(500, 400) > 3 * ALPHA


def test_rows_of_one_request_tell_as_much_as_one() -> None:
    together, apart = (Agreement(most_disagreement=0.05, tolerance=0) for _ in range(2))
    for question in range(100):
        disagrees = question < 10
        together.compare({"y": np.zeros(100)}, {"y": np.full(100, float(disagrees))})
        for _ in range(100):
            apart.compare({"y": np.zeros(1)}, {"y": np.full(1, float(disagrees))})
    assert (together.rows, together.disagreed) == (apart.rows, apart.disagreed) == (10_000, 1000)
    assert apart.bounds == bounds(1000, 10_000, ALPHA)
    assert together.bounds == bounds(10, 100, ALPHA)
    assert (together.verdict, apart.verdict) == (Verdict.INDETERMINATE, Verdict.FAIL)


def test_a_question_counts_once_however_many_rows_it_has() -> None:
    counted = Agreement(most_disagreement=0.05, tolerance=0)
    counted.compare({"y": np.zeros(10)}, {"y": np.arange(10) < 2.5})
    for _ in range(9):
        counted.compare({"y": np.zeros(1)}, {"y": np.zeros(1)})
    told: Any = counted.told()
    assert told["disagreement"]["share"] == pytest.approx(0.03)
    assert counted.bounds == pytest.approx(bounds(0.3, 10, ALPHA))
    counted.compare({}, {})
    assert counted.questions == 10


def test_what_failed_disagrees_and_what_was_dropped_lowers_the_coverage() -> None:
    counted = Agreement(most_disagreement=0.01, tolerance=0)
    for _ in range(30):
        counted.fail(10)
    counted.dropped = 90
    told = counted.told()
    assert (counted.verdict, told["coverage"], told["rows"]) == (Verdict.FAIL, 0.25, 300)


def test_drift_tells_another_distribution_from_the_same() -> None:
    random = np.random.default_rng(1)
    same, other = (Agreement(0.01, 0.0) for _ in range(2))
    for _ in range(200):
        given = random.normal(size=20)
        same.compare({"y": given}, {"y": random.normal(size=20)})
        other.compare({"y": given}, {"y": random.normal(loc=1.0, size=20)})
    assert same.drift.index is not None
    assert same.drift.index < 0.05
    assert other.drift.index is not None
    assert other.drift.index > 0.2
    few = Agreement(0.01, 0.0)
    for _ in range(600):
        few.compare({"y": random.normal(size=1)}, {"y": random.normal(size=1)})
    assert few.drift.index is None
