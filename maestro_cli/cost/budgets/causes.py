"""What made one day cost another amount than a day before: by the rows of both, and what happened meanwhile.

Invariant: the differences add up to the difference of the bills, nothing is left out; what happened is put
beside a difference, and that it was its cause is not claimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind

_NEGLIGIBLE = 1e-9
_Name: TypeAlias = tuple[RowKind, tuple[str, ...]]


class Way(Enum):
    """How a row differs."""

    NEW = "new"
    GONE = "gone"
    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Happening:
    """A change of the journal, a rollout, an experiment: of a workload, as rows name it, or a namespace."""

    at: datetime
    what: str
    namespace: str
    workload: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of the two days, a day each. `of_price` is the part that prices made, the rest amounts.

    `components` are the differences by what they are for; `happenings` what is known to have been done to it
    from the one day to the other.
    """

    keys: tuple[str, ...]
    kind: RowKind
    way: Way
    amount: float
    of_price: float
    components: Mapping[Component, float]
    happenings: tuple[Happening, ...] = ()

    @property
    def of_amount(self) -> float:
        return self.amount - self.of_price


def differences(
    before: Allocation,
    after: Allocation,
    happenings: Sequence[Happening] = (),
    at_one_price: tuple[Allocation, Allocation] | None = None,
) -> tuple[Difference, ...]:
    """The largest first, whatever its sign. Both are of one grouping and as long as one another.

    `at_one_price` are both at the prices of one hour, where other prices held: by how much they differ is of
    amounts, and the rest of price; without them nothing is. Raises ValueError for allocations that cannot be
    compared.
    """
    if before.grouping != after.grouping or before.hours.count != after.hours.count:
        raise ValueError("two allocations of another grouping, or of another length")
    if before.currency != after.currency:
        raise ValueError(f"two currencies: {before.currency} and {after.currency}")
    old = {(row.kind, row.keys): row for row in before.rows}
    new = {(row.kind, row.keys): row for row in after.rows}
    found = [
        _difference(old.get(key), new.get(key))
        for key in dict.fromkeys((*new, *old))  # an order that does not depend on hashes
    ]
    if at_one_price is not None:
        found = [_with_price(one, *map(_totals, at_one_price)) for one in found]
    told = [_with_happenings(one, after.grouping, happenings) for one in found if abs(one.amount) > 0]
    return tuple(sorted(told, key=lambda one: (-abs(one.amount), one.kind.value, one.keys)))


def scaled(rows: Sequence[Row], factor: float) -> tuple[Row, ...]:
    """Rows of a day that was measured in part as those of a whole one, as `DaySpend.whole` has its amount."""
    return tuple(
        replace(
            row,
            costs={key: amount * factor for key, amount in row.costs.items()},
            charged={key: amount * factor for key, amount in row.charged.items()},
        )
        for row in rows
    )


def explained_share(found: Sequence[Difference], excess: float, largest: int) -> float | None:
    """How much of an excess the largest differences make up, 1 for all; None without an excess."""
    if abs(excess) <= _NEGLIGIBLE:
        return None
    return sum(one.amount for one in found[:largest]) / excess


def _difference(old: Row | None, new: Row | None) -> Difference:
    one = new or old
    assert one is not None  # one of them is there
    parts = {
        component: _cost(new, component) - _cost(old, component)
        for component in Component
        if _cost(new, component) != _cost(old, component)
    }
    amount = sum(parts.values())
    if old is None or not abs(old.total) > _NEGLIGIBLE:
        way = Way.NEW
    elif new is None or not abs(new.total) > _NEGLIGIBLE:
        way = Way.GONE
    else:
        way = Way.MORE if amount > 0 else Way.LESS
    return Difference(one.keys, one.kind, way, amount, 0.0, parts)


def _cost(row: Row | None, component: Component) -> float:
    return 0.0 if row is None else row.costs.get(component, 0.0)


def _totals(day: Allocation) -> dict[_Name, float]:
    return {(row.kind, row.keys): row.total for row in day.rows}


def _with_price(one: Difference, was: Mapping[_Name, float], now: Mapping[_Name, float]) -> Difference:
    """By price is what amounts do not explain; of what is new or gone nothing is."""
    if one.way in (Way.NEW, Way.GONE):
        return one
    name = (one.kind, one.keys)
    return replace(one, of_price=one.amount - (now.get(name, 0.0) - was.get(name, 0.0)))


def _with_happenings(one: Difference, grouping: Sequence[str], happenings: Sequence[Happening]) -> Difference:
    row = dict(zip(grouping, one.keys, strict=True))
    mine = tuple(happening for happening in happenings if _concerns(happening, row))
    return Difference(one.keys, one.kind, one.way, one.amount, one.of_price, one.components, mine)


def _concerns(happening: Happening, row: Mapping[str, str]) -> bool:
    """Whether it was done to what the row is of."""
    workload = row.get("workload")
    if workload is not None and happening.workload:
        return workload == happening.workload
    namespace = row.get("namespace")
    if namespace is None and workload is not None:
        namespace = workload.partition("/")[0]
    return bool(happening.namespace) and namespace == happening.namespace
