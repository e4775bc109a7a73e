"""Why a window cost another amount than the one before: what is new or gone, what prices and amounts did.

    by amount = what the later window costs − what the earlier one does, both at the last prices of the
                earlier one (of the later one where none held then); of what is new or gone, all of it
    by price  = the rest of the change, also where prices changed within a window

Invariant: both add up to the change of each row, and the rows to that of the bill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from maestro_cli.core.errors import UsageError
from maestro_cli.cost.allocation.model import Allocation, Row, RowKind
from maestro_cli.cost.metering.model import HOUR, Metered
from maestro_cli.cost.prices.model import ALWAYS, PriceBook, Resource

_Name: TypeAlias = tuple[RowKind, tuple[str, ...]]
Priced: TypeAlias = tuple[Metered, PriceBook]
Allocate: TypeAlias = Callable[[Metered, PriceBook], Allocation]
_UNLIKE = 0.01  # of a window
_UNITS = {Resource.CPU: "core-hours", Resource.MEMORY: "GiB-hours", Resource.GPU: "GPU-hours"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of both windows; `before` is scaled to the length of the later one.

    `is_new` and `is_gone`: there was no such row in the other window. `amounts` are charged unit-hours by
    name of resource, before and after.
    """

    kind: RowKind
    keys: tuple[str, ...]
    before: float
    after: float
    by_price: float
    amounts: Mapping[str, tuple[float, float]]
    is_new: bool = False
    is_gone: bool = False

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def by_amount(self) -> float:
        """Of new and gone rows, all of it."""
        return self.change - self.by_price

    @property
    def why(self) -> str:
        """In words: what happened to it, or the resource whose amount changed the most."""
        if self.is_new or self.is_gone:
            return "new" if self.is_new else "gone"
        if abs(self.by_price) > abs(self.by_amount):
            return "prices"
        moved = [one for one in Resource if self._moved(one)]
        if not moved:
            return ""
        most = max(moved, key=lambda one: abs(self._moved(one)))
        before, after = self.amounts[most.value]
        return f"{before:.4g} → {after:.4g} {_UNITS[most]}"

    def _moved(self, resource: Resource) -> float:
        """By which share of the larger amount; a change in the tenth digit is none."""
        before, after = self.amounts.get(resource.value, (0.0, 0.0))
        moved = (after - before) / max(before, after, 1e-12)
        return moved if abs(moved) > 1e-9 else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two allocations and their rows side by side, what changed most first. `scale` stretched `before`."""

    before: Allocation
    after: Allocation
    scale: float
    rows: tuple[Difference, ...]

    @property
    def change(self) -> float:
        return self.after.total - self.before.total * self.scale

    @property
    def by_price(self) -> float:
        return sum(row.by_price for row in self.rows)

    @property
    def is_unlike(self) -> bool:
        """Whether other shares of the two windows were measured: a part of the change is of that alone."""
        return abs(self.after.coverage - self.before.coverage) >= _UNLIKE


def compare(before: Priced, after: Priced, told: Allocate) -> Comparison:
    """Compare two windows, each with its prices. Raises UsageError when these are in two currencies."""
    if before[1].currency != after[1].currency:
        raise UsageError(
            f"{before[1].currency} cannot be compared with {after[1].currency}",
            fix="two windows with prices in one currency: --prices FILE",
        )
    earlier, later = told(*before), told(*after)
    last = ended_with(before, after)
    at_one_price = _by_name(told(before[0], last)), _by_name(told(after[0], last))
    scale = later.hours.count / earlier.hours.count
    rows = [
        _difference(name, _by_name(earlier), _by_name(later), at_one_price, scale)
        for name in {**_by_name(earlier), **_by_name(later)}
    ]
    ordered = sorted(rows, key=lambda row: (-abs(round(row.change, 9)), row.kind.value, row.keys))
    return Comparison(earlier, later, scale, tuple(ordered))


def ended_with(*windows: Priced) -> PriceBook:
    """The prices of the last hour of the first window in which any held then, as if they always held."""
    held = ((book, book.at(metered.hours.end - HOUR)) for metered, book in windows)
    found = next(((book, last) for book, last in held if last is not None), None)
    if found is None:
        return windows[0][1]
    book, last = found
    return PriceBook.of(book.currency, [replace(last, since=ALWAYS)], book.source)


def _by_name(allocation: Allocation) -> dict[_Name, Row]:
    return {(row.kind, row.keys): row for row in allocation.rows}


def _difference(
    name: _Name,
    before: Mapping[_Name, Row],
    after: Mapping[_Name, Row],
    at_one_price: tuple[Mapping[_Name, Row], Mapping[_Name, Row]],
    scale: float,
) -> Difference:
    kind, keys = name
    earlier, later = before.get(name), after.get(name)
    amounts = {
        one.value: (
            0.0 if earlier is None else earlier.charged.get(one.value, 0.0) * scale,
            0.0 if later is None else later.charged.get(one.value, 0.0),
        )
        for one in Resource
    }
    was, costs = (0.0 if one is None else one.total for one in (earlier, later))
    was_then, is_then = (one[name].total if name in one else 0.0 for one in at_one_price)
    is_new, is_gone = (
        one is None and name not in told for one, told in zip((earlier, later), at_one_price, strict=True)
    )
    by_amount = is_then - was_then * scale
    return Difference(
        kind=kind,
        keys=keys,
        before=was * scale,
        after=costs,
        by_price=costs - was * scale - by_amount if not (is_new or is_gone) else 0.0,
        amounts=amounts,
        is_new=is_new,
        is_gone=is_gone,
    )
