"""What it costs, as areas and as a list: of the last 24 hours, by namespace or another key, and within a row
by the next key that it is not told by yet: team, model, version, workload.

Invariant: what a row is part of stands in the place's argument, as label matchers; the rows of a place add up
to what was selected, and what belongs to nobody is a row. An amount is of the time that is told beside it,
never of a day that is not over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maestro_cli.output.strips import bar
from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.cost_spans import mended_here
from maestro_cli.tui.screens.cost_visits import visits_from
from maestro_cli.tui.screens.model import Moment, Picture, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.cost.allocation.model import Row
    from maestro_cli.services.root import Services

EVERY_SECONDS = 600.0  # costs are told by the hour
WINDOW = "24h"
DRILL = ("namespace", "team", "model", "version", "workload")
TOLD_BY = (*DRILL, "node", "capacity")  # what `By` goes through
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
        """Whether it is what has no such key, of what was gone into, or of all by any key but the first."""
        is_told = bool(self.where) or self.key != DRILL[0]
        return is_told and not self.value and self.row.kind.value in ("spender", "unallocated")


@dataclass(frozen=True, slots=True)
class Spent:
    """What was read of one place: the rows, the dearest first, of `seconds` until it was read."""

    key: str
    where: str
    rows: tuple[CostRow, ...]
    total: float
    currency: str
    coverage: float
    seconds: float


@dataclass(frozen=True, slots=True)
class AskedCosts:
    """What a place is about: label matchers ("" for all), and what it is told by."""

    where: str
    key: str

    @staticmethod
    def read(argument: str) -> AskedCosts:
        """`team`, `namespace=ml`, `namespace=ml,node`; a word that is no key is a namespace.

        Raises UsageError.
        """
        from maestro_cli.core.matchers import Matcher
        from maestro_cli.cost.allocation.grouping import GROUPINGS, LABEL, Filter

        where, _, last = argument.rpartition(",")
        if not last or set(last) & set('="~'):
            where, last = argument, ""
        if last and last not in GROUPINGS and not last.startswith(LABEL):
            where, last = ",".join(filter(None, (where, str(Matcher("namespace", last))))), ""
        known = {one.label for one in Filter.parse(where).matchers}
        following = (key for key in (*DRILL, "pod") if key not in known)
        return AskedCosts(where, last or next(following, "container"))

    def by(self, key: str) -> str:
        """The argument of the same told by another key."""
        return f"{self.where},{key}" if self.where else key


def read_costs(services: Services, argument: str) -> Spent:
    """The rows by the key that is asked for, else by the next one that what is selected is not told by."""
    from maestro_cli.cost.allocation.allocate import allocate
    from maestro_cli.cost.allocation.grouping import Filter, parse_grouping
    from maestro_cli.cost.allocation.model import RowKind
    from maestro_cli.services.costs.wanted import CostWindow

    with mended_here("cost"):
        asked = AskedCosts.read(argument)
        grouping = parse_grouping(asked.key)
        data = services.cost_data(CostWindow(WINDOW))
    key, where = asked.key, asked.where
    found = allocate(data.metered, data.book, grouping, where=Filter.parse(where)).allocation
    until = min(services.clock.now(), found.hours.end)  # the hour that has begun is not over
    selected = found.selected
    rows = tuple(
        CostRow(key, where, row, row.total / selected if selected else 0.0, found.currency, found.coverage)
        for row in found.rows
        if row.kind is not RowKind.OTHER
    )
    seconds = (until - found.hours.start).total_seconds()
    return Spent(key, where, rows, selected, found.currency, found.coverage, seconds)


COSTS: Feed[Spent] = Feed("cost", "Prometheus", EVERY_SECONDS, read_costs)


def efficiency(one: CostRow, resource: str) -> str | None:
    charged = one.row.charged.get(resource, 0.0)
    return f"{one.row.used.get(resource, 0.0) / charged:.0%}" if charged > 0 else None


def share_words(share: float) -> str:
    """Whole per cent; of less than one so many digits that it does not read as none."""
    from maestro_cli.core.quantities import format_share

    return format_share(share) if 0 < share < 0.01 else f"{share:.0%}"


def costs_listing(found: Sequence[CostRow], moment: Moment) -> Listing[CostRow]:
    from maestro_cli.core.money import money

    key = found[0].key if found else DRILL[0]
    columns: tuple[Column[CostRow], ...] = (
        Column(key, lambda one: one.name, tone=lambda one: "" if one.is_spender else "dim"),
        Column(
            "cost",
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
        Column("measured", lambda one: share_words(one.coverage), right=True, priority=3),
    )
    return Listing("cost-rows/v1", columns, found, empty="nothing was metered of it")


def cost_words(one: CostRow) -> tuple[str, ...]:
    """What the box of a row says below its name, what matters most first."""
    from maestro_cli.core.money import money

    used = [(word, efficiency(one, word)) for word in ("cpu", "memory")]
    return (
        money(one.row.total, one.currency),
        f"{one.share:.1%}",
        *(f"{word} used {share}" for word, share in used if share is not None),
    )


def about_costs(found: Spent) -> str:
    """`USD 60.00 in 23h12m of namespace=ml by team, 98% measured`."""
    from maestro_cli.core.money import money
    from maestro_cli.core.quantities import format_duration

    of = f" of {found.where}" if found.where else ""
    lasted = format_duration(found.seconds // 60 * 60)
    measured = f"{share_words(found.coverage)} measured"
    return f"{money(found.total, found.currency)} in {lasted}{of} by {found.key}, {measured}"


def cost_target(one: CostRow, place: Place) -> Target:
    return Target(place.context, "Cost", one.name, one.name, one)


def within(one: CostRow) -> str:
    """What selects that row and what it is part of; "" where nothing is within."""
    from maestro_cli.core.matchers import Matcher
    from maestro_cli.core.promql import exported_label
    from maestro_cli.cost.allocation.grouping import LABEL

    if not (one.is_spender or one.is_without):
        return ""
    is_label = one.key.startswith(LABEL)
    label = f"label_{exported_label(one.key.removeprefix(LABEL))}" if is_label else one.key
    matcher = str(Matcher(label, one.value))
    return f"{one.where},{matcher}" if one.where else matcher


def open_within(target: Target) -> Place | None:
    """What a row is made of; of a workload its rollout, and of what belongs to nobody nothing."""
    one: CostRow = target.item
    if is_rolled_out(one):
        return Place("rollout", one.name, target.context)
    inside = within(one)
    return Place("cost", inside, target.context) if inside else None


def why_nothing_within(target: Target) -> str:
    words = {
        "idle": "what nobody asked for or used: Right-sizing has what could go",
        "overhead": "what the cluster costs beside its nodes: nobody asked for it",
    }
    return f"{target.name} is {words.get(target.item.row.kind.value, 'shown whole')}"


def told_next(place: Place) -> Place:
    """The same costs by the next key that they are not selected by."""
    from maestro_cli.cost.allocation.grouping import Filter

    asked = AskedCosts.read(place.argument)
    known = {one.label for one in Filter.parse(asked.where).matchers if one.is_equal and not one.is_regex}
    keys = [key for key in TOLD_BY if key not in known]
    at = keys.index(asked.key) + 1 if asked.key in keys else 0
    return replace(place, argument=asked.by(keys[at % len(keys)]), filter="")


def is_rolled_out(one: CostRow) -> bool:
    return one.is_spender and one.key == "workload" and any(kind in one.name for kind in _ROLLED_OUT)


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
        help="What the last 24 hours cost, by namespace or another key: `:cost team`; Enter goes into a row.",
        feed=COSTS,
        rows=lambda found: found.rows,
        listing=costs_listing,
        key=lambda one: f"{one.key}/{one.row.kind.value}/{one.name}",
        target=cost_target,
        opens=open_within,
        says=why_nothing_within,
        about=about_costs,
        turned=told_next,
        aliases=("costs", "bill"),
        drawn=("of all",),
        picture=Picture(
            amount=lambda one: one.row.total,
            unit=lambda one: one.currency,
            name=lambda one: one.name,
            words=cost_words,
            tone=lambda one: "" if one.is_spender else "dim",
        ),
        actions=(*visits_from("cost"), ROLLOUT, SIZING),
        has_namespace=False,
    ),
)
