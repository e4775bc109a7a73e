"""How large the containers of a context should be: its Prometheus, its objectives, its prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import MaestroError, NoData, NotFound, UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.cost.rightsizing.advice import Advice
from maestro_cli.cost.rightsizing.cluster_facts import read_facts
from maestro_cli.cost.rightsizing.demands import demands_of
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Facts
from maestro_cli.cost.rightsizing.guards import BudgetLeft
from maestro_cli.cost.rightsizing.history import read_usage, window_of
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.node_rates import rates_of
from maestro_cli.cost.rightsizing.owners import PodKey, read_owners
from maestro_cli.cost.rightsizing.packing import NOTHING_READ, Demands
from maestro_cli.cost.rightsizing.placement import Room
from maestro_cli.cost.rightsizing.report import Rightsizing
from maestro_cli.cost.rightsizing.saving import Saving, claim_of, realised_by
from maestro_cli.cost.rightsizing.sizing import advise
from maestro_cli.cost.rightsizing.thinness import WEEK_SECONDS

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices
    from maestro_cli.slo.objectives import Objective

_LEAST_WINDOW = 300.0
_MOST_WINDOW = 35 * 86_400.0


@dataclass(frozen=True, slots=True)
class RightsizingWanted:
    """What `maestro cost rightsize` was asked for, as it was written."""

    namespace: str | None = None
    everywhere: bool = False
    workloads: tuple[str, ...] = ()
    window: str = "14d"
    least_history: str = "7d"
    until: str = ""
    prices: Path | None = None


def find_rightsizing(services: CostServices, wanted: RightsizingWanted) -> Rightsizing:
    """Raises UsageError, InvalidFile for the prices, NotFound for a workload, NoData without any pod."""
    looked = _looked(wanted)
    namespace = _namespace(services, wanted)
    end = _end(services, wanted)
    span = timedelta(seconds=looked.span_seconds)
    history, series = services.raw_prometheus, services.cluster_series
    owners = read_owners(history, series, "", end - span, end)
    chosen = _chosen(services, wanted, owners, namespace)
    facts = read_facts(history, series, owners, chosen, end, span)
    window = window_of(history, end, span)
    measured = read_usage(history, series, chosen, window)  # one workload at a time
    objectives = _Budgets(services)
    items = tuple(
        advise(workload, list(of), facts, objectives.of(workload), looked)
        for workload, of in groupby(measured, key=lambda one: one.container.workload)
    )
    saving, notes = _saving(services, wanted, items, facts, looked, end)
    return Rightsizing(
        services.context_name, end - span, end, looked.least_seconds, items, saving,
        (*notes, *objectives.notes, *_trust(looked)),
    )  # fmt: skip


def _looked(wanted: RightsizingWanted) -> Looked:
    try:
        span, least = (parse_duration_seconds(text) for text in (wanted.window, wanted.least_history))
    except ValueError as error:
        fix = "--window 14d --least-history 7d"
        raise UsageError(str(error), why="it says how far back to look", fix=fix) from error
    if not _LEAST_WINDOW <= span <= _MOST_WINDOW:
        raise UsageError(
            f"a window of {wanted.window} is not one of 5m to 35d",
            why="less shows no percentile, and more is seldom kept",
            fix="--window 14d",
        )
    if not 0 < least <= span:
        raise UsageError(
            f"{wanted.least_history} of history cannot be in a window of {wanted.window}",
            why="what is looked at is the window",
            fix="--least-history of at most --window",
        )
    return Looked(span, least)


def _end(services: CostServices, wanted: RightsizingWanted) -> datetime:
    now = services.clock.now()
    if not wanted.until:
        return now
    try:
        end = from_rfc3339(wanted.until)
    except ValueError as error:
        why = f"{wanted.until!r} is no time"
        raise UsageError(str(error), why=why, fix="--until 2026-11-01T12:00:00Z") from error
    if end > now:
        raise UsageError(
            f"{wanted.until} is not over yet", why="nobody measured it", fix="--until a time that has passed"
        )
    return end


def _trust(looked: Looked) -> Sequence[str]:
    if looked.least_seconds >= WEEK_SECONDS:
        return ()
    least = format_duration(looked.least_seconds)
    return (f"{least} of history is taken for enough: a busy day or a weekly peak may not be in it",)


def _namespace(services: CostServices, wanted: RightsizingWanted) -> str:
    if wanted.everywhere and wanted.namespace is not None:
        raise UsageError(
            "one namespace and all of them", why="-n and -A exclude each other", fix="leave one out"
        )
    return "" if wanted.everywhere else wanted.namespace or services.context.namespace or ""


def _chosen(
    services: CostServices, wanted: RightsizingWanted, owners: Mapping[PodKey, WorkloadId], namespace: str
) -> dict[PodKey, WorkloadId]:
    """The pods of the workloads that were asked for. Raises NotFound, NoData."""
    if not owners:
        raise NoData(
            "no pod of any workload was seen",
            why=f"Prometheus has no kube_pod_owner in the last {wanted.window}",
            fix="let it scrape kube-state-metrics; a longer --window",
        )
    known = set(owners.values())
    if wanted.workloads:
        named = {_id(services.workload_ref(text, wanted.namespace)) for text in wanted.workloads}
        missing = sorted(named - known)
        if missing:
            raise NotFound(
                f"no pod of {missing[0]} was seen in the last {wanted.window}",
                why="kube_pod_owner names none",
                fix="maestro cost rightsize -A lists what was",
            )
    else:
        named = {one for one in known if namespace in ("", one.namespace)}
    chosen = {pod: workload for pod, workload in owners.items() if workload in named}
    if not chosen:
        raise NoData(
            f"no pod was seen in the namespace {namespace}",
            why=f"kube_pod_owner names none in the last {wanted.window}",
            fix="another -n, or -A for all of them",
        )
    return chosen


def _id(ref: WorkloadRef) -> WorkloadId:
    return WorkloadId(ref.namespace, ref.kind, ref.name)


class _Budgets:
    """What is left of the error budgets of those objectives that are about a workload; each read once.

    By what was seen: where little was, the history of the workload is too thin as well, and forbids a cut.
    """

    def __init__(self, services: CostServices) -> None:
        self._services = services
        self.notes: tuple[str, ...] = ()
        self._unknown = ""
        self._objectives: Sequence[Objective] = ()
        try:
            self._objectives = [one for one in services.objectives.values() if one.is_watched]
        except MaestroError as error:
            self.notes = (f"objectives are not known: {error.what}",)
            self._unknown = error.what

    def of(self, workload: WorkloadId) -> list[BudgetLeft]:
        """Where objectives cannot be read, one that is not known stands for them: it forbids every cut."""
        if self.notes:
            return [BudgetLeft("its objectives", None, self._unknown)]
        ref = WorkloadRef(workload.kind, workload.namespace, workload.name)
        found = []
        for one in self._objectives:
            if one.is_for(ref):
                left = self._services.budget_left(one)
                found.append(BudgetLeft(one.name, left.seen, left.why))
        return found


def _saving(
    services: CostServices,
    wanted: RightsizingWanted,
    items: Sequence[Advice],
    facts: Facts,
    looked: Looked,
    end: datetime,
) -> tuple[Saving | None, Iterable[str]]:
    prices = services.prices(wanted.prices)
    if prices.book is None:
        return None, ("nothing prices the machines: savings are in cores and bytes alone",)
    rates, unpriced = rates_of(prices.book, facts.nodes, end)
    hours = looked.span_seconds / 3600
    claims = {one.workload: claim_of(one, facts.pods, rates, hours) for one in items}
    demands, nodes, notes = _demands(services, facts.nodes)
    realised = realised_by(items, nodes, facts.pods, rates, demands)
    later = realised_by(items, nodes, facts.pods, rates, demands, at_goals=True)
    return Saving(prices.book.currency, claims, realised, later, unpriced), notes


def _demands(services: CostServices, rooms: Sequence[Room]) -> tuple[Demands, Sequence[Room], Sequence[str]]:
    """Of the context's cluster, where it has one, and its nodes with the labels that it has of them.

    A listing that is refused hides no saving.
    """
    if services.context.cluster is None:
        return NOTHING_READ, rooms, ()
    try:
        demands = demands_of(services.cluster.list_readable_workloads(None))
        labels = {one.name: one.labels for one in services.cluster.list_nodes()}
        told = [replace(room, labels={**room.labels, **labels.get(room.name, {})}) for room in rooms]
        return demands, told, ()
    except MaestroError as error:
        return (
            NOTHING_READ,
            rooms,
            (f"pod templates are not known: pods are taken to stay on nodes alike ({error.what})",),
        )
