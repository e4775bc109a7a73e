"""What the end of a plan's replicas would do to those who are served: traffic, zones, budgets, incidents.

Invariant: only reads; what could not be read is said in words and left out, never taken for none.

The share of a Service's traffic is that of its ready endpoints (EndpointSlices) which the change ends, as if
each got as much as the others and none was replaced before it ended: the most that can be lost. At worst that
much fails until the change has to hold, which burns share · time / (window · (1 − target)) of an objective's
error budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from maestro_cli.changes.model import Plan, plan_digest
from maestro_cli.changes.own_pods import own_pods
from maestro_cli.changes.ports import World
from maestro_cli.changes.served import BudgetTouched, Impact, Traffic
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.facts.cluster import ServiceEndpoint
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.slo.objectives import Objective

Ended = Mapping[tuple[str, str], float]  # by namespace and name of a pod: how surely it ends


def with_impact(world: World, plan: Plan) -> Plan:
    """The plan with its impact in the blast radius, and its digest made anew."""
    impact, blind = measure(world, plan)
    blast = replace(plan.blast, impact=impact, blind=(*plan.blast.blind, *blind))
    made = replace(plan, blast=blast)
    return replace(made, digest=plan_digest(made))


def measure(world: World, plan: Plan) -> tuple[Impact, tuple[str, ...]]:
    """The impact as things are now, and in words what could not be seen."""
    blind: list[str] = []
    traffic: tuple[Traffic, ...] | None = None
    try:
        traffic = tuple(_traffic(world, ended_by(world, plan)))
    except MaestroError as error:
        blind.append(f"endpoints of {plan.target.ref}: the share of traffic is not known ({error.what})")
    incidents: tuple[str, ...] = ()
    try:
        incidents = tuple(_incidents(world, plan.target.ref))
    except MaestroError as error:
        blind.append(f"open incidents: {error.what}")
    budgets: tuple[BudgetTouched, ...] = ()
    try:
        touched = _objectives(world, plan.target.ref, traffic or ())
    except MaestroError as error:
        blind.append(f"objectives: {error.what}")
    else:
        measured = [(one, world.budget_left(one)) for one in touched]
        blind += [f"error budget of {one.name}: {left.why}" for one, left in measured if left.share is None]
        share = None if traffic is None else _lost(plan, traffic)
        budgets = tuple(
            BudgetTouched(
                one.name,
                left.share,
                _burn(one, share, plan.verify.timeout_seconds),
                left.low,
                left.high,
                left.window,
            )
            for one, left in measured
        )
    return Impact(traffic or (), budgets, incidents), tuple(blind)


def ended_by(world: World, plan: Plan) -> Ended:
    """The pods that a change ends. Of a workload that loses some of its pods nobody knows which.

    Raises NotFound where the target does not say it: a config map, a release or an autoscaler.
    """
    if not plan.blast.replicas_ended:
        return {}
    kind = "Workload" if isinstance(plan.target.ref, WorkloadRef) else plan.target.ref.kind
    if kind not in _ENDED_OF:
        raise NotFound("which pods end is not known")
    return _ENDED_OF[kind](world, plan)


def _the_pod(world: World, plan: Plan) -> Ended:
    return {(plan.target.ref.namespace, plan.target.ref.name): 1.0}


def _those_of_a_node(world: World, plan: Plan) -> Ended:
    named = [str(text).split("/") for text in plan.parameters.get("pods", {}).values()]
    return {(parts[0], parts[-1]): 1.0 for parts in named}


def _some_of_a_workload(world: World, plan: Plan) -> Ended:
    ref, blast = plan.target.ref, plan.blast
    assert isinstance(ref, WorkloadRef)
    found = world.cluster.get_workload(ref)
    pods = own_pods(world.cluster, found)
    weight = min(1.0, blast.replicas_ended / max(blast.replicas_now, 1))
    return {(pod.namespace, pod.name): weight for pod in pods}


_ENDED_OF: Mapping[str, Callable[[World, Plan], Ended]] = {
    "Pod": _the_pod, "Node": _those_of_a_node, "Workload": _some_of_a_workload,
}  # fmt: skip


def _traffic(world: World, ended: Ended) -> Iterator[Traffic]:
    for namespace in sorted({namespace for namespace, _ in ended}):
        services: dict[str, list[ServiceEndpoint]] = {}
        for one in world.cluster.list_endpoints(namespace):
            if one.ready:
                services.setdefault(one.service, []).append(one)
        for name, ready in sorted(services.items()):
            weights = [ended.get((namespace, one.pod), 0.0) for one in ready]
            if not any(weights):
                continue
            certain = all(weight in (0.0, 1.0) for weight in weights)
            left = {one.zone for one, weight in zip(ready, weights, strict=True) if not weight and one.zone}
            share = round(sum(weights) / len(ready), 4)
            yield Traffic(f"{namespace}/{name}", share, tuple(sorted(left)) if certain else None)


def _incidents(world: World, ref: ObjectRef) -> Iterator[str]:
    for one in world.open_incidents():
        concerns = one.workload == str(ref) if isinstance(ref, WorkloadRef) and one.workload else True
        if one.namespace and one.namespace == ref.namespace and concerns:
            yield one.name


def _objectives(world: World, ref: ObjectRef, traffic: Sequence[Traffic]) -> Sequence[Objective]:
    services = {one.service.partition("/")[2] for one in traffic}
    found = [one for one in world.objectives.values() if one.is_watched]
    if isinstance(ref, WorkloadRef):
        return [one for one in found if one.is_for(ref, services)]
    spaces = {one.service.partition("/")[0] for one in traffic}
    near = [one for one in found if one.labels.get("namespace", "") in {"", *spaces}]
    return [one for one in near if one.service in services]


def _lost(plan: Plan, traffic: Sequence[Traffic]) -> float:
    if traffic:
        return max(one.share for one in traffic)
    return min(1.0, plan.blast.replicas_ended / max(plan.blast.replicas_now, 1))


def _burn(objective: Objective, share: float | None, seconds: float) -> float | None:
    if share is None:
        return None
    return round(share * seconds / (objective.window_seconds * objective.budget), 6)
