"""What it costs: the last day by namespace, and within a row by team, model, version and workload.

Invariant: what a row is part of stands in the place's argument, as label matchers; the rows of a place add up
to what was selected, and what belongs to nobody is a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.output.strips import bar
from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.cost.allocation.model import Row
    from maestro_cli.services.root import Services

EVERY_SECONDS = 600.0  # costs are told by the hour
WINDOW = "24h"
DRILL = ("namespace", "team", "model", "version", "workload")
BAR_CELLS = 20
_ROLLED_OUT = ("/deploy/", "/sts/", "/ds/")


@dataclass(frozen=True, slots=True)
class CostRow:
    """A row of an allocation; `share` is of what was selected, `key` what it is told by ("namespace")."""

    key: str
    where: str
    row: Row
    share: float
    currency: str
    coverage: float

    @property
    def name(self) -> str:
        return (self.row.keys[0] if self.row.keys else "") or f"({self.row.kind.value})"

    @property
    def is_spender(self) -> bool:
        return bool(self.row.keys and self.row.keys[0]) and self.row.kind.value == "spender"


def read_costs(services: Services, argument: str) -> tuple[CostRow, ...]:
    """The rows of the next key below what the argument selects, the dearest first."""
    from maestro_cli.cost.allocation.allocate import allocate
    from maestro_cli.cost.allocation.grouping import Filter
    from maestro_cli.cost.allocation.model import RowKind
    from maestro_cli.services.costs.wanted import CostWindow

    where = Filter.parse(argument) if argument else Filter()
    data = services.cost_data(CostWindow(WINDOW))
    key = DRILL[min(len(where.matchers), len(DRILL) - 1)]
    found = allocate(data.metered, data.book, (key,), where=where).allocation
    selected = found.selected
    return tuple(
        CostRow(key, argument, row, row.total / selected if selected else 0.0, found.currency, found.coverage)
        for row in found.rows
        if row.kind is not RowKind.OTHER
    )


COSTS: Feed[tuple[CostRow, ...]] = Feed("cost", "Prometheus", EVERY_SECONDS, read_costs)


def efficiency(one: CostRow, resource: str) -> str | None:
    charged = one.row.charged.get(resource, 0.0)
    return f"{one.row.used.get(resource, 0.0) / charged:.0%}" if charged > 0 else None


def costs_listing(found: Sequence[CostRow], moment: Moment) -> Listing[CostRow]:
    key = found[0].key if found else DRILL[0]
    currency = found[0].currency if found else ""
    columns: tuple[Column[CostRow], ...] = (
        Column(key, lambda one: one.name, tone=lambda one: "" if one.is_spender else "dim"),
        Column(f"{currency} a day".strip(), lambda one: f"{one.row.total:,.2f}", right=True, priority=1),
        Column("share", lambda one: f"{one.share:.1%}", right=True, priority=1),
        Column("of all", lambda one: bar(one.share, BAR_CELLS), priority=1),
        Column("direct", lambda one: f"{one.row.direct:,.2f}", right=True),
        Column("cpu used", lambda one: efficiency(one, "cpu"), right=True),
        Column("memory used", lambda one: efficiency(one, "memory"), right=True),
        Column("measured", lambda one: f"{one.coverage:.0%}", right=True, priority=3),
    )
    return Listing("cost-rows/v1", columns, found, empty="nothing was metered in the last day")


def cost_target(one: CostRow, place: Place) -> Target:
    return Target(place.context, "Cost", one.name, one.name, one)


def within(one: CostRow) -> str:
    """What selects that row and what it is part of; "" where nothing is within."""
    from maestro_cli.core.matchers import Matcher

    if not one.is_spender or one.key == DRILL[-1]:
        return ""
    matcher = str(Matcher(one.key, one.row.keys[0]))
    return f"{one.where},{matcher}" if one.where else matcher


def open_within(target: Target) -> Place:
    """What a row is made of; of a workload its rollout, and of what belongs to nobody the same again."""
    one: CostRow = target.item
    if one.is_spender and one.key == DRILL[-1] and any(kind in one.name for kind in _ROLLED_OUT):
        return Place("rollout", one.name, target.context)
    return Place("cost", within(one) or one.where, target.context)


SCREENS = (
    TableScreen(
        id="cost",
        title="Cost",
        help="What the last day cost: by namespace, and within one by team, model, version and workload.",
        feed=COSTS,
        rows=tuple,
        listing=costs_listing,
        key=lambda one: f"{one.key}/{one.row.kind.value}/{one.name}",
        target=cost_target,
        opens=open_within,
        aliases=("costs", "bill"),
        drawn=("of all",),
        has_namespace=False,
    ),
)
