"""What batch work costs on spot machines and on others, interruptions and checkpoints counted.

    on demand, an hour of work = Σ requests × on-demand rate × (1 − what a savings plan takes off)
    spot, an hour of work      = Σ requests × on-demand rate × (spot ÷ on-demand price) × machine hours

Invariant: without a price, a rate of interruptions, requests or a run that ended there is no figure, and it
says which. A spot price that only list prices tell is never believed to be more than `MOST_OFF` off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from maestro_cli.core.cron import parse_cron, starts_until
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.prices.model import Capacity, PriceVersion, UnitRates
from maestro_cli.cost.spot.batch import Batch
from maestro_cli.cost.spot.interruptions import best_interval_hours, machine_hours
from maestro_cli.cost.spot.rooms import Room

MOST_OFF = 0.6
WINDOW = timedelta(days=30)
MOST_STARTS = 50_000  # of a month: one a minute is 43,200


_NO_ROOMS: Mapping[str, tuple[Room, ...]] = MappingProxyType({})


class Answer(Enum):
    """Whether work is to run on spot machines."""

    SPOT = "spot"
    ON_DEMAND = "on-demand"
    CANNOT = "cannot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of machine: `ratio` is its spot ÷ on-demand price; `assumed` when list prices alone say so.

    `rates` are the spot list prices then, which weigh each resource for itself. `room` is what a node of the
    kind in the cluster has for pods, None where there is none.
    """

    instance_type: str
    ratio: float
    interruptions_per_hour: float | None
    assumed: bool = False
    gpu: str = ""
    rates: UnitRates | None = None
    rooms: tuple[Room, ...] = ()  # empty: not known

    def ratio_for(self, batch: Batch, listed: float) -> float | None:
        """Spot ÷ on-demand for that work; None where it does not fit, or a price is missing."""
        if bool(batch.gpu) and not self.assumed and not self.gpu:
            return None  # a machine without a GPU
        if self.rooms and not any(room.holds(batch) for room in self.rooms):
            return None
        if not self.assumed or self.rates is None:
            return self.ratio
        spot = _hourly(batch, self.rates)
        return None if spot is None or not listed else max(spot / listed, 1 - MOST_OFF)


@dataclass(frozen=True, slots=True)
class SpotSaving:
    """One piece of batch work; amounts are a currency's for one hour of work of all its pods.

    `overhead` is machine hours ÷ hours of work − 1, `share` what is saved of the effective on-demand price,
    `best_checkpoint_hours` the interval that wastes least, `monthly` what is saved in a `WINDOW`.
    """

    batch: Batch
    answer: Answer
    why: tuple[str, ...]
    offer: Offer | None = None
    on_demand: float | None = None
    spot: float | None = None
    overhead: float | None = None
    best_checkpoint_hours: float | None = None
    monthly: float | None = None

    @property
    def share(self) -> float | None:
        if self.on_demand is None or self.spot is None or not self.on_demand:
            return None
        return 1 - self.spot / self.on_demand


@dataclass(frozen=True, slots=True)
class SpotSavings:
    """All batch work of a scope; `remarks` say what could not be looked at."""

    at: datetime
    currency: str
    items: tuple[SpotSaving, ...]
    remarks: tuple[str, ...]


def offers_of(
    version: PriceVersion,
    region: str,
    interruptions_per_hour: float | None = None,
    rooms: Mapping[str, tuple[Room, ...]] = _NO_ROOMS,
) -> tuple[Offer, ...]:
    """Kinds of machines with both prices there, else what list prices make of it; the cheapest first.

    `interruptions_per_hour` is for those whose line says none, `rooms` is what kinds of machines have.
    """
    found = []
    for line in version.nodes:
        if line.capacity is not Capacity.SPOT or line.node or line.region not in ("", region):
            continue
        listed = version.node(line.instance_type, line.region, Capacity.ON_DEMAND)
        if listed is not None and listed.hourly > 0:
            rate = line.interruptions_per_hour
            known = interruptions_per_hour if rate is None else rate
            ratio, there = line.hourly / listed.hourly, rooms.get(line.instance_type, ())
            found.append(Offer(line.instance_type, ratio, known, gpu=line.gpu, rooms=there))
    if not found and version.on_demand is not None and version.spot is not None:
        ratio = max(_list_ratio(version.on_demand, version.spot), 1 - MOST_OFF)
        found.append(Offer("", ratio, interruptions_per_hour, assumed=True, rates=version.spot))
    return tuple(sorted(found, key=lambda offer: (offer.ratio, offer.instance_type)))


def weigh(
    batch: Batch,
    version: PriceVersion | None,
    offers: tuple[Offer, ...],
    now: datetime,
    *,
    plan_off: float = 0.0,
) -> SpotSaving:
    """Whether that work is to run on spot, on the offer where an hour of it costs least.

    `plan_off` is the share (0 to 1) that a savings plan takes off the on-demand price, for what runs anyway.
    """
    if batch.hindrances:
        return SpotSaving(batch, Answer.CANNOT, batch.hindrances)
    listed = None if version is None or version.on_demand is None else _hourly(batch, version.on_demand)
    missing = _missing(batch, listed, offers)
    if missing or listed is None:
        return SpotSaving(batch, Answer.UNKNOWN, missing)
    effective = listed * (1 - plan_off)
    weighed = [
        _on(batch, offer, ratio, listed, effective)
        for offer in offers
        if offer.interruptions_per_hour is not None and (ratio := offer.ratio_for(batch, listed)) is not None
    ]
    if not weighed:
        return SpotSaving(
            batch, Answer.UNKNOWN, ("no kind of spot machine in the prices holds what it asks for",)
        )
    best = min(weighed, key=lambda one: math.inf if one.spot is None else one.spot)
    if best.share is None or best.share <= 0 or batch.suspended:
        return best
    hours = _monthly_hours(batch, now)
    return best if hours is None else _with_monthly(best, hours)


def _on(batch: Batch, offer: Offer, ratio: float, listed: float, effective: float) -> SpotSaving:
    rate, run = offer.interruptions_per_hour or 0.0, batch.run_hours or 0.0
    every = batch.checkpoint_every_hours if batch.makes_checkpoints else None
    hours = machine_hours(
        rate,
        work_hours=run if every is None else every,
        checkpoint_hours=0.0 if every is None else batch.checkpoint_hours,
        restart_hours=batch.restart_hours,
    )
    spot = listed * ratio * hours
    answer = Answer.SPOT if spot < effective else Answer.ON_DEMAND
    return SpotSaving(
        batch,
        answer,
        tuple(_reasons(batch, offer, hours, spot < effective)),
        offer,
        effective,
        spot,
        hours - 1,
        best_interval_hours(rate, batch.checkpoint_hours) if batch.checkpoint_hours and rate else None,
    )


def _reasons(batch: Batch, offer: Offer, hours: float, pays: bool) -> list[str]:
    said = []
    if offer.assumed:
        said.append(f"the spot price is assumed from list prices, at most {MOST_OFF:.0%} off")
    elif not offer.rooms:
        said.append(
            f"whether a {visible(offer.instance_type, 60)} holds it is not known: no such node is there"
        )
    if not pays:
        told = "would never end there" if math.isinf(hours) else f"takes {hours:.2g} times as long there"
        said.append(f"it {told}" if batch.makes_checkpoints else f"without checkpoints it {told}")
    return said


def _missing(batch: Batch, listed: float | None, offers: tuple[Offer, ...]) -> tuple[str, ...]:
    """What there is no figure without, each with what to do."""
    missing = list(batch.unread)
    if batch.cpu is None or batch.memory_gib is None:
        missing.append("a container of it has no requests of CPU and memory")
    elif batch.device:
        missing.append(f"no price of {visible(batch.device, 60)}, which it asks for")
    elif listed is None:
        missing.append("no on-demand price of what it asks for: give --prices FILE")
    if batch.run_hours is None:
        missing.append("no run of it has ended: how long one takes is not known")
    if not offers:
        missing.append(
            "no spot price there: give nodes with capacity spot, or spotCPU and spotRAM, in the prices, "
            "or the --region of those that are"
        )
    elif all(offer.interruptions_per_hour is None for offer in offers):
        missing.append(
            "how often spot machines are taken away is not known: interruptions_per_hour in the prices, or "
            "--interruptions-per-hour"
        )
    return tuple(missing)


def _hourly(batch: Batch, rates: UnitRates) -> float | None:
    if batch.cpu is None or batch.memory_gib is None or (batch.gpu and rates.gpu is None):
        return None
    each = batch.cpu * rates.cpu + batch.memory_gib * rates.memory + batch.gpu * (rates.gpu or 0.0)
    return each * batch.pods


def _list_ratio(on_demand: UnitRates, spot: UnitRates) -> float:
    """Of a machine of one core and four GiB, the ratio of most work."""
    listed = on_demand.cpu + 4 * on_demand.memory
    return (spot.cpu + 4 * spot.memory) / listed if listed > 0 else 1.0


def _monthly_hours(batch: Batch, now: datetime) -> float | None:
    """Hours of work in the 30 days until now by its schedule; None for what has none that can be read."""
    if not batch.schedule or batch.run_hours is None:
        return None
    try:
        cron = parse_cron(batch.schedule)
        zone = ZoneInfo(batch.time_zone or "UTC")
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None
    starts = 0
    for start in starts_until(cron, zone, now, WINDOW):
        if start <= now - WINDOW or starts >= MOST_STARTS:
            break
        starts += 1
    return starts * batch.run_hours


def _with_monthly(best: SpotSaving, hours: float) -> SpotSaving:
    if best.on_demand is None or best.spot is None:
        return best
    return replace(best, monthly=(best.on_demand - best.spot) * hours)
