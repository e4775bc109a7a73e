"""Canaries of a context: its routing, its Prometheus, its prices, its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.changes.canary import register
from maestro_cli.changes.canary.decision import told
from maestro_cli.changes.canary.examination import Examination, examine, expected, traffic_of
from maestro_cli.changes.canary.model import Canary, Rules, Verb
from maestro_cli.changes.kinds.routing import following
from maestro_cli.core.errors import GateNotMet, MaestroError, TimedOut, UsageError
from maestro_cli.core.quantities import counted, format_duration, parse_duration_seconds
from maestro_cli.core.refs import ObjectRef, WorkloadRef

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.core.facts.cluster import Workload
    from maestro_cli.core.progress import Progress
    from maestro_cli.services.root import Services


def start_plan(services: Services, ref: ObjectRef, asked: dict[str, object], rules: Rules) -> Plan:
    """Plan the start, and say how long a decision needs at this traffic."""
    from maestro_cli.output.diagnostics import note

    if not asked["share"]:
        raise UsageError("a canary without traffic decides nothing", fix="--share 10%")
    register.check_free(services.journal, ref, str(asked.get("model", "")), str(asked.get("beside", "")))
    plan = services.changes.plan("set-weight" if "beside" in asked else "set-traffic", ref, asked)
    given = plan.parameters
    traffic = traffic_of(services, ref, given.get("model", ""), given.get("beside", ""))
    found = expected(traffic, given["share"], rules, services.clock.now())
    note(f"a decision needs {told(found)}")
    longest = max(filter(None, (found.if_bad, found.if_good)), default=None)
    if longest is None or longest > rules.deadline_seconds:
        deadline = format_duration(rules.deadline_seconds)
        note(f"it may still be undecided after {deadline}, and is held then: give it a larger share")
    return plan


def look(services: Services, ref: ObjectRef, model: str) -> Examination:
    """The canary and the decision about it, now."""
    canary = register.get_running(services.journal, ref, model)
    return examine(services, canary, services.clock.now(), *_per_million(services, canary))


def promote_plan(services: Services, ref: ObjectRef, model: str, *, anyway: bool) -> Plan:
    """Plan the promotion; raises GateNotMet when the decision is another, which `anyway` does not ask for.

    That of a Deployment is two changes: this is the first of them that is not made yet.
    """
    from maestro_cli.output.diagnostics import note

    canary = register.get_running(services.journal, ref, model)
    if not anyway:
        decision = look(services, ref, model).decision
        if decision.verb is not Verb.PROMOTE:
            raise GateNotMet(
                f"the decision about {canary.name} is to {decision.verb.value} it",
                why=decision.why,
                fix="wait (maestro canary watch), abort it, or promote it --anyway",
            )
    if not canary.beside:
        return services.changes.plan("promote", ref, {"model": model, "version": canary.version})
    own, stable = _both(services, canary)
    if own.replicas_wanted < stable.replicas_ready:
        note(f"first {canary.name} gets as many replicas as {canary.stable_name}, then that one none")
        return services.changes.plan("set-weight", ref, {"share": 0.5, "beside": canary.beside})
    return _handed_over(services, canary)


def rest_of_promotion(services: Services, ref: ObjectRef, model: str) -> Plan | None:
    """What is left of a promotion after its first change; None when that was all."""
    canary = register.find_running(services.journal, ref, model)
    return None if canary is None or not canary.beside else _handed_over(services, canary)


def abort_plan(services: Services, ref: ObjectRef, model: str) -> Plan:
    """Plan to have the stable one answer all requests again; needs no metrics."""
    canary = register.get_running(services.journal, ref, model)
    if canary.beside:
        return services.changes.plan("set-weight", ref, {"share": 0.0, "beside": canary.beside})
    asked = {"model": model, "version": canary.version, "share": 0.0}
    return services.changes.plan("set-traffic", ref, asked)


def record_end(services: Services, ref: ObjectRef, model: str, plan: Plan, ended_as: str) -> None:
    """Record that this plan ends the canary; one after which both still answer ends nothing."""
    if plan.kind == "set-weight" and plan.parameters["share"]:
        return
    canary = register.get_running(services.journal, ref, model)
    register.ending(services.journal, services.actor, canary, plan, ended_as)


def _both(services: Services, canary: Canary) -> tuple[Workload, Workload]:
    """The canary's Deployment and the stable one."""
    assert isinstance(canary.ref, WorkloadRef)
    cluster = services.cluster
    return cluster.get_workload(canary.ref), cluster.get_workload(canary.stable_ref)


def refuse_alone(own: Workload, stable: Workload) -> None:
    """Raises GateNotMet while one has fewer ready replicas than the other shall have."""
    if own.replicas_ready < stable.replicas_wanted:
        raise GateNotMet(
            f"{own.ref} has {counted(own.replicas_ready, 'ready replica')}, and would answer alone",
            why=f"{stable.ref} shall have {stable.replicas_wanted}",
            fix=f"wait for them, or: maestro scale {own.ref} --replicas {stable.replicas_wanted}",
        )


def _handed_over(services: Services, canary: Canary) -> Plan:
    refuse_alone(*_both(services, canary))
    asked = {"share": 0.0, "beside": canary.ref.name}
    return services.changes.plan("set-weight", canary.stable_ref, asked)


def watch(services: Services, ref: ObjectRef, model: str, every: str, progress: Progress) -> Examination:
    """Look until it is decided; raises TimedOut at the canary's deadline, Interrupted. Ends nothing."""
    seconds = _seconds(every, "--every")
    while True:
        found = look(services, ref, model)
        progress.update(f"{found.decision.verb.value}: {found.decision.why}")
        if found.decision.verb is not Verb.HOLD:
            return found
        if found.overdue:
            raise TimedOut(
                f"{found.canary.name} is undecided after"
                f" {format_duration(found.canary.rules.deadline_seconds)}, and is held",
                why=found.decision.why,
                fix="give it a larger share, promote it --anyway, or abort it",
            )
        services.cancellation.pause(seconds)


def rules_of(
    services: Services, ref: ObjectRef, beside: str, *, worse: float, objective: float | None, slow: str,
    deadline: str, margin: float, right: str, judged: str, max_price: float | None,
) -> Rules:  # fmt: skip
    """The rules as people write them, the objective by default the context's; raises UsageError."""
    given = 50.0 if objective is None else objective
    for value, name, low, high in (
        (worse, "--worse", 1, 1000), (given, "--objective", 0, 100), (margin, "--margin", 0, 1),
    ):  # fmt: skip
        if not low < value < high and not (name == "--margin" and value == 1):
            raise UsageError(f"{value:g} makes no sense for {name}", fix=f"above {low}, below {high}")
    if bool(right) is not bool(judged):
        raise UsageError("accuracy needs both counters", fix="--right SELECTOR --judged SELECTOR")
    return Rules(
        worse=worse,
        target=_target(services, ref, beside) if objective is None else objective / 100,
        slow_seconds=_seconds(slow, "--slow"),
        deadline_seconds=_seconds(deadline, "--deadline"),
        margin=margin,
        right=right,
        judged=judged,
        most_per_million=max_price,
    )


def _target(services: Services, ref: ObjectRef, beside: str) -> float:
    """The strictest of the context's objectives on errors of what answers; else the usual one."""
    objectives = [one for one in services.objectives.values() if one.is_watched and one.counts_errors]
    if not objectives or ref.kind == "Server":
        return Rules().target
    if isinstance(ref, WorkloadRef):
        answering = [ref, WorkloadRef("Deployment", ref.namespace, beside)]
    else:
        answering = [one.ref for one in following(services.cluster, ref)]
    found = [one.target for one in objectives if any(map(one.is_for, answering))]
    return max(found, default=Rules().target)


def _seconds(text: str, option: str) -> float:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise UsageError(str(error), fix=f"{option} 5m") from error
    if seconds <= 0:
        raise UsageError(f"{option} is to be above 0")
    return seconds


def _per_million(services: Services, canary: Canary) -> tuple[float | None, float | None]:
    """What a million predictions of the canary cost lately, and of the stable one; None is not known.

    All the namespace's services that answered for either share their cost out by the time of the requests.
    """
    if canary.rules.most_per_million is None or not canary.ref.namespace:
        return None, None
    from maestro_cli.services.costs.unit_costs import UnitCostWanted, arm_costs

    wanted = UnitCostWanted(namespace=canary.ref.namespace, window="10m")
    try:
        mine, usual = (
            arm_costs(services, wanted, canary.arms)
            if canary.beside
            else arm_costs(services, wanted, canary.arms, canary.model)
        )
    except MaestroError:
        return None, None
    return mine, usual
