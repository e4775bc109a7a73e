"""The cost views of a context, built on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.services.built_once import built_once
from maestro_cli.services.people import PeopleServices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_cli.changes.offering import Plans
    from maestro_cli.cost.allocation.comparing import Comparison
    from maestro_cli.cost.allocation.report import AllocationFound, CostReport
    from maestro_cli.cost.budgets.model import BudgetReport
    from maestro_cli.cost.budgets.outlook import Outlook
    from maestro_cli.cost.cluster_series import ClusterSeries
    from maestro_cli.cost.gate.report import GateReport
    from maestro_cli.cost.prices.lines import PriceList
    from maestro_cli.cost.rightsizing.report import Rightsizing
    from maestro_cli.cost.spot.saving import SpotSavings
    from maestro_cli.cost.storage.report import StorageWanted, Stored
    from maestro_cli.cost.unit.report import UnitCosts, VersionCosts
    from maestro_cli.cost.waste.report import WasteReport
    from maestro_cli.cost.what_if.model import WhatIf
    from maestro_cli.services.costs.budgets import BudgetsWanted
    from maestro_cli.services.costs.gate import GateWanted
    from maestro_cli.services.costs.prices import ContextPrices
    from maestro_cli.services.costs.rightsizing import RightsizingWanted
    from maestro_cli.services.costs.rightsizing_changes import Course
    from maestro_cli.services.costs.spot import SpotWanted
    from maestro_cli.services.costs.unit_costs import UnitCostWanted
    from maestro_cli.services.costs.wanted import AllocationWanted, CostWindow
    from maestro_cli.services.costs.waste import WasteWanted
    from maestro_cli.services.costs.what_if import WhatIfWanted
    from maestro_cli.services.costs.windows import CostData
    from maestro_cli.sources.opencost import OpenCost


class CostServices(PeopleServices):
    """What it costs in the current context, who spends it, what can be saved."""

    @built_once
    def opencost(self) -> OpenCost:
        return self._opencost_of(self._needed(self.context.opencost, "opencost"))

    @built_once
    def cluster_series(self) -> ClusterSeries:
        """Which series of the context's Prometheus are its cluster's; raises UsageError."""
        from maestro_cli.core.errors import UsageError
        from maestro_cli.cost.cluster_series import ClusterSeries

        found = ClusterSeries(self.context.costs.match)
        try:
            _ = found.matchers
        except ValueError as error:
            why = f"costs.match of the context: {error}"
            raise UsageError(why, fix="match: {cluster: prod-eu}") from error
        return found

    def prices(self, file: Path | None = None) -> ContextPrices:
        """Of the file, else of the context; `machines()` of it is the price book."""
        from maestro_cli.services.costs.prices import find_prices

        return find_prices(self, file)

    def price_list(self, file: Path | None = None, at: str = "") -> PriceList:
        """The prices that hold at an instant, and by what the cluster's nodes are priced."""
        from maestro_cli.services.costs.price_list import find_price_list

        return find_price_list(self, file, at)

    def cost_data(self, wanted: CostWindow) -> CostData:
        """What was metered in a window, and its prices: what all views of costs are made of."""
        from maestro_cli.services.costs.windows import find_cost_data

        return find_cost_data(self, wanted)

    def budgets_of_month(self, wanted: BudgetsWanted) -> BudgetReport:
        """How the budgets of money stand; one that was named with what made its days dear."""
        from maestro_cli.services.costs.budgets import find_budgets

        return find_budgets(self, wanted)

    def month_outlook(self, wanted: BudgetsWanted, by: str, where: str) -> Outlook:
        """What the month will come to, in all and by group."""
        from maestro_cli.services.costs.budgets import find_outlook

        return find_outlook(self, wanted, by, where)

    def what_if(self, wanted: WhatIfWanted) -> WhatIf:
        """What the bill of a month would be if something were otherwise."""
        from maestro_cli.services.costs.what_if import find_what_if

        return find_what_if(self, wanted)

    def cost_gate(self, wanted: GateWanted) -> GateReport:
        """What a change of manifests costs a month, judged, and told to a pipeline."""
        from maestro_cli.services.costs.gate import run_cost_gate

        return run_cost_gate(self, wanted)

    def allocation(self, wanted: AllocationWanted) -> AllocationFound:
        """Who pays what in a window or a record."""
        from maestro_cli.services.costs.allocations import find_allocation

        return find_allocation(self, wanted)

    def incident_allocation(self, wanted: AllocationWanted, incident: str) -> AllocationFound:
        """Who pays what in the hours of an incident, and what the incident's part of them cost."""
        from maestro_cli.services.costs.spans import find_incident_cost

        return find_incident_cost(self, wanted, incident)

    def drill_allocation(self, wanted: AllocationWanted, drill: str) -> AllocationFound:
        """The same of a drill by its name or id."""
        from maestro_cli.services.costs.spans import find_drill_cost

        return find_drill_cost(self, wanted, drill)

    def cost_report(self, wanted: AllocationWanted) -> CostReport:
        """One bill by several groupings."""
        from maestro_cli.services.costs.allocations import find_report

        return find_report(self, wanted)

    def cost_difference(
        self, wanted: AllocationWanted, before: Path | None, after: Path | None
    ) -> Comparison:
        """Between two records; without them, between the window and as many hours before it."""
        from maestro_cli.services.costs.allocations import find_difference

        return find_difference(self, wanted, before, after)

    def unit_costs(self, wanted: UnitCostWanted) -> UnitCosts:
        from maestro_cli.services.costs.unit_costs import find_unit_costs

        return find_unit_costs(self, wanted)

    def version_costs(self, wanted: UnitCostWanted) -> VersionCosts:
        from maestro_cli.services.costs.unit_costs import find_version_costs

        return find_version_costs(self, wanted)

    def spot_savings(self, wanted: SpotWanted) -> SpotSavings:
        from maestro_cli.services.costs.spot import find_spot_savings

        return find_spot_savings(self, wanted)

    def stored(self, wanted: StorageWanted) -> Stored:
        from maestro_cli.services.costs.storage import find_stored

        return find_stored(self, wanted)

    def rightsizing(self, wanted: RightsizingWanted) -> Rightsizing:
        """How large containers should be, and what that saves."""
        from maestro_cli.services.costs.measured import keep_measured
        from maestro_cli.services.costs.rightsizing import find_rightsizing, namespace_of

        found = find_rightsizing(self, wanted)
        keep_measured(found, None if wanted.workloads else namespace_of(self, wanted))
        return found

    def plans_rightsizing(self, workload: str, wanted: RightsizingWanted) -> Plans:
        """What may be set next of one workload, then the target of its autoscaler: change after change."""
        from maestro_cli.services.costs.rightsizing_changes import plans_rightsizing

        return plans_rightsizing(self, workload, wanted)

    def rightsizing_course(self, workloads: Sequence[str], wanted: RightsizingWanted) -> Course:
        """The same of several workloads, one after the other."""
        from maestro_cli.services.costs.rightsizing_changes import Course

        return Course(self, workloads, wanted)

    def waste(self, wanted: WasteWanted) -> WasteReport:
        """What is paid for and used by nobody."""
        from maestro_cli.services.costs.waste import find_waste

        return find_waste(self, wanted)
