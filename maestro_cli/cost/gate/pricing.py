"""What a month of what is asked for costs, at list rates.

    replicas × hours × (cores × rate + GiB × rate + GPUs × rate) + claims × GiB × rate of their class × month

A resource of a device plugin that is no known GPU has the price of its name among `gpus`.

A request is paid whether it is used or not; use beyond it, idle capacity and traffic are not in it.
Invariant: what has no price makes the cost a lower bound that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.kinds import is_meant
from maestro_cli.cost.gate.model import Asked, Changed, Claim, Comparison, Manifests, Monthly
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, PriceVersion, Resource

_AT_OTHER_TIMES = "how many hours it runs at other times"
_OTHERWISE = {"DaemonSet": "on how many nodes it runs, which it chooses otherwise"}


def compare(
    old: Manifests, new: Manifests, prices: PriceVersion, ignored: frozenset[str] = frozenset()
) -> Comparison:
    """Each object of either side, in the order of their names; `ignored` as `Assumed` has it."""
    refs: Iterable[ObjectRef] = sorted({*old.asked, *new.asked}, key=str)
    changed = tuple(_changed(ref, old.asked.get(ref), new.asked.get(ref), prices, ignored) for ref in refs)
    return Comparison(changed, tuple(dict.fromkeys(note for one in changed for note in _notes(one))))


def _changed(
    ref: ObjectRef, old: Asked | None, new: Asked | None, prices: PriceVersion, ignored: frozenset[str]
) -> Changed:
    before, after = (None if one is None else monthly(one, prices) for one in (old, new))
    runs_otherwise = old is not None and new is not None and old.runs != new.runs
    if after is not None and runs_otherwise and not is_meant(ref.kind, ignored):
        after = replace(after, unknown=(*after.unknown, _OTHERWISE.get(ref.kind, _AT_OTHER_TIMES)))
    return Changed(ref, before, after, old, new)


def _notes(one: Changed) -> Iterator[str]:
    """What an object that changes was told by all the same."""
    for side in () if one.same else (one.new_asked, one.old_asked):
        for asked in () if side is None else (side, *side.parts):
            yield from (f"{visible(str(one.ref), 120)}: {text}" for text in asked.notes)
    for priced in () if one.same else (one.new, one.old):
        yield from (f"{visible(str(one.ref), 120)}: {text}" for text in (priced.notes if priced else ()))


def monthly(asked: Asked, prices: PriceVersion) -> Monthly:
    """What it costs a month at its fewest and its most replicas."""
    unknown = list(asked.unknown)
    replica = asked.hours * sum(amount for amount in _hourly(asked, prices, unknown))
    replica += HOURS_OF_A_MONTH * _claims(asked.claims, prices, unknown)
    own = HOURS_OF_A_MONTH * _claims(asked.own_claims, prices, unknown)
    if asked.balancers:
        if prices.load_balancer_hourly is None:
            unknown.append("no price for a load balancer")
        own += HOURS_OF_A_MONTH * asked.balancers * (prices.load_balancer_hourly or 0.0)
    parts = [monthly(one, prices) for one in asked.parts]
    return Monthly(
        own + asked.least * replica + sum(one.least for one in parts),
        own + asked.most * replica + sum(one.most for one in parts),
        tuple(dict.fromkeys([*unknown, *(text for one in parts for text in one.unknown)])),
        tuple(dict.fromkeys([*_listed(asked, prices), *(text for one in parts for text in one.notes)])),
    )


def _listed(asked: Asked, prices: PriceVersion) -> Iterator[str]:
    """Where a GPU has the price of the list, for want of one of its kind, and others have their own."""
    if not asked.gpus or not prices.gpus or (asked.gpu and prices.gpu(asked.gpu) is not None):
        return
    which = (
        f"{visible(asked.gpu, 63)} has no price of its own" if asked.gpu else "no kind of GPU is insisted on"
    )
    yield f"{which}: that of the list is taken"


def _hourly(asked: Asked, prices: PriceVersion, unknown: list[str]) -> Iterator[float]:
    """One replica for an hour, resource by resource."""
    rates = prices.rates(asked.capacity)
    for resource, amount in (
        (Resource.CPU, asked.cpu),
        (Resource.MEMORY, asked.memory_gib),
        (Resource.GPU, asked.gpus),
    ):
        rate = None if rates is None else rates.of(resource)
        if resource is Resource.GPU and asked.gpu and (special := prices.gpu(asked.gpu)) is not None:
            rate = special
        if amount and rate is None:
            kind = f" ({visible(asked.gpu, 63)})" if resource is Resource.GPU and asked.gpu else ""
            unknown.append(f"no {asked.capacity.value} price for {resource.value}{kind}")
        yield amount * (rate or 0.0)
    for name, amount in asked.extended:
        special = prices.gpu(name)
        if special is None:
            unknown.append(f"no price for {visible(name, 63)}: name it among the gpus of the prices")
        yield amount * (special or 0.0)


def _claims(claims: Iterable[Claim], prices: PriceVersion, unknown: list[str]) -> float:
    """All of them for an hour."""
    total = 0.0
    for claim in claims:
        kind = prices.storage_class(claim.storage_class)
        if claim.gib is None:
            unknown.append("a volume claim says no size")
        elif kind is None:
            unknown.append(f"no price for storage of class {visible(claim.storage_class, 63) or '(default)'}")
        else:
            total += claim.gib * kind.per_gib_hour
    return total
