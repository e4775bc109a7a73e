"""What an hour of useful work takes on a machine that may be taken away.

Interruptions come at λ an hour (Poisson); each costs the work since the last checkpoint and a restart of R
hours, and every τ hours of work a checkpoint takes c hours. Then

    hours of machine for an hour of work = (1/λ + R) · (e^(λ(τ + c)) − 1) / τ

which is what a segment of τ + c takes when it begins again at each interruption. The best τ is about √(2c/λ)
(Young 1974, Daly 2006). Work without checkpoints is one segment as long as a run.

Invariant: more than the work itself, and infinite where no run would ever end.
"""

from __future__ import annotations

import math


def best_interval_hours(interruptions_per_hour: float, checkpoint_hours: float) -> float:
    """The work between two checkpoints that wastes least, √(2c/λ); infinite without interruptions."""
    if not interruptions_per_hour:
        return math.inf
    return math.sqrt(2 * checkpoint_hours / interruptions_per_hour)


def machine_hours(
    interruptions_per_hour: float,
    *,
    work_hours: float,
    checkpoint_hours: float = 0.0,
    restart_hours: float = 0.0,
) -> float:
    """Hours of machine for one hour of work, kept every `work_hours` (τ), which takes `checkpoint_hours`.

    Raises ValueError for what is negative or not a number, and for no work at all.
    """
    given = (interruptions_per_hour, work_hours, checkpoint_hours, restart_hours)
    if not all(math.isfinite(value) and value >= 0 for value in given) or not work_hours:
        raise ValueError("rates and times of interruptions are not negative, and some work is done")
    if not interruptions_per_hour:
        return (work_hours + checkpoint_hours) / work_hours
    exponent = interruptions_per_hour * (work_hours + checkpoint_hours)
    try:
        grown = math.expm1(exponent)
    except OverflowError:
        return math.inf
    return (1 / interruptions_per_hour + restart_hours) * grown / work_hours
