"""What is left of an error budget, for whoever asks: rules of a policy, previews of changes, the console.

Invariant: the figure, its window and its bounds are those of `slo budget`, read the same way by all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.changes.left import Left
from maestro_cli.core.errors import MaestroError
from maestro_cli.slo.measuring.measure import Outside, measure, span_of
from maestro_cli.slo.measuring.target import left_bounds

if TYPE_CHECKING:
    from maestro_cli.services.changing import ChangeServices
    from maestro_cli.slo.objectives import Objective


def budget_left(services: ChangeServices, objective: Objective) -> Left:
    """By what was seen, and at least and at most by what was not; None with why where nothing is known."""
    from maestro_cli.services.measuring import MeasureWanted, store_of

    if not objective.is_of_metrics:
        return Left(None, "no metric tells it: drills and incidents do")
    now = services.clock.now()
    try:
        source = services.raw_prometheus
        zones = [objective.calendar.zone] if objective.calendar is not None else []
        store = store_of(services, MeasureWanted(), source, zones)
        measured = measure(objective, span_of(objective, now), Outside(source, now, store, at=now))
    except MaestroError as error:
        return Left(None, error.what)
    bounds = left_bounds(measured)
    if bounds is None or measured.budget_left is None:
        return Left(None, measured.judgement.reason)
    why = "" if bounds[0] == bounds[1] else f"{measured.coverage:.1%} of its window was seen"
    return Left(measured.budget_left, why, *bounds, measured.span.label, measured.span.seconds)
