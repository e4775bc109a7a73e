"""Which batch work of a cluster is to run on spot machines, by the prices of the context."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import MaestroError, NoData, NotFound, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.prices.model import Capacity
from maestro_cli.cost.spot.batch import read_batches
from maestro_cli.cost.spot.rooms import Room, rooms_of
from maestro_cli.cost.spot.saving import Offer, SpotSavings, offers_of, weigh

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices


@dataclass(frozen=True, slots=True)
class SpotWanted:
    """What `maestro cost spot` was asked for; `plan_off` is what a savings plan takes off, 0 to 1."""

    namespace: str | None = None
    everywhere: bool = False
    prices: Path | None = None
    region: str = ""
    interruptions_per_hour: float | None = None
    plan_off: float = 0.0


def find_spot_savings(services: CostServices, wanted: SpotWanted) -> SpotSavings:
    """Raises UsageError, InvalidFile for the prices, NoData where there is no batch work at all."""
    _check(wanted)
    book = services.prices(wanted.prices).machines()
    now = services.clock.now()
    version = book.at(now)
    remarks: list[str] = []
    namespace = None if wanted.everywhere else wanted.namespace or services.context.namespace or None
    jobs = _listed(services, "jobs", namespace, remarks)
    batches = read_batches(jobs, _listed(services, "cronjobs", namespace, remarks))
    if not batches:
        where = "anywhere" if namespace is None else f"in {visible(namespace, 63)}"
        raise NoData(
            "there is no batch work",
            why="; ".join((f"no Job and no CronJob {where}", *remarks)),
            fix="another --context" if namespace is None else "-n NAMESPACE, or -A for all of them",
        )
    offers: tuple[Offer, ...] = ()
    if version is not None:
        by_kind = any(line.capacity is Capacity.SPOT for line in version.nodes)
        rooms = _rooms(services, remarks) if by_kind else {}
        offers = offers_of(version, wanted.region, wanted.interruptions_per_hour, rooms)
    items = (weigh(batch, version, offers, now, plan_off=wanted.plan_off) for batch in batches)
    return SpotSavings(now, book.currency, tuple(items), tuple(remarks))


def _check(wanted: SpotWanted) -> None:
    if wanted.everywhere and wanted.namespace is not None:
        raise UsageError(
            "one namespace and all of them", why="-n and -A exclude each other", fix="leave one out"
        )
    rate = wanted.interruptions_per_hour
    if rate is not None and not (math.isfinite(rate) and rate >= 0):
        raise UsageError(f"{rate:g} interruptions an hour are none", fix="--interruptions-per-hour 0.05")
    if not 0 <= wanted.plan_off < 1:
        raise UsageError("a savings plan takes off a share from 0 to below 1", fix="--savings-plan 0.28")


def _rooms(services: CostServices, remarks: list[str]) -> dict[str, tuple[Room, ...]]:
    """What machines of each kind have for pods, by the nodes of it."""
    try:
        nodes = services.cluster.get_object("/api/v1/nodes").get("items") or ()
    except MaestroError as error:
        remarks.append(f"nodes, so that it is not known what a machine holds: {error.what}")
        return {}
    return rooms_of(node for node in nodes if isinstance(node, dict))


def _listed(
    services: CostServices, kind: str, namespace: str | None, remarks: list[str]
) -> list[dict[str, Any]]:
    cluster = services.cluster  # a context without one is not a cluster without work
    where = "" if namespace is None else f"namespaces/{namespace}/"
    try:
        found = cluster.get_object(f"/apis/batch/v1/{where}{kind}")
    except NotFound:
        remarks.append(f"the cluster knows no {kind}")
        return []
    return [item for item in found.get("items") or () if isinstance(item, dict)]
