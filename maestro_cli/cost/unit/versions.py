"""What a million predictions of each version cost, and what of it went to those that nobody asked for.

    cost of a version   = cost of its service × seconds its requests took ÷ seconds all requests took
    cost of a million   = cost of the version ÷ its predictions × 1,000,000

Where nobody measured the time of requests their number stands for it. What shadows, retries, failures and
probes cost is in the numerator and not in the divisor: predictions that succeeded pay for all. How much that
is is an estimate by number: a shadow's row costs what a user's does, a failed attempt what a request does.

Invariants: the costs of the versions of a service add up to the cost of the service; what is not known is
None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from maestro_cli.core.verdict import Judgement, Verdict, judge
from maestro_cli.cost.unit.figure import MILLION, Usage, cost_of_a_million, judged
from maestro_cli.cost.unit.version_usage import ServiceTraffic, VersionUsage


@dataclass(frozen=True, slots=True)
class Spend:
    """What a service cost in a window: what it had itself, and with its share of what was idle and shared.

    A price of a replica includes the idle rest of its machine: then `direct` is not known. With something
    `unpriced` both are lower bounds: they may be over a budget, and are never within it.
    """

    direct: float | None
    loaded: float | None
    coverage: float = 1.0
    unpriced: tuple[str, ...] = ()


NOTHING_KNOWN = Spend(None, None, 0.0)


def replica_spend(usage: Usage, replica_hourly_rate: float | None) -> Spend:
    """Of a service by the price of a replica; a price of 0 is none."""
    if not replica_hourly_rate or usage.replica_hours is None:
        return Spend(None, None, usage.coverage)
    return Spend(None, replica_hourly_rate * usage.replica_hours, usage.coverage)


@dataclass(frozen=True, slots=True)
class VersionCost:
    """`share` of its service's cost, and a million of its predictions: their cost, and what they earn."""

    usage: VersionUsage
    share: float | None
    direct_per_million: float | None
    per_million: float | None
    earned_per_million: float | None
    judgement: Judgement | None

    @property
    def verdict(self) -> Verdict | None:
        return None if self.judgement is None else self.judgement.verdict


@dataclass(frozen=True, slots=True)
class Extra:
    """Work of a service that is no prediction: how many, which share of all its work, and what that cost."""

    namespace: str
    service: str
    what: str
    count: float
    share: float | None
    cost: float | None


def version_costs(
    traffic: ServiceTraffic, spend: Spend, *, budget: float | None = None, value: float | None = None
) -> tuple[VersionCost, ...]:
    """Of every version of a service, loaded; `value` is what one prediction earns."""
    shares = shares_of(traffic.versions)
    return tuple(
        _version_cost(usage, share, spend, budget, value)
        for usage, share in zip(traffic.versions, shares, strict=True)
    )


def shares_of(versions: Sequence[VersionUsage]) -> tuple[float | None, ...]:
    """Which share of the work each did: by time where all that were asked have one, else by number."""
    asked = [one for one in versions if one.requests]
    timed = bool(asked) and all(one.seconds is not None for one in asked)
    weights = [(one.seconds if timed else one.requests) or 0.0 for one in versions]
    whole = sum(weights)
    return tuple(weight / whole if whole > 0 else None for weight in weights)


def arms_per_million(
    traffic: Iterable[ServiceTraffic],
    spends: Mapping[tuple[str, str], Spend],
    arms: Sequence[str],
    model: str = "",
) -> tuple[float | None, ...]:
    """A million predictions of each arm: a version of the model or, without one, a service as a whole.

    Arms that are services stand beside one another with the replicas they have for the share they get: their
    cost is shared out as one, so that the fuller is not the cheaper. However short they were seen: cost and
    predictions are of the same time. None is not known.
    """
    of_arms = [one for one in traffic if _answers(one, arms, model)]
    spent = [spends.get((one.namespace, one.service), NOTHING_KNOWN) for one in of_arms]
    known = [one.loaded for one in spent if one.loaded is not None]
    if not of_arms or len(known) < len(spent):
        return (None,) * len(arms)
    versions = [one for service in of_arms for one in service.versions]
    cost = sum(known)
    figures = []
    for arm in arms:
        own = [one for one in versions if _is_of(one, arm, model)]
        predictions = sum(one.predictions or 0.0 for one in own)
        share = sum(
            share or 0.0 for one, share in zip(versions, shares_of(versions), strict=True) if one in own
        )
        figures.append(cost_of_a_million(cost * share, predictions) if predictions > 0 else None)
    return tuple(figures)


def _answers(traffic: ServiceTraffic, arms: Sequence[str], model: str) -> bool:
    return any(_is_of(one, arm, model) and one.requests for one in traffic.versions for arm in arms)


def _is_of(usage: VersionUsage, arm: str, model: str) -> bool:
    return (usage.model, usage.version) == (model, arm) if model else usage.service == arm


def extras(traffic: ServiceTraffic, spend: Spend) -> Iterator[Extra]:
    """What shadows, retries, failures and probes cost; each that there was, an estimate by number."""
    requests = sum(one.requests or 0.0 for one in traffic.versions)
    retries = sum(one.retries for one in traffic.versions)
    failed = sum(one.failed or 0.0 for one in traffic.versions)
    probes = sum(one.probes for one in traffic.versions)
    rows, shadows = traffic.rows or 0.0, traffic.shadow_rows or 0.0
    for what, count, whole in (
        ("shadow rows", shadows, rows + shadows),
        ("retries", retries, requests + retries),
        ("failures", failed, requests),
        ("probes", probes, requests),
    ):
        if count > 0:
            share = count / whole
            cost = None if spend.loaded is None else spend.loaded * share
            yield Extra(traffic.namespace, traffic.service, what, count, share, cost)


def _version_cost(
    usage: VersionUsage, share: float | None, spend: Spend, budget: float | None, value: float | None
) -> VersionCost:
    direct, loaded = (_per_million(amount, share, usage) for amount in (spend.direct, spend.loaded))
    earned = None if value is None else value * MILLION
    if loaded is None:
        missing = _missing(usage, spend)
        judgement: Judgement | None = judge(None, holds=None, coverage=spend.coverage, reason=missing)
    else:
        judgement = judged(loaded, budget, spend.coverage)
        if spend.unpriced and (judgement is None or judgement.passed):
            reason = f"a lower bound: no price of {', '.join(spend.unpriced)}"
            judgement = judge(loaded, holds=None, coverage=spend.coverage, reason=reason)
    return VersionCost(usage, share, direct, loaded, earned, judgement)


def _per_million(amount: float | None, share: float | None, usage: VersionUsage) -> float | None:
    if amount is None or share is None or not usage.predictions or usage.predictions <= 0:
        return None
    return cost_of_a_million(amount * share, usage.predictions)


def _missing(usage: VersionUsage, spend: Spend) -> str:
    if spend.loaded is None:
        return "nothing prices its service"
    return "no measurement of predictions" if usage.predictions is None else "no prediction succeeded"
