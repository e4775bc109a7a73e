"""From usage and facts to steps: the rule's figure, held back by what forbids a cut.

Units: cores and bytes. Invariant: pure; a step is never larger than a halving, and never below the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice, Decision, Place, Reason, Step
from maestro_cli.cost.rightsizing.asking import INIT, MAIN
from maestro_cli.cost.rightsizing.autoscaler_advice import autoscaler_suggestions
from maestro_cli.cost.rightsizing.autoscaling import with_autoscaler
from maestro_cli.cost.rightsizing.evidence import Asked, Looked, used
from maestro_cli.cost.rightsizing.facts import Facts
from maestro_cli.cost.rightsizing.guards import (
    LARGEST_CUT,
    BudgetLeft,
    forbids_any,
    forbids_cpu,
    injected,
    place_of,
    qos_changes,
)
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import Scaled, krr_proposal
from maestro_cli.cost.rightsizing.model import Amount, ContainerId, Proposal, Size, WorkloadId
from maestro_cli.cost.rightsizing.own_rule import BATCH, own_proposal
from maestro_cli.cost.rightsizing.rounding import whole_mebibytes, whole_millicores
from maestro_cli.cost.rightsizing.suggestions import suggestions_for
from maestro_cli.cost.rightsizing.vpa_rule import vpa_proposal

SAME = 0.05  # so near to what the rule says a size is right, and a change not worth its rollout
NO_SIZE = Size()


def advise(
    workload: WorkloadId,
    measured: Sequence[Measured],
    facts: Facts,
    budgets: Sequence[BudgetLeft],
    looked: Looked,
) -> Advice:
    """Of one workload with all its containers; `budgets` are those of the objectives that are about it."""
    sizes = dict(facts.sizes_of(workload))
    for one in measured:
        sizes.setdefault(one.container, NO_SIZE)
    containers = tuple(_container(one, sizes, facts, budgets, looked, len(measured)) for one in measured)
    advice = Advice(
        workload, facts.replicas.get(workload, 0), containers,
        suggestions=(*suggestions_for(workload, containers, facts),
                     *autoscaler_suggestions(workload, measured, containers, facts, looked)),
        budgets=tuple(one.fact for one in budgets), is_read=workload in facts.templates,
        pods=tuple(sorted(name for _, name in facts.alive.get(workload, ()))),
    )  # fmt: skip
    autoscaler = facts.autoscalers.get(workload)
    known = {one.container for one in measured}
    rest = sum(size.cpu_request or 0.0 for container, size in sizes.items() if container not in known)
    return advice if autoscaler is None else with_autoscaler(advice, autoscaler, facts.queries.series, rest)


def _container(
    measured: Measured,
    sizes: Mapping[ContainerId, Size],
    facts: Facts,
    budgets: Sequence[BudgetLeft],
    looked: Looked,
    containers: int,
) -> ContainerAdvice:
    container = measured.container
    workload, now = container.workload, sizes[container]
    usage = replace(measured.usage, killed=facts.killed(container))
    is_batch, least = workload.kind in BATCH, looked.least_seconds
    own = own_proposal(usage, now, is_batch=is_batch, least_seconds=least)
    asked = Asked(container, facts.seen.get(workload, ()), looked, facts.queries.series,
                  INIT if container in facts.sidecars else MAIN)  # fmt: skip
    forbidding = tuple(forbids_any(asked, facts, budgets))
    if now == NO_SIZE and workload not in facts.replicas and not is_batch:
        own = _gone()
    throttled = forbids_cpu(asked, now, facts)
    cpu = _step(now.cpu_request, own.cpu, (*throttled, *forbidding), 1e-3)
    memory = _step(now.memory_request, own.memory, forbidding, 1.0)
    cpu = _kept_in_class(cpu, sizes, container, _with_cpu(now, cpu, own.cpu))
    memory = _kept_in_class(memory, sizes, container, _with_memory(now, memory, own.memory))
    place = place_of(container, facts)
    if place is Place.INJECTED:
        cpu, memory = injected(cpu), injected(memory)
    autoscaler = facts.autoscalers.get(workload)
    scaled = Scaled(
        cpu=autoscaler is not None and autoscaler.cpu_target is not None,
        memory=autoscaler is not None and autoscaler.memory_target is not None,
    )
    return ContainerAdvice(
        container, now, _with_memory(_with_cpu(now, cpu, own.cpu), memory, own.memory), cpu, memory, own,
        krr=krr_proposal(measured.krr, scaled), vpa=vpa_proposal(usage, now, containers=max(1, containers)),
        facts=tuple(used(asked, usage)), pod_hours=measured.pod_hours, hours=measured.hours, place=place,
    )  # fmt: skip


def _gone() -> Proposal:
    nothing = Amount(None, why="insufficient: nothing of it runs now")
    return Proposal(nothing, nothing)


def _step(now: float | None, wanted: Amount, forbidding: Sequence[Reason], unit: float) -> Step:
    """`unit` is 0.001 for cores and 1 for bytes: which way to round up."""
    goal = wanted.request
    if goal is None:
        return Step(Decision.INSUFFICIENT, now, None, now, (Reason("insufficient", wanted.why),))
    if now is None:
        return Step(Decision.RAISE, None, goal, goal)
    if abs(goal - now) <= SAME * now:
        return Step(Decision.KEEP, now, goal, now)
    if goal > now:
        return Step(Decision.RAISE, now, goal, goal)
    if forbidding:
        return Step(Decision.REFUSED, now, goal, now, tuple(forbidding))
    least = _half(now, unit)
    if least <= goal:
        return Step(Decision.CUT, now, goal, goal)
    text = f"a change halves it at the most: the rule wants {1 - goal / now:.0%} less"
    return Step(Decision.CUT, now, goal, least, (Reason("step", text),))


def _kept_in_class(
    step: Step, sizes: Mapping[ContainerId, Size], container: ContainerId, next_: Size
) -> Step:
    """A cut that would change the class is refused; a raise may make it a better one."""
    if step.decision is not Decision.CUT:
        return step
    reasons = qos_changes(sizes, container, next_)
    return replace(step, decision=Decision.REFUSED, next=step.now, reasons=reasons) if reasons else step


def _with_cpu(size: Size, step: Step, wanted: Amount) -> Size:
    """The limit of a batch container goes to the rule's; of another it stays where it can."""
    if not step.changes or step.next is None:
        return size
    goal = size.cpu_limit if wanted.limit is None else wanted.limit
    return replace(size, cpu_request=step.next, cpu_limit=_limit(size.cpu_limit, step, goal, 1e-3))


def _with_memory(size: Size, step: Step, wanted: Amount) -> Size:
    """Memory is to end where it is requested."""
    if not step.changes or step.next is None:
        return size
    limit = _limit(size.memory_limit, step, wanted.limit, 1.0)
    return replace(size, memory_request=step.next, memory_limit=limit)


def _limit(now: float | None, step: Step, goal: float | None, unit: float) -> float | None:
    """The limit that goes with a step: half of what it is at the least, and none where there is none.

    It is never below the request, and what raises a request takes no limit down.
    """
    if now is None or step.next is None:
        return None
    lowest = now if step.decision is Decision.RAISE else _half(now, unit)
    return max(lowest, step.next, goal or 0.0)


def _half(now: float, unit: float) -> float:
    """The least that one change leaves of an amount; `unit` is 0.001 for cores and 1 for bytes."""
    half = now * LARGEST_CUT
    return whole_millicores(half, 0.0) if unit < 1 else whole_mebibytes(half, 0.0)
