"""From the strength of evidence to how often a suspect of that strength was the true cause in drills.

Invariant: one logistic curve of two parameters, fitted from the recorded outcomes in `calibration.json` and
nothing else; it rises, so it changes no ranking. `scripts/fit_calibration.py` fits them again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maestro_cli.incidents.triage.model import Suspect

# Fitted by scripts/fit_calibration.py; a test fits them again and compares.
INTERCEPT, SLOPE = -3.9617, 8.5937
OUTCOMES = 144  # of 94 drills; 91 were right
_RIDGE = 0.1  # so that outcomes which one threshold parts do not make the curve a step
_STEEPEST = 40.0
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """P(true cause | strength) = 1 / (1 + exp(-(intercept + slope * strength)))."""

    intercept: float
    slope: float

    def at(self, strength: float) -> float:
        return 1.0 / (1.0 + math.exp(-(self.intercept + self.slope * strength)))


SHIPPED = Curve(INTERCEPT, SLOPE)


def calibrated(suspects: Sequence[Suspect], curve: Curve = SHIPPED) -> tuple[Suspect, ...]:
    """The same suspects in the same order; `strength` is what the score was."""
    if curve.slope <= 0:
        return tuple(replace(one, strength=one.score) for one in suspects)
    return tuple(replace(one, strength=one.score, score=round(curve.at(one.score), 2)) for one in suspects)


def fit(outcomes: Sequence[tuple[float, bool]]) -> Curve:
    """The curve that makes the outcomes most probable, by Newton's method with a small ridge.

    Each is a strength and whether that suspect was the true cause. Both kinds have to be among them.
    """
    intercept, slope = 0.0, 0.0
    for _ in range(_ROUNDS):
        gradient = [-_RIDGE * intercept, -_RIDGE * slope]
        hessian = [_RIDGE, 0.0, _RIDGE]  # of the negative: upper left, off the diagonal, lower right
        for strength, was_right in outcomes:
            chance = Curve(intercept, slope).at(strength)
            error, weight = float(was_right) - chance, chance * (1.0 - chance)
            gradient = [gradient[0] + error, gradient[1] + error * strength]
            hessian = [
                hessian[0] + weight,
                hessian[1] + weight * strength,
                hessian[2] + weight * strength * strength,
            ]
        determinant = hessian[0] * hessian[2] - hessian[1] ** 2
        steps = (
            (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
            (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
        )
        intercept, slope = intercept + steps[0], min(max(slope + steps[1], 0.0), _STEEPEST)
        if max(map(abs, steps)) < 1e-10:
            break
    return Curve(round(intercept, 4), round(slope, 4))


def reliability(
    outcomes: Sequence[tuple[float, bool]], curve: Curve, bins: int = 5
) -> tuple[tuple[float, float, int, float, float], ...]:
    """For each bin of predicted chance: from, to, how many, mean predicted, share that was right."""
    found = []
    for place in range(bins):
        low, high = place / bins, (place + 1) / bins
        inside = [
            (chance, right)
            for strength, right in outcomes
            if low <= (chance := curve.at(strength)) < high or (place == bins - 1 and chance == high)
        ]
        if inside:
            mean = sum(chance for chance, _ in inside) / len(inside)
            share = sum(right for _, right in inside) / len(inside)
            found.append((low, high, len(inside), mean, share))
    return tuple(found)
