"""What a million predictions of each version cost, beside its p95 and its right answers.

Invariant: figures are those of `maestro cost unit --by version`, by the same view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.output.views import Report
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.cost_spans import LookedBack, mended_here
from maestro_cli.tui.screens.cost_visits import visits_from
from maestro_cli.tui.screens.model import Moment, ReportScreen

if TYPE_CHECKING:
    from maestro_cli.cost.unit.report import VersionCosts
    from maestro_cli.services.root import Services

EVERY_SECONDS = 120.0
WINDOW = "1h"


def read_unit_costs(services: Services, argument: str) -> VersionCosts:
    from maestro_cli.services.costs.unit_costs import UnitCostWanted

    asked = LookedBack.read(argument, WINDOW)
    with mended_here("unit-costs"):
        return services.version_costs(
            UnitCostWanted(namespace=asked.what or None, everywhere=not asked.what, window=asked.window)
        )


UNIT_COSTS: Feed[VersionCosts] = Feed("unit-costs", "Prometheus", EVERY_SECONDS, read_unit_costs)


def unit_costs_report(found: VersionCosts, moment: Moment) -> Report:
    from maestro_cli.output.renderers.cost_versions import version_costs_view

    return version_costs_view(found)


SCREENS = (
    ReportScreen(
        id="unit-costs",
        title="Unit costs",
        help="A million predictions of each version: cost, p95, right answers: `:unit-costs ml,24h`.",
        feed=UNIT_COSTS,
        report=unit_costs_report,
        aliases=("units", "unit-cost"),
        actions=visits_from("unit-costs"),
    ),
)
