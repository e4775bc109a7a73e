"""Scores are what the recorded outcomes of drills make of the strength of evidence."""

from __future__ import annotations

import json
from pathlib import Path

from maestro_cli.incidents.triage.calibration import (
    OUTCOMES,
    SHIPPED,
    Curve,
    calibrated,
    fit,
    reliability,
)
from maestro_cli.incidents.triage.model import CULPRIT_SCORE, Suspect, SuspectKind

DATA = Path(__file__).with_name("calibration.json")


def recorded() -> list[tuple[float, bool]]:
    return [
        (float(one["strength"]), bool(one["was_right"]))
        for one in json.loads(DATA.read_text(encoding="utf-8"))
    ]


def test_the_shipped_curve_is_that_of_the_recorded_outcomes() -> None:
    assert fit(recorded()) == SHIPPED
    assert len(recorded()) == OUTCOMES


def test_other_outcomes_give_another_curve() -> None:
    turned = [(strength, not was_right) for strength, was_right in recorded()]
    assert fit(turned).slope == 0.0
    assert fit(recorded()[: OUTCOMES // 2]) != SHIPPED


def test_a_curve_is_found_again_from_what_it_makes_probable() -> None:
    true = Curve(-3.0, 6.0)
    outcomes = [
        (strength, place < round(1000 * true.at(strength)))
        for strength in (0.1, 0.3, 0.5, 0.7, 0.9)
        for place in range(1000)
    ]
    found = fit(outcomes)
    assert abs(found.intercept - true.intercept) < 0.05
    assert abs(found.slope - true.slope) < 0.1


def test_scores_keep_the_order_and_the_strength_decides_who_is_named() -> None:
    strengths = [0.95, 0.7, CULPRIT_SCORE, 0.49, 0.1]
    found = calibrated([Suspect(SuspectKind.POD, f"pod {n}", n, ()) for n in strengths])
    assert [one.strength for one in found] == strengths
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert [one.is_strong for one in found] == [True, True, True, False, False]


def test_what_is_named_was_the_true_cause_more_often_than_not() -> None:
    assert SHIPPED.at(CULPRIT_SCORE) >= 0.5
    named = [right for strength, right in recorded() if strength >= CULPRIT_SCORE]
    assert sum(named) > 0.5 * len(named)


def test_reliability_counts_each_outcome_once() -> None:
    outcomes = recorded()
    assert sum(count for _, _, count, _, _ in reliability(outcomes, SHIPPED)) == len(outcomes)
