"""What forbids a cut.

Source: research, section 7.3: none when a container is throttled in more than 5 % of its periods, was killed
for its memory in the window, when less than half of an objective's error budget is left, or when the
quality-of-service class would change. Invariant: what could not be measured forbids it as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from maestro_cli.core.quantities import format_share
from maestro_cli.cost.rightsizing import evidence
from maestro_cli.cost.rightsizing.advice import Decision, Place, Reason, Step
from maestro_cli.cost.rightsizing.evidence import Asked
from maestro_cli.cost.rightsizing.facts import Fact, Facts
from maestro_cli.cost.rightsizing.model import ContainerId, Size

MOST_THROTTLED = 0.05
LEAST_BUDGET = 0.5
LARGEST_CUT = 0.5  # of what there is now, in one change


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """Of one objective the share of its error budget that is left at least; None with why: not known."""

    objective: str
    share: float | None
    why: str = ""

    @property
    def fact(self) -> Fact:
        text = f"error budget of {self.objective} that is left"
        return Fact(text, f"maestro slo budget {self.objective}", self.share)


class Qos(Enum):
    """Kubernetes' classes; who has the first is evicted last."""

    GUARANTEED = "Guaranteed"
    BURSTABLE = "Burstable"
    BEST_EFFORT = "BestEffort"


def qos_of(sizes: Iterable[Size]) -> Qos:
    """Of a pod with such containers. Source: kubernetes pkg/apis/core/v1/helper/qos."""
    told = list(sizes)
    amounts = [(of.cpu_request, of.cpu_limit, of.memory_request, of.memory_limit) for of in told]
    if not any(any(of) for of in amounts):
        return Qos.BEST_EFFORT
    is_equal = all(
        cpu and memory and (cpu_request or cpu) == cpu and (memory_request or memory) == memory
        for cpu_request, cpu, memory_request, memory in amounts
    )
    return Qos.GUARANTEED if is_equal else Qos.BURSTABLE


def qos_changes(before: Mapping[ContainerId, Size], container: ContainerId, size: Size) -> tuple[Reason, ...]:
    """The reason when the pod's class would be another with that size of one container."""
    was, would_be = qos_of(before.values()), qos_of({**before, container: size}.values())
    if was is would_be:
        return ()
    text = f"the pod's quality of service would be {would_be.value}, and is {was.value}"
    return (Reason("qos", text),)


def place_of(container: ContainerId, facts: Facts) -> Place:
    """Where its size is written down; what is in no template that was read was injected."""
    template = facts.templates.get(container.workload)
    if template is not None and container.container not in template:
        return Place.INJECTED
    return Place.SIDECAR if container in facts.sidecars else Place.CONTAINER


def injected(step: Step) -> Step:
    """No change of the workload reaches what others put into its pods."""
    if not step.changes:
        return step
    text = "it is not in the pod template: who injects it sets its size"
    return replace(step, decision=Decision.REFUSED, next=step.now, reasons=(Reason("injected", text),))


def forbids_cpu(asked: Asked, now: Size, facts: Facts) -> Iterator[Reason]:
    """Throttling, of a container that has a CPU limit: without one there is none."""
    if now.cpu_limit is None:
        return
    found = facts.throttling.get(asked.container)
    if found is None or found.share is None:
        text = "it has a CPU limit, and nobody measured whether it reaches it"
        yield Reason("throttling-unknown", text, (evidence.throttled(asked, None),))
    elif found.share > MOST_THROTTLED:
        fact = evidence.throttled(asked, found.share)
        text = f"it was throttled in {found.share:.1%} of its periods, more than {MOST_THROTTLED:.0%}"
        yield Reason("throttled", text, (fact,))


def forbids_any(asked: Asked, facts: Facts, budgets: Sequence[BudgetLeft]) -> Iterator[Reason]:
    """Kills for memory, error budgets, and autoscalers that nobody could ask for."""
    if facts.autoscalers_untold:
        text = f"whether an autoscaler scales by what it asks for is not known: {facts.autoscalers_untold}"
        yield Reason("autoscaler-unknown", text)
    undone = facts.undone.get(asked.container)
    if undone is not None:
        text = f"it was killed for its memory by change {undone.change}"
        yield Reason("killed", text, (evidence.killed_after(undone),))
    if asked.container in facts.kills:
        text = f"it was killed for its memory in the last {asked.span}"
        yield Reason("killed", text, (evidence.killed(asked),))
    elif undone is None and asked.container not in facts.endings:
        starts = facts.unexplained.get(asked.container)
        text = "nothing tells whether it was killed for its memory"
        if starts is not None:
            text = f"{text}: it started again, and why it had ended is not told"
        yield Reason("killed-unknown", text, tuple(evidence.ends_untold(asked, starts)))
    elif undone is None:
        yield from (Reason("killed-unknown", why) for why in facts.undone_untold)
    for budget in budgets:
        fact = budget.fact
        if budget.share is None or math.isnan(budget.share):
            text = f"what is left of the error budget of {budget.objective} is not known"
            yield Reason("budget-unknown", f"{text}: {budget.why}" if budget.why else text, (fact,))
        elif budget.share < LEAST_BUDGET:
            left = format_share(budget.share)
            text = f"{left} of the error budget of {budget.objective} is left, less than {LEAST_BUDGET:.0%}"
            yield Reason("budget", text, (fact,))
