"""What is wasted in a context: its metered hours, its model servers, its Prometheus, its store of models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.quantities import format_duration
from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.allocation.model import RowKind
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH
from maestro_cli.cost.storage.report import StorageWanted
from maestro_cli.cost.storage.tiering import Place
from maestro_cli.cost.waste.machines import idle_machines
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste
from maestro_cli.cost.waste.needs import Needs, needs_of
from maestro_cli.cost.waste.report import WasteReport
from maestro_cli.cost.waste.served import dear_series, served_waste
from maestro_cli.cost.waste.volumes import unattached_volumes
from maestro_cli.services.costs.wanted import CostWindow
from maestro_cli.services.costs.windows import CostData

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

Found = Iterator[Waste | NotJudged]


@dataclass(frozen=True, slots=True)
class WasteWanted:
    """What `maestro cost waste` was asked for; `store` is a store of models to look at too."""

    window: CostWindow
    store: Path | None = None
    prefix: str = ""

    @property
    def is_past(self) -> bool:
        """Whether it is asked what was, and not what is."""
        return bool(self.window.until) or self.window.record is not None


def find_waste(services: CostServices, wanted: WasteWanted) -> WasteReport:
    """Raises what `cost_data` raises; a kind that cannot be looked for is told, and stops no other."""
    data = services.cost_data(wanted.window)
    looks: list[tuple[tuple[Kind, ...], Callable[[], Found]]] = [
        ((Kind.ZOMBIE, Kind.OVER_REPLICATED), lambda: _machines(services, data, wanted)),
        ((Kind.UNATTACHED,), lambda: unattached_volumes(data.metered, data.book.at(data.metered.hours.end))),
    ]
    if wanted.window.record is None:
        looks.append(((Kind.IDLE_MODEL, Kind.COLD_CACHE), lambda: _served(services, data)))
        looks.append(((Kind.SERIES,), lambda: _series(services, data, is_past=wanted.is_past)))
    else:
        looks.append(((), _not_recorded))
    if wanted.store is not None:
        looks.append(((Kind.OLD_ARTEFACT,), lambda: _artefacts(services, wanted)))
    found = [one for kinds, look in looks for one in _tried(kinds, look)]
    if wanted.is_past:  # what would end it is of then
        found = [replace(one, remedy="") if isinstance(one, Waste) else one for one in found]
    items = sorted(
        (one for one in found if isinstance(one, Waste)),
        key=lambda one: (one.monthly is None, -(one.monthly or 0.0), one.kind.value, one.namespace, one.name),
    )
    not_judged = tuple(one for one in found if isinstance(one, NotJudged))
    metered = data.metered
    # what is no zombie's to judge is not judged for its replicas either, and told once
    looked_for = tuple(kind for kinds, _ in looks for kind in kinds if kind is not Kind.OVER_REPLICATED)
    return WasteReport(
        metered.cluster, data.book.currency, metered.hours, tuple(items), not_judged, looked_for
    )


def _tried(kinds: Iterable[Kind], look: Callable[[], Found]) -> list[Waste | NotJudged]:
    try:
        return list(look())
    except MaestroError as error:
        return [NotJudged(kind, error.what) for kind in kinds]


def _not_recorded() -> Found:
    for kind in (Kind.IDLE_MODEL, Kind.COLD_CACHE, Kind.SERIES):
        yield NotJudged(kind, "a record has no requests to models, and no series")


def _machines(services: CostServices, data: CostData, wanted: WasteWanted) -> Found:
    hourly = allocate(data.metered, data.book, ("workload",))
    month = HOURS_OF_A_MONTH / max(data.metered.hours.count - 1, 1)  # the last hour may only have begun
    spent = {
        row.keys[0]: float(costs[:-1].sum()) * month
        for row, costs in zip(hourly.allocation.rows, hourly.costs, strict=True)
        if row.kind is RowKind.SPENDER
    }
    return idle_machines(data.metered, spent, None if wanted.is_past else _needs(services))


def _needs(services: CostServices) -> dict[str, Needs] | None:
    """None where there are metrics alone, and where the cluster does not tell."""
    if services.context.cluster is None:
        return None
    cluster = services.cluster
    try:
        budgets = cluster.list_disruption_budgets(None)
        return needs_of(cluster.list_all_workloads(None), budgets, cluster.list_autoscalers(None))
    except MaestroError:
        return None


def _served(services: CostServices, data: CostData) -> Found:
    hours = data.metered.hours
    end = min(services.clock.now(), hours.end)
    return served_waste(services.prometheus, services.cluster_series, end, hours.count * 3600.0)


def _series(services: CostServices, data: CostData, *, is_past: bool) -> Found:
    if is_past:
        yield NotJudged(Kind.SERIES, "Prometheus counts the series that it has now")
        return
    if services.cluster_series.match:
        yield NotJudged(Kind.SERIES, "Prometheus counts the series of all its clusters together")
        return
    version = data.book.at(data.metered.hours.end)
    head = services.raw_prometheus.head_series()
    per_series = None if version is None else version.per_series_month
    yield from dear_series(head.by_metric, head.total, per_series)


def _artefacts(services: CostServices, wanted: WasteWanted) -> Found:
    assert wanted.store is not None
    stored = services.stored(StorageWanted(wanted.store, wanted.prefix, prices=wanted.window.prices))
    if stored.unknown:
        yield NotJudged(Kind.OLD_ARTEFACT, f"who needs which version is not known: {stored.unknown}")
    for item in stored.items:
        if item.place is Place.MOVE:
            age = format_duration((stored.at - item.version.written_at).total_seconds())
            evidence = f"{item.version.size_bytes / 2**30:.3g} GiB, written {age} ago, needed by nothing"
            saving = (item.saving or 0.0) / stored.wanted.months
            yield Waste(Kind.OLD_ARTEFACT, "", item.version.name, evidence, monthly=saving)
