"""How large the containers of a context should be: its Prometheus, its objectives, its prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import NoData, NotFound, UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.cost.rightsizing.advice import Advice
from maestro_cli.cost.rightsizing.cluster_facts import read_facts
from maestro_cli.cost.rightsizing.demands import containers_of, demands_of
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Facts
from maestro_cli.cost.rightsizing.history import read_usage, window_of
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.node_rates import rates_of
from maestro_cli.cost.rightsizing.owners import PodKey, read_owners
from maestro_cli.cost.rightsizing.packing import NOTHING_READ
from maestro_cli.cost.rightsizing.placement import PlacedPod
from maestro_cli.cost.rightsizing.report import Rightsizing
from maestro_cli.cost.rightsizing.saving import Saving, claim_of, realised_by
from maestro_cli.cost.rightsizing.sizing import advise
from maestro_cli.cost.rightsizing.thinness import WEEK_SECONDS
from maestro_cli.services.costs.rightsizing_cluster import ClusterSeen, Guards

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

_LEAST_WINDOW = 300.0
_YOUNG = "where all is young, less history may be taken for enough: --window 1h --least-history 15m"
_MOST_WINDOW = 35 * 86_400.0
_NAMED = 5


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
    # The journal is loaded for this view alone.
    from maestro_cli.services.costs.rightsizing_kills import find_kills

    looked = _looked(wanted)
    namespace = namespace_of(services, wanted)
    end = _end(services, wanted)
    span = timedelta(seconds=looked.span_seconds)
    history, series = services.raw_prometheus, services.cluster_series
    owners = read_owners(history, series, "", end - span, end)
    chosen = _chosen(services, wanted, owners, namespace)
    facts = read_facts(history, series, owners, chosen, end, span)
    window = window_of(history, end, span)
    measured = read_usage(history, series, chosen, window)  # one workload at a time
    objectives, cluster = Guards(services, owners), ClusterSeen(services)
    undone, untold = find_kills(services, chosen, facts, end - span, end)
    facts = replace(
        facts, templates=containers_of(cluster.workloads or ()), undone=undone, undone_untold=untold
    )
    facts, unscaled = _with_autoscalers(facts, cluster, set(chosen.values()))
    items = tuple(
        advise(workload, list(of), facts, objectives.of(workload), looked)
        for workload, of in groupby(measured, key=lambda one: one.container.workload)
    )
    saving, notes = _saving(services, wanted, items, facts, cluster, end)
    found = Rightsizing(
        services.context_name, end - span, end, looked.least_seconds, items, saving,
        (*notes, *untold, *objectives.notes, *cluster.notes, *unscaled, *_trust(looked), *_unguarded(items)),
    )  # fmt: skip
    is_young = found.is_blind and looked.least_seconds >= WEEK_SECONDS
    return replace(found, notes=(*found.notes, _YOUNG)) if is_young else found


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


def _with_autoscalers(
    facts: Facts, cluster: ClusterSeen, workloads: set[WorkloadId]
) -> tuple[Facts, tuple[str, ...]]:
    """With those that the cluster tells of and metrics do not.

    Where neither tells of any, and the cluster could not be asked, no cut is made; without a cluster it is
    said that metrics alone were looked at.
    """
    told = cluster.autoscalers(workloads)
    if not isinstance(told, str):
        return replace(facts, autoscalers={**told, **facts.autoscalers}), ()
    if facts.autoscalers:
        return facts, ()
    text = f"whether autoscalers scale by what is asked for is not known, metrics tell of none: {told}"
    return (replace(facts, autoscalers_untold=told) if cluster.is_there else facts), (text,)


def _trust(looked: Looked) -> Sequence[str]:
    if looked.least_seconds >= WEEK_SECONDS:
        return ()
    least = format_duration(looked.least_seconds)
    return (f"{least} of history is taken for enough: a busy day or a weekly peak may not be in it",)


def namespace_of(services: CostServices, wanted: RightsizingWanted) -> str:
    """The one that is looked at, "" for all of them; raises UsageError."""
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


def _saving(
    services: CostServices,
    wanted: RightsizingWanted,
    items: Sequence[Advice],
    facts: Facts,
    cluster: ClusterSeen,
    end: datetime,
) -> tuple[Saving | None, Iterable[str]]:
    prices = services.prices(wanted.prices)
    if prices.book is None:
        return None, ("nothing prices the machines: savings are in cores and bytes alone",)
    rates, unpriced = rates_of(prices.book, facts.nodes, end)
    pods = defaultdict[WorkloadId | None, list[PlacedPod]](list)
    for pod in facts.pods:
        pods[pod.workload].append(pod)
    claims = {one.workload: claim_of(one, pods[one.workload], rates) for one in items}
    demands = NOTHING_READ if cluster.workloads is None else demands_of(cluster.workloads)
    nodes = facts.nodes
    if cluster.workloads is not None:
        nodes = tuple(
            replace(one, labels={**one.labels, **cluster.node_labels.get(one.name, {})}) for one in nodes
        )
    realised = realised_by(items, nodes, facts.pods, rates, demands)
    later = realised_by(items, nodes, facts.pods, rates, demands, at_goals=True)
    return Saving(prices.book.currency, claims, realised, later, unpriced), ()


def _unguarded(items: Sequence[Advice]) -> Iterable[str]:
    """Who would be cut with nobody to notice that it hurts."""
    cut = [str(one.workload) for one in items if one.cuts and not one.budgets]
    if cut:
        names = ", ".join(cut[:_NAMED]) + (f" and {len(cut) - _NAMED} more" if len(cut) > _NAMED else "")
        yield f"no objective guards {names}: a cut that hurts would show to nobody, and apply asks for that"
