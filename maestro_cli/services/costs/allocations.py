"""Who pays what in a context, or in a record of one; and what changed since a window before."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from maestro_cli.core.archives import archive_kind
from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.allocate import allocate, tell
from maestro_cli.cost.allocation.charging import charge
from maestro_cli.cost.allocation.comparing import Comparison, compare
from maestro_cli.cost.allocation.grouping import Filter, parse_grouping
from maestro_cli.cost.allocation.model import Allocation
from maestro_cli.cost.allocation.report import AllocationFound, CostReport
from maestro_cli.cost.allocation.sharing import (
    USUAL_ORDER,
    IdleSharing,
    SharedNamespace,
    Sharing,
    Spread,
    Step,
)
from maestro_cli.cost.metering.model import Metered, hour_of
from maestro_cli.cost.prices.model import PriceBook
from maestro_cli.services.costs.wanted import AllocationWanted, CostWindow
from maestro_cli.services.costs.windows import (
    CostData,
    find_cost_data,
    hours_of,
    meter_hours,
    write_record,
)

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

E = TypeVar("E", bound=Enum)
REPORTED = ("namespace", "team", "workload", "model,version", "node")


@dataclass(frozen=True, slots=True)
class Asked:
    """The same, read and checked before anything is asked of anybody."""

    grouping: tuple[str, ...]
    where: Filter
    sharing: Sharing


def read_wanted(wanted: AllocationWanted) -> Asked:
    """Raises UsageError."""
    return Asked(parse_grouping(wanted.by), Filter.parse(wanted.where), _sharing(wanted))


def find_allocation(services: CostServices, wanted: AllocationWanted) -> AllocationFound:
    """Raises UsageError, NoData, InvalidFile, Unreachable."""
    asked = read_wanted(wanted)
    data = _data(services, wanted)
    hourly = allocate(data.metered, data.book, asked.grouping, asked.sharing, asked.where)
    return AllocationFound(hourly, data.book.source, data.digest)


def find_report(services: CostServices, wanted: AllocationWanted) -> CostReport:
    """The bill by every grouping of `REPORTED`, charged once; raises what `find_allocation` raises."""
    asked = read_wanted(wanted)
    data = _data(services, wanted)
    charges = charge(data.metered, data.book)
    return CostReport(
        tuple(
            AllocationFound(
                tell(charges, parse_grouping(by), asked.sharing, asked.where), data.book.source, data.digest
            )
            for by in REPORTED
        )
    )


def find_difference(
    services: CostServices, wanted: AllocationWanted, before: Path | None, after: Path | None
) -> Comparison:
    """Two records, or the window and as many hours before it; raises what `find_allocation` raises."""
    asked = read_wanted(wanted)

    def told(metered: Metered, book: PriceBook) -> Allocation:
        return allocate(metered, book, asked.grouping, asked.sharing, asked.where).allocation

    if before is not None and after is not None:
        earlier, later = (
            find_cost_data(services, replace(wanted.window, record=one)) for one in (before, after)
        )
    elif before is not None:
        raise UsageError("one record has nothing to be compared with", fix="maestro cost diff BEFORE AFTER")
    else:
        earlier, later = _two_windows(services, wanted.window)
    return compare((earlier.metered, earlier.book), (later.metered, later.book), told)


def _two_windows(services: CostServices, wanted: CostWindow) -> tuple[CostData, CostData]:
    now = services.clock.now()
    whole = hour_of(now)  # an hour that is not over would be a cheap one
    hours = hours_of(wanted, now if wanted.until else whole)
    book = services.prices(wanted.prices).machines()
    earlier = replace(hours, start=hours.start - (hours.end - hours.start))
    return (
        CostData(meter_hours(services, earlier, now), book),
        CostData(meter_hours(services, hours, now), book),
    )


def _data(services: CostServices, wanted: AllocationWanted) -> CostData:
    if wanted.write is None:
        return find_cost_data(services, wanted.window)
    archive_kind(wanted.write.name)  # a wrong name is told before anything is asked
    data = find_cost_data(services, wanted.window)
    return replace(data, digest=write_record(data, wanted.write))


def _sharing(wanted: AllocationWanted) -> Sharing:
    weights = dict(_weight(text) for text in wanted.weights)
    spaces = []
    for text in wanted.share:
        namespace, _, spread = text.partition("=")
        how = _one_of(Spread, spread or Spread.COST.value, "--share")
        spaces.append(SharedNamespace(namespace, how, weights))
    names = [one.namespace for one in spaces]
    if not all(names) or len(set(names)) != len(names):
        raise UsageError("a shared namespace has no name, or is there twice", fix="--share kube-system=cost")
    overhead = _one_of(Spread, wanted.share_overhead, "--share-overhead") if wanted.share_overhead else None
    by_metric = any(one.spread is Spread.METRIC for one in spaces) or overhead is Spread.METRIC
    if by_metric is not bool(weights):
        raise UsageError(
            "weights are given and nothing is shared by them" if weights else "nothing says by which metric",
            fix="--share kube-system=metric --share-weight ml=3 --share-weight web=1",
        )
    idle = _one_of(IdleSharing, wanted.share_idle, "--share-idle")
    return Sharing(idle, tuple(spaces), overhead, weights, _order(wanted.order))


def _order(text: str) -> tuple[Step, ...]:
    """Each step once; the usual order without any."""
    if not text:
        return USUAL_ORDER
    words = [one.strip() for one in text.split(",")]
    if sorted(words) != sorted(one.value for one in Step):
        raise UsageError(
            f"--share-order {visible(text, 60)!r} is no order",
            why="each of idle, namespaces and overhead stands in it once",
            fix="--share-order namespaces,idle,overhead",
        )
    return tuple(map(Step, words))


def _weight(text: str) -> tuple[str, float]:
    namespace, _, figure = text.rpartition("=")
    try:
        weight = float(figure)
    except ValueError:
        weight = -1.0
    if not namespace or not (math.isfinite(weight) and weight >= 0):
        raise UsageError(f"{visible(text, 60)!r} is no weight of a namespace", fix="--share-weight ml=3")
    return namespace, weight


def _one_of(kind: type[E], text: str, option: str) -> E:
    words = [one.value for one in kind]
    if text not in words:
        raise UsageError(
            f"{option} {visible(text, 40)!r}", why=f"it is {', '.join(words)}", fix=f"{option} {words[0]}"
        )
    return kind(text)
