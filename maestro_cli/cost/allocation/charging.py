"""What each thing is charged in each hour, before anything is shared.

    charge of a container = Σ over resources of the greater of request and use × the node's rate
    idle of a node        = what the resource costs there − all charges for it; below 0 it is over-commit

Invariants: an hour or a thing without a price is charged nothing and named; a container without a node never
ran and costs nothing; an amount that was not measured is not charged. Idle and over-commit of every node are
subjects of their own, one below and one above zero. A node whose price is known and its size is not costs
that price, as overhead of its idle row: whose it was is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.cost.allocation.hour_prices import HourPrices
from maestro_cli.cost.allocation.model import Component, RowKind
from maestro_cli.cost.allocation.sums import Groups
from maestro_cli.cost.allocation.telemetry import charge_telemetry, telemetry_notes
from maestro_cli.cost.metering.model import ContainerRef, Matrix, Metered
from maestro_cli.cost.prices.model import PriceBook, PriceVersion, Resource
from maestro_cli.cost.prices.split import cluster_rates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes: TypeAlias = "NDArray[np.intp]"

Subject: TypeAlias = tuple[RowKind, ContainerRef]

COMPONENTS = {
    Resource.CPU: Component.CPU,
    Resource.MEMORY: Component.MEMORY,
    Resource.GPU: Component.GPU,
}
_MOST_NAMED = 3


@dataclass(slots=True)
class Charges:
    """Cells of every component, one row a subject and one column an hour; `share_out` moves them.

    Subjects are the containers in their order, then each node's idle and each node's over-commit, volumes
    that nobody mounts, load balancers, the control plane, logs and traces. `node_of` has each container's
    node, -1 without; `amounts` its unit-hours in the whole window: `requested`, `used`, `charged`.
    """

    metered: Metered
    currency: str
    subjects: tuple[Subject, ...]
    cells: dict[Component, Matrix]
    node_of: Codes
    idle_rows: Codes
    amounts: Mapping[str, Mapping[Resource, Matrix]]
    bill: Mapping[Component, float]
    unpriced: tuple[str, ...]
    notes: tuple[str, ...]

    def copy(self) -> Charges:
        """The same, with cells of its own."""
        return replace(self, cells={one: rows.copy() for one, rows in self.cells.items()})

    def of(self, component: Component) -> Matrix:
        """The cells of a component, zeros at first."""
        if component not in self.cells:
            self.cells[component] = self._zeros()
        return self.cells[component]

    @property
    def total(self) -> Matrix:
        return sum(self.cells.values(), self._zeros())

    def _zeros(self) -> Matrix:
        import numpy as np

        return np.zeros((len(self.subjects), self.metered.hours.count))

    def rows(self, chosen: Callable[..., bool]) -> Codes:
        """The rows of subjects for which `chosen(kind, ref)` holds."""
        import numpy as np

        found = [row for row, (kind, ref) in enumerate(self.subjects) if chosen(kind, ref)]
        return np.asarray(found, dtype=np.intp)


def charge(metered: Metered, book: PriceBook) -> Charges:
    """Charge what was metered with what held in each hour."""
    import numpy as np

    found = cluster_rates(book, metered)
    subjects = _subjects(metered)
    nodes = {node.name: row for row, node in enumerate(metered.nodes)}
    node_of = np.asarray([nodes.get(one.node, -1) for one in metered.containers], dtype=np.intp)
    containers, machines = len(metered.containers), len(metered.nodes)
    idle_rows = np.arange(containers, containers + machines)
    amounts: dict[str, dict[Resource, Matrix]] = {"requested": {}, "used": {}, "charged": {}}
    bill: dict[Component, float] = {}
    charges = Charges(metered, book.currency, subjects, {}, node_of, idle_rows, amounts, bill, (), ())
    overcommitted = np.zeros((machines, metered.hours.count), dtype=bool)
    split = np.zeros((machines, metered.hours.count))
    for resource, component in COMPONENTS.items():
        charged, costs, assets = _resource(metered, resource, found.rates[resource], node_of)
        amounts["charged"][resource] = charged.sum(axis=1)
        for what, given in (("requested", metered.requested), ("used", metered.used)):
            if resource in given:
                amounts[what][resource] = np.where(node_of >= 0, np.nansum(given[resource], axis=1), 0.0)
        if assets.any() or costs.any():
            overcommitted |= _charge_nodes(charges, component, costs, assets)
            bill[component] = float(assets.sum())
            split += assets
    by_hour = HourPrices.of(metered, book)
    volumes = _charge_volumes(charges, by_hour, containers + 2 * machines)
    unsized = _unsized(metered)
    plane = containers + 2 * machines + len(metered.volumes) + len(metered.balancers)
    others = (
        volumes,
        *_charge_others(charges, by_hour, plane),
        _charge_unsized(charges, found.hourly, split, unsized),
        *charge_telemetry(charges, by_hour, plane + 1),
    )
    for component, amount in others:
        if amount:
            bill[component] = bill.get(component, 0.0) + amount
    kinds = (f"nodes: {kind}" for kind in found.unpriced)
    charges.unpriced = (*kinds, *_of_unknown_size(metered, unsized), *by_hour.unpriced)
    notes = _notes(metered, node_of, int(overcommitted.sum()), found.by_list)
    charges.notes = (*notes, *telemetry_notes(metered, by_hour))
    return charges


def _unsized(metered: Metered) -> NDArray[np.bool_]:
    """Where a node was there while nobody told how large it is: a price of its cannot be split.

    Every node has CPU and memory; GPUs that were told in other hours alone (NaN) lack as well.
    """
    import numpy as np

    lacking = np.zeros(metered.present.shape, dtype=bool)
    for resource in COMPONENTS:
        capacity = metered.capacity.get(resource)
        lacking |= np.isnan(capacity) if capacity is not None else resource is not Resource.GPU
    there: NDArray[np.bool_] = lacking & (np.nan_to_num(metered.present) > 0)
    return there


def _charge_unsized(
    charges: Charges, hourly: Matrix, split: Matrix, unsized: NDArray[np.bool_]
) -> tuple[Component, float]:
    """What such nodes are known to cost beside what was `split`: without a line of their own nothing is."""
    import numpy as np

    left = np.nan_to_num(hourly * charges.metered.present - split)
    costs = np.where(unsized, np.maximum(left, 0.0), 0.0)
    if costs.any():
        charges.of(Component.OVERHEAD)[charges.idle_rows] += costs
    return Component.OVERHEAD, float(costs.sum())


def _of_unknown_size(metered: Metered, unsized: NDArray[np.bool_]) -> Iterator[str]:
    """Who they are: what of them fell to whom is not known."""
    import numpy as np

    rows = np.flatnonzero(unsized.any(axis=1))
    if rows.size:
        named = ", ".join(metered.nodes[row].name for row in rows[:_MOST_NAMED])
        more = f" and {rows.size - _MOST_NAMED} more" if rows.size > _MOST_NAMED else ""
        yield f"nodes whose capacity was not told: {named}{more}"


def _charge_nodes(charges: Charges, component: Component, costs: Matrix, assets: Matrix) -> NDArray[np.bool_]:
    """The cells of one resource: of containers, of each node's idle and over-commit. Gives where that is."""
    import numpy as np

    containers, machines = costs.shape[0], assets.shape[0]
    ran = charges.node_of >= 0
    left = assets - Groups(charges.node_of[ran], machines).sums(costs[ran])
    left[np.abs(left) <= 1e-12 * assets] = 0.0  # what rounding leaves of a full node is neither
    cells = charges.of(component)
    cells[:containers] = costs
    cells[charges.idle_rows] = np.maximum(left, 0.0)
    cells[charges.idle_rows + machines] = np.minimum(left, 0.0)
    return left < 0


def _subjects(metered: Metered) -> tuple[Subject, ...]:
    return (
        *((RowKind.SPENDER, one) for one in metered.containers),
        *((RowKind.IDLE, ContainerRef("", "", "", one.name)) for one in metered.nodes),
        *((RowKind.OVERCOMMIT, ContainerRef("", "", "", one.name)) for one in metered.nodes),
        *((RowKind.UNALLOCATED, ContainerRef(one.namespace, "", "", "")) for one in metered.volumes),
        *(
            (RowKind.SPENDER, ContainerRef(one.namespace, "", "", "", "Service", one.service))
            for one in metered.balancers
        ),
        (RowKind.OVERHEAD, ContainerRef("", "", "", "")),
        *(
            (RowKind.SPENDER if one.namespace else RowKind.OVERHEAD, ContainerRef(one.namespace, "", "", ""))
            for one in metered.telemetry
        ),
    )


def _resource(
    metered: Metered, resource: Resource, rates: Matrix, node_of: Codes
) -> tuple[Matrix, Matrix, Matrix]:
    """Unit-hours charged and their costs by container, and what the resource costs by node."""
    import numpy as np

    shape = (len(metered.containers), metered.hours.count)
    nothing = np.full(shape, np.nan)
    wanted = np.fmax(metered.requested.get(resource, nothing), metered.used.get(resource, nothing))
    amounts = np.where(node_of[:, None] >= 0, np.nan_to_num(wanted), 0.0)
    capacity = metered.capacity.get(resource)
    if capacity is None or not len(metered.nodes):
        return amounts, np.zeros(shape), np.zeros((len(metered.nodes), metered.hours.count))
    known = np.nan_to_num(np.where(np.isnan(capacity), np.nan, rates))
    costs = np.where(node_of[:, None] >= 0, amounts * known[node_of], 0.0)
    return amounts, costs, known * np.nan_to_num(capacity)


def _charge_others(charges: Charges, prices: HourPrices, plane: int) -> Iterator[tuple[Component, float]]:
    """Network, load balancers and the control plane after them, in the row `plane`; what is paid for each."""
    import numpy as np

    metered = charges.metered
    sums = {Component.NETWORK: 0.0, Component.OVERHEAD: 0.0}
    for destination, sent in sorted(metered.sent_gib.items()):
        amounts = np.nansum(sent, axis=0)
        row = prices.row(_egress(destination), f"network to {destination}", amounts)
        charges.of(Component.NETWORK)[: len(sent)] += np.nan_to_num(sent) * row
        sums[Component.NETWORK] += float((amounts * row).sum())
    if metered.balancer_hours is not None and len(metered.balancers):
        hours = np.nan_to_num(metered.balancer_hours)
        row = prices.row(lambda one: one.load_balancer_hourly, "load balancers", hours)
        charges.of(Component.OVERHEAD)[plane - len(hours) : plane] = hours * row
        sums[Component.OVERHEAD] += float((hours.sum(axis=0) * row).sum())
    there = seen(metered)  # it lasts as long as any node
    versions = [version for version in prices.versions if version is not None]
    if any(version.control_plane_hourly is not None for version in versions):
        row = prices.row(lambda one: one.control_plane_hourly, "the control plane", there)
        charges.of(Component.OVERHEAD)[plane] = there * row
        sums[Component.OVERHEAD] += float((there * row).sum())
    yield from sums.items()


def seen(metered: Metered) -> Matrix:
    """The share of each hour in which any node was there, also where nodes took one another's place in it.

    Nobody tells when in the hour a node was there. Together they were for at most the sum of their shares and
    what was measured of the hour, and at least for the longest: the most is taken.
    """
    import numpy as np

    shares = np.nan_to_num(metered.present)
    together = np.minimum(shares.sum(axis=0), metered.coverage * metered.over)
    there: Matrix = np.maximum(shares.max(axis=0, initial=0.0), together)
    return there


def _egress(destination: str) -> Callable[[PriceVersion], float | None]:
    return lambda version: getattr(version.egress, destination, None)


def _charge_volumes(charges: Charges, prices: HourPrices, first: int) -> tuple[Component, float]:
    """A volume falls evenly to the pods that mount it in the hour, and in each evenly to its containers.

    `first` is the row of the first volume. Gives what is paid for all of them.
    """
    import numpy as np

    metered = charges.metered
    present = _present(metered)
    paid = 0.0
    containers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, one in enumerate(metered.containers):
        containers[one.namespace, one.pod].append(row)
    for number, volume in enumerate(metered.volumes):
        amounts = np.nan_to_num(metered.volume_gib[number])
        name = volume.storage_class
        cost = amounts * prices.row(_class_price(name), _class_name(name), amounts)
        pods = [containers[volume.namespace, pod] for pod in dict.fromkeys(volume.pods)]
        there = [(rows, present[rows]) for rows in pods if rows]
        mounts = np.zeros_like(cost)
        for _, here in there:
            mounts += here.any(axis=0)
        storage = charges.of(Component.STORAGE)
        for rows, here in there:
            inside = here.sum(axis=0)
            storage[rows] += np.where(here, cost / np.maximum(mounts * inside, 1.0), 0.0)
        storage[first + number] = np.where(mounts > 0, 0.0, cost)
        paid += float(cost.sum())
    return Component.STORAGE, paid


def _present(metered: Metered) -> NDArray[np.bool_]:
    """Whether anything of a container was measured in an hour."""
    import numpy as np

    seen = np.zeros((len(metered.containers), metered.hours.count), dtype=bool)
    for rows in (*metered.requested.values(), *metered.used.values()):
        seen |= ~np.isnan(rows)
    return seen


def _class_price(name: str) -> Callable[[PriceVersion], float | None]:
    def read(version: PriceVersion) -> float | None:
        found = version.storage_class(name)
        return None if found is None else found.per_gib_hour

    return read


def _class_name(name: str) -> str:
    return f"storage class {name}" if name else "volumes without a storage class"


def _notes(metered: Metered, node_of: Codes, overcommitted: int, by_list: Iterable[str]) -> tuple[str, ...]:
    told = [*metered.notes, *(f"nodes by the list prices: {kind}" for kind in by_list)]
    if overcommitted:
        told.append(
            f"{overcommitted} node-hours are over-committed: more was asked for or used than there is"
        )
    strangers = sum(1 for row, one in enumerate(metered.containers) if one.node and node_of[row] < 0)
    if strangers:
        told.append(f"{strangers} containers on nodes that were not measured are charged nothing")
    return tuple(told)
