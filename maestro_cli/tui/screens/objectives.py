"""Objectives: whether each promise is kept, what is left of its budget, and how long that lasts.

Invariant: figures are those of `maestro slo status` and `slo explain`, by the same views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maestro_cli.output.views import Listing, Report
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen
from maestro_cli.tui.screens.services import BURNING

if TYPE_CHECKING:
    from maestro_cli.services.root import Services
    from maestro_cli.slo.burning import Burning
    from maestro_cli.slo.kept import Kept

BURN_DOWN_CELLS = 20  # so that it has room beside words on 140 columns
EVERY_SECONDS = 60.0  # a budget spans weeks, and each look asks for samples


def read_objectives(services: Services, argument: str) -> tuple[Kept, ...]:
    """Without an objective there is nothing to measure, which is no error here."""
    from maestro_cli.services.measuring import MeasureWanted, read_kept

    return read_kept(services, MeasureWanted()) if services.objectives else ()


def read_objective(services: Services, argument: str) -> Kept:
    from maestro_cli.services.measuring import MeasureWanted, read_kept

    (one,) = read_kept(services, MeasureWanted((argument,), durations=True))
    return one


OBJECTIVES: Feed[tuple[Kept, ...]] = Feed("objectives", "Prometheus", EVERY_SECONDS, read_objectives)
OBJECTIVE: Feed[Kept] = Feed("objective", "Prometheus", EVERY_SECONDS, read_objective)


def _window(one: Kept) -> str:
    """`30d` of the last 30 days, whose end is now anyway."""
    return "" if one.measured is None else one.measured.span.label.removeprefix("the last ")


def objectives_listing(found: Sequence[Kept], moment: Moment) -> Listing[Kept]:
    """As `slo status`, with the burn-down before what a narrow screen leaves out first."""
    from maestro_cli.output.renderers.kept import burn_down_of, kept_view

    view = kept_view(found)
    order = (
        "objective", "verdict", "budget left", "window", "burn", "gone in", "policy", "burn-down", "measured",
        "target",
    )  # fmt: skip
    # A share of a budget is one of some window; what was measured the verdict says already.
    priorities = {"window": 1, "measured": 3, "target": 3}
    columns = {
        one.title: replace(one, priority=priorities.get(one.title, one.priority)) for one in view.columns
    }
    columns["window"] = replace(columns["window"], cell=_window)
    columns["burn-down"] = replace(
        columns["burn-down"], cell=lambda one: burn_down_of(one, BURN_DOWN_CELLS), wide=False
    )
    first = [columns[title] for title in order]
    return replace(view, columns=(*first, *(one for one in view.columns if one.title not in order)))


def with_burn(found: Sequence[Kept], burning: Sequence[Burning]) -> tuple[Kept, ...]:
    """Each with how it burns as the line of burn has it, which is read more often."""
    known = {one.objective.name: one for one in burning}
    return tuple(
        one.with_burn(known[one.objective.name]) if one.objective.name in known else one for one in found
    )


def one_with_burn(one: Kept, burning: Sequence[Burning]) -> Kept:
    """The same of one: its page and the line never tell two burns of it."""
    (found,) = with_burn((one,), burning)
    return found


def objective_report(one: Kept, moment: Moment) -> Report:
    from maestro_cli.output.renderers.explained import explain_view

    return explain_view(one)


def objective_target(one: Kept, place: Place) -> Target:
    return Target(place.context, "Objective", one.objective.name, one.objective.name, one)


def shown_target(place: Place, one: Kept) -> Target:
    return objective_target(one, place)


def open_objective(target: Target) -> Place:
    return Place("objective", target.name, target.context)


def open_service(target: Target) -> Place:
    return Place("service", str(target.item.objective.service), target.context)


def service_action(screen: str) -> Action:
    """`o` on an objective: who is hurt."""
    return Action(
        f"{screen}.service",
        "Service",
        "the service that it is promised of, over the last half hour",
        Danger.OBSERVE,
        lambda target, answers: ("slo", "show", target.name),
        key="o",
        opens=open_service,
    )


SCREENS = (
    TableScreen(
        id="objectives",
        title="Objectives",
        help="Every promise: kept or not, what is left of its budget, and how long that lasts.",
        feed=OBJECTIVES,
        rows=tuple,
        listing=objectives_listing,
        key=lambda one: one.objective.name,
        target=objective_target,
        opens=open_objective,
        aliases=("slo", "slos", "budgets"),
        beside=BURNING,
        joined=with_burn,
        drawn=("burn-down",),
        has_namespace=False,
        actions=(service_action("objectives"),),
    ),
    ReportScreen(
        id="objective",
        title="Objective",
        help="One promise: counts, bounds, burn-down, its days, burn over each window, and the queries.",
        feed=OBJECTIVE,
        report=objective_report,
        target=shown_target,
        beside=BURNING,
        joined=one_with_burn,
        actions=(service_action("objective"),),
    ),
)
