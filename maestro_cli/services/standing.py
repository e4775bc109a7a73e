"""What is left of an error budget, for the rules of a policy that go by the budget policy.

Invariant: the figure and the standing are those of `slo budget`: what was not seen counts as spent, and where
that alone decides whether any is left, it is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.changes.left import Left
from maestro_cli.core.errors import MaestroError
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.measure import Outside, measure, span_of
from maestro_cli.slo.policy import Standing

if TYPE_CHECKING:
    from maestro_cli.services.changing import ChangeServices
    from maestro_cli.slo.objectives import Objective


def left_at_least(services: ChangeServices, objective: Objective) -> Left:
    """The share, by the low bound; None with why where it is not known."""
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
    kept = Kept(objective, measured, None)
    bounds = kept.left_bounds
    if bounds is None:
        return Left(None, measured.judgement.reason)
    if kept.consequence.standing is Standing.UNKNOWN:
        seen = f"{measured.coverage:.1%} of its window was seen"
        return Left(None, f"{seen}, between {bounds[0]:.1%} and {bounds[1]:.1%} may be left")
    return Left(bounds[0])
