"""Who pays what: charge, share out, then group; a filter comes last and changes no row that it leaves in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.charging import Charges, Subject, charge, seen
from maestro_cli.cost.allocation.grouping import Filter, Place, keys_of
from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind
from maestro_cli.cost.allocation.sharing import Sharing, share_out
from maestro_cli.cost.allocation.sums import Groups
from maestro_cli.cost.metering.model import Matrix, Metered
from maestro_cli.cost.prices.model import PriceBook

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes: TypeAlias = "NDArray[np.intp]"

_Name: TypeAlias = tuple[RowKind, tuple[str, ...]]
_KINDS = list(RowKind)
NOBODY_SELECTED = "nobody is selected: what was metered has no such values"


@dataclass(frozen=True, slots=True)
class Hourly:
    """An allocation, and what each of its rows cost in each hour: one row a row, one column an hour.

    `coverage` is the share of each hour that was measured: where it is 0, costs are not known.
    """

    allocation: Allocation
    costs: Matrix
    coverage: Matrix


def allocate(
    metered: Metered,
    book: PriceBook,
    grouping: tuple[str, ...] = ("namespace",),
    sharing: Sharing | None = None,
    where: Filter | None = None,
) -> Hourly:
    """Share the bill of a cluster out to the groups; rows are the dearest first of each kind."""
    return tell(charge(metered, book), grouping, sharing or Sharing(), where or Filter())


def tell(charged: Charges, grouping: tuple[str, ...], sharing: Sharing, where: Filter) -> Hourly:
    """The same of what was charged already, which stays as it is: one charge serves many groupings."""
    charges, metered = charged.copy(), charged.metered
    places = _places(metered, charges.subjects)
    shared = {one.namespace for one in sharing.namespaces}
    names = [
        _name(kind, keys_of(grouping, place), place, shared)
        for (kind, _), place in zip(charges.subjects, places, strict=True)
    ]
    share_out(charges, sharing, _numbered(names)[1])
    other = (RowKind.OTHER, ("",) * len(grouping))
    kept = [name if where.takes(place) else other for name, place in zip(names, places, strict=True)]
    rows, costs = _rows(charges, kept)
    allocation = Allocation(
        cluster=metered.cluster,
        currency=charges.currency,
        hours=metered.hours,
        grouping=grouping,
        rows=rows,
        bill=charges.bill,
        coverage=metered.measured_share,
        unpriced=charges.unpriced,
        where=str(where),
        sharing=str(sharing),
        seen_hours=float(seen(metered).sum()),
        notes=(
            *charges.notes,
            *_shared_by_none(charges.subjects, sharing),
            *((NOBODY_SELECTED,) if where.matchers and not _is_any(rows) else ()),
        ),
    )
    return Hourly(allocation, costs, metered.coverage)


def _shared_by_none(subjects: Iterable[Subject], sharing: Sharing) -> Iterator[str]:
    """A name that is written wrong shares nothing."""
    known = {ref.namespace for _, ref in subjects}
    for one in sharing.namespaces:
        if one.namespace not in known:
            yield f"nothing was metered of the shared namespace {visible(one.namespace, 63)}"


def _is_any(rows: Sequence[Row]) -> bool:
    return any(row.kind is not RowKind.OTHER for row in rows)


def _places(metered: Metered, subjects: Iterable[Subject]) -> list[Place]:
    nodes = {node.name: node for node in metered.nodes}
    return [Place(ref, nodes.get(ref.node), metered.cluster) for _, ref in subjects]


def _name(kind: RowKind, keys: tuple[str, ...], place: Place, shared: set[str]) -> _Name:
    """What a spender cannot be named by belongs to nobody."""
    if kind is RowKind.SPENDER and not any(keys):
        return RowKind.UNALLOCATED, keys
    if kind is RowKind.SPENDER and place.ref.namespace in shared:
        return RowKind.SHARED, keys
    return kind, keys


def _numbered(names: Sequence[_Name]) -> tuple[list[_Name], list[int]]:
    """The different names in the order of their first, and the number of each."""
    numbers: dict[_Name, int] = {}
    codes = [numbers.setdefault(name, len(numbers)) for name in names]
    return list(numbers), codes


def _rows(charges: Charges, names: Sequence[_Name]) -> tuple[tuple[Row, ...], Matrix]:
    import numpy as np

    distinct, numbers = _numbered(names)
    groups = Groups(np.asarray(numbers, dtype=np.intp), len(distinct))
    hourly = groups.sums(charges.total)
    cells = {one: groups.sums(rows.sum(axis=1)) for one, rows in charges.cells.items()}
    ours = Groups(groups.codes[: len(charges.metered.containers)], len(distinct))
    amounts = {
        what: {one.value: ours.sums(column) for one, column in by.items()}
        for what, by in charges.amounts.items()
    }
    total = hourly.sum(axis=1)
    taken = [row for row in range(len(distinct)) if _is_told(row, distinct, cells, amounts)]
    order = sorted(
        taken, key=lambda row: (_KINDS.index(distinct[row][0]), -round(total[row], 9), distinct[row][1])
    )
    rows = tuple(_row(distinct[row], row, cells, amounts) for row in order)
    return rows, hourly[order]


def _is_told(
    row: int,
    names: Sequence[_Name],
    cells: Mapping[Component, Matrix],
    amounts: Mapping[str, Mapping[str, Matrix]],
) -> bool:
    """Whether there is anything to say: a spender that was there and cost nothing is said too."""
    if any(column[row] for column in cells.values()):
        return True
    spends = names[row][0] is RowKind.SPENDER
    return spends and any(column[row] for by in amounts.values() for column in by.values())


def _row(
    name: _Name, row: int, cells: Mapping[Component, Matrix], amounts: Mapping[str, Mapping[str, Matrix]]
) -> Row:
    kind, keys = name
    told = {what: {one: float(column[row]) for one, column in by.items()} for what, by in amounts.items()}
    return Row(
        keys=keys,
        kind=kind,
        costs={one: float(cells[one][row]) for one in Component if one in cells and cells[one][row]},
        requested=told["requested"],
        used=told["used"],
        charged=told["charged"],
    )
