"""What it costs, as areas and as a list: the last day by namespace, and within a row by team, model, version
and workload.

Invariant: what a row is part of stands in the place's argument, as label matchers; the rows of a place add up
to what was selected, and what belongs to nobody is a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.output.strips import bar
from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Picture, Place, TableScreen

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
    def value(self) -> str:
        """What it is told by, "" for what has none of it."""
        return self.row.keys[0] if self.row.keys else ""

    @property
    def name(self) -> str:
        if self.value:
            return self.value
        return f"(no {self.key})" if self.is_without else f"({self.row.kind.value})"

    @property
    def is_spender(self) -> bool:
        return bool(self.value) and self.row.kind.value == "spender"

    @property
    def is_without(self) -> bool:
        """Whether it is what has no such key, of something that was gone into."""
        return bool(self.where) and not self.value and self.row.kind.value in ("spender", "unallocated")


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
    from maestro_cli.output.money import money

    key = found[0].key if found else DRILL[0]
    columns: tuple[Column[CostRow], ...] = (
        Column(key, lambda one: one.name, tone=lambda one: "" if one.is_spender else "dim"),
        Column(
            "a day",
            lambda one: money(one.row.total, one.currency),
            right=True,
            priority=1,
            order=lambda one: one.row.total,
        ),
        Column("share", lambda one: f"{one.share:.1%}", right=True, priority=1),
        Column("of all", lambda one: bar(one.share, BAR_CELLS), priority=1),
        Column("direct", lambda one: money(one.row.direct, one.currency), right=True),
        Column("cpu used", lambda one: efficiency(one, "cpu"), right=True),
        Column("memory used", lambda one: efficiency(one, "memory"), right=True),
        Column("measured", lambda one: f"{one.coverage:.0%}", right=True, priority=3),
    )
    return Listing("cost-rows/v1", columns, found, empty="nothing was metered in the last day")


def cost_words(one: CostRow) -> tuple[str, ...]:
    """What the box of a row says below its name, what matters most first."""
    from maestro_cli.output.money import money

    used = [(word, efficiency(one, word)) for word in ("cpu", "memory")]
    return (
        money(one.row.total, one.currency),
        f"{one.share:.1%}",
        *(f"{word} used {share}" for word, share in used if share is not None),
    )


def about_costs(found: Sequence[CostRow]) -> str:
    """`USD 60.00 in the last day of namespace=ml, 98% measured`."""
    from maestro_cli.output.money import money

    if not found:
        return "nothing was metered in the last day"
    one = found[0]
    of = f" of {one.where}" if one.where else ""
    total = money(math.fsum(row.row.total for row in found), one.currency)
    return f"{total} in the last day{of} by {one.key}, {one.coverage:.0%} measured"


def cost_target(one: CostRow, place: Place) -> Target:
    return Target(place.context, "Cost", one.name, one.name, one)


def within(one: CostRow) -> str:
    """What selects that row and what it is part of; "" where nothing is within."""
    from maestro_cli.core.matchers import Matcher

    if not (one.is_spender or one.is_without) or one.key == DRILL[-1]:
        return ""
    matcher = str(Matcher(one.key, one.value))
    return f"{one.where},{matcher}" if one.where else matcher


def open_within(target: Target) -> Place:
    """What a row is made of; of a workload its rollout, and of what belongs to nobody the same again."""
    one: CostRow = target.item
    if is_rolled_out(one):
        return Place("rollout", one.name, target.context)
    return Place("cost", within(one) or one.where, target.context)


def _visit(name: str, key: str, title: str, tooltip: str, screen: str, *command: str) -> Action:
    """Another view of what it costs, of the whole context."""
    return Action(
        f"cost.{name}",
        title,
        tooltip,
        Danger.OBSERVE,
        lambda target, answers: ("cost", *command),
        key=key,
        opens=lambda target: Place(screen, "", target.context),
    )


VISITS = (
    _visit(
        "units", "u", "Unit costs", "a million predictions of each version, beside p95 and right answers",
        "unit-costs", "unit", "-A", "--by", "version",
    ),
    _visit("budgets", "b", "Budgets", "budgets of money, with forecasts", "cost-budgets", "budget", "list"),
    _visit("forecast", "f", "Forecast", "what the month comes to, by namespace", "forecast", "forecast"),
    _visit("sizes", "z", "Right-sizing", "how large containers should be", "rightsizing", "rightsize", "-A"),
)  # fmt: skip


def is_rolled_out(one: CostRow) -> bool:
    return one.is_spender and one.key == DRILL[-1] and any(kind in one.name for kind in _ROLLED_OUT)


def no_workload(target: Target) -> str:
    """Why it has no rollout and no size, or ""."""
    return "" if is_rolled_out(target.item) else f"{target.name} is no workload; Enter goes into it"


def _of_workload(name: str, key: str, title: str, tooltip: str, screen: str, *command: str) -> Action:
    return Action(
        f"cost.{name}",
        title,
        tooltip,
        Danger.OBSERVE,
        lambda target, answers: (*command, target.name),
        key=key,
        opens=lambda target: Place(screen, target.name, target.context),
        refuses=no_workload,
    )


ROLLOUT = _of_workload("rollout", "o", "Rollout", "the rollout of a workload", "rollout", "rollout", "status")
SIZING = _of_workload(
    "sizing", "s", "Size", "how large a workload should be, and the evidence",
    "sizing", "cost", "rightsize", "--workload",
)  # fmt: skip

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
        picture=Picture(
            amount=lambda one: one.row.total,
            unit=lambda one: one.currency,
            name=lambda one: one.name,
            words=cost_words,
            about=about_costs,
            tone=lambda one: "" if one.is_spender else "dim",
        ),
        actions=(*VISITS, ROLLOUT, SIZING),
        has_namespace=False,
    ),
)
