"""What right-sizing saves: what may be claimed, and what really goes off the bill, apart.

    claimable  = Σ over containers of (request now − request next) × rate × how many there were on average
    realisable = the price of the nodes that go away once pods ask for less, without those that could go
                 even now, which are a saving of their own

Units: the currency of the prices, a month of 730 hours. Invariant: what has no price is missing and named,
never 0: the sum is then a lower bound. A saving of requests frees room, and only a node that goes away frees
money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH
from maestro_cli.cost.rightsizing.advice import Advice, Step
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.packing import NOTHING_READ, Demands, Packed, pack
from maestro_cli.cost.rightsizing.placement import PlacedPod, Room


@dataclass(frozen=True, slots=True)
class NodeRate:
    """One node for an hour, and a core and a GiB of it for an hour; None: nothing prices it."""

    hourly: float | None
    cpu: float | None
    memory: float | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What the requests of one workload would cost less in a month; None when nothing prices its nodes."""

    workload: WorkloadId
    monthly: float | None


@dataclass(frozen=True, slots=True)
class Realised:
    """Which nodes could go even now, and which after the changes; money a month.

    `monthly` is what the changes save, below 0 where they need a node that could go now; `anyway` is what
    goes without them; `bill` what all nodes cost, and `share` is of that. None where a node has no price.
    """

    nodes: int
    before: Packed
    after: Packed
    monthly: float | None
    anyway: float | None
    bill: float | None

    @property
    def gone(self) -> tuple[str, ...]:
        """The nodes that go by the changes."""
        return tuple(name for name in self.after.go if name not in self.before.go)

    @property
    def needed(self) -> tuple[str, ...]:
        """The nodes that could go now, and that larger requests need."""
        return tuple(name for name in self.before.go if name not in self.after.go)

    @property
    def share(self) -> float | None:
        return self.monthly / self.bill if self.monthly is not None and self.bill else None


@dataclass(frozen=True, slots=True)
class Saving:
    currency: str
    claims: Mapping[WorkloadId, Claim]
    realised: Realised | None
    at_goals: Realised | None = None  # once all steps are made, one after the other
    unpriced: tuple[str, ...] = ()

    @property
    def claimable(self) -> float | None:
        """A month; None when no workload could be priced. Raises take from it."""
        known = [one.monthly for one in self.claims.values() if one.monthly is not None]
        return sum(known) if known or not self.claims else None


def claim_of(advice: Advice, pods: Iterable[PlacedPod], rates: Mapping[str, NodeRate]) -> Claim:
    """Of one workload, by how many of it there were on average since it was seen first."""
    nodes = [pod.node for pod in pods if pod.workload == advice.workload] or list(rates)
    cpu = _mean([rates[name].cpu for name in nodes if name in rates])
    memory = _mean([rates[name].memory for name in nodes if name in rates])
    if cpu is None or memory is None:
        return Claim(advice.workload, None)
    total = 0.0
    for one in advice.containers:
        cores = (one.now.cpu_request or 0.0) - (one.next.cpu_request or 0.0)
        gibs = ((one.now.memory_request or 0.0) - (one.next.memory_request or 0.0)) / GIB
        if one.hours > 0:
            total += (cores * cpu + gibs * memory) * one.pod_hours / one.hours
    return Claim(advice.workload, total * HOURS_OF_A_MONTH)


def realised_by(
    advice: Sequence[Advice],
    nodes: Sequence[Room],
    pods: Sequence[PlacedPod],
    rates: Mapping[str, NodeRate],
    demands: Demands = NOTHING_READ,
    *,
    at_goals: bool = False,
) -> Realised | None:
    """What goes away once the next steps are made, or all of them; None when no node is known."""
    if not nodes:
        return None
    hourly = {name: rate.hourly for name, rate in rates.items() if rate.hourly is not None}
    lighter = _lighter(advice, at_goals)
    before = pack(nodes, pods, hourly, demands)
    after = pack(nodes, [_after(pod, lighter) for pod in pods], hourly, demands, first=before.go)

    def price(names: Sequence[str]) -> float | None:
        known = [hourly[name] for name in names if name in hourly]
        return sum(known) * HOURS_OF_A_MONTH if len(known) == len(names) else None

    anyway, all_ = price(before.go), price(after.go)
    monthly = None if anyway is None or all_ is None else all_ - anyway
    return Realised(len(nodes), before, after, monthly, anyway, price([room.name for room in nodes]))


def _lighter(advice: Sequence[Advice], at_goals: bool) -> dict[WorkloadId, tuple[float, float]]:
    """By how many cores and bytes a pod of each workload asks for less."""
    return {
        one.workload: (
            sum(_less(of.cpu, at_goals) for of in one.containers),
            sum(_less(of.memory, at_goals) for of in one.containers),
        )
        for one in advice
    }


def _less(step: Step, at_goals: bool) -> float:
    to = step.next
    if at_goals and step.changes and any(reason.code == "step" for reason in step.reasons):
        to = step.goal
    return (step.now or 0.0) - (to or 0.0)


def _after(pod: PlacedPod, lighter: Mapping[WorkloadId, tuple[float, float]]) -> PlacedPod:
    if pod.workload is None or pod.workload not in lighter:
        return pod
    cpu, memory = lighter[pod.workload]
    return replace(pod, cpu=max(0.0, pod.cpu - cpu), memory=max(0.0, pod.memory - memory))


def _mean(values: Sequence[float | None]) -> float | None:
    """None when one is not known, or there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
