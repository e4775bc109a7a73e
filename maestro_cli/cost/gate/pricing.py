"""What a month of what is asked for costs, at list rates.

    replicas × hours × (cores × rate + GiB × rate + GPUs × rate) + claims × GiB × rate of their class × month

A request is paid whether it is used or not; use beyond it, idle capacity and traffic are not in it.
Invariant: what has no price makes the cost a lower bound that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.model import Asked, Changed, Claim, Comparison, Manifests, Monthly
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, PriceVersion, Resource


def compare(old: Manifests, new: Manifests, prices: PriceVersion) -> Comparison:
    """Each object of either side, in the order of their names."""
    refs: Iterable[ObjectRef] = sorted({*old.asked, *new.asked}, key=str)
    changed = tuple(
        Changed(
            ref,
            _priced(old.asked, ref, prices),
            _priced(new.asked, ref, prices),
            old.asked.get(ref),
            new.asked.get(ref),
        )
        for ref in refs
    )
    return Comparison(changed, tuple(dict.fromkeys((*new.notes, *old.notes))))


def _priced(asked: Mapping[ObjectRef, Asked], ref: ObjectRef, prices: PriceVersion) -> Monthly | None:
    found = asked.get(ref)
    return None if found is None else monthly(found, prices)


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
    return Monthly(own + asked.least * replica, own + asked.most * replica, tuple(dict.fromkeys(unknown)))


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
