"""Right-sizing as a change: what may be set next of one workload, planned as every other change is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from maestro_cli.changes.kinds.set_resources import WATCH_SECONDS
from maestro_cli.changes.model import Risk, plan_digest
from maestro_cli.core.errors import GateNotMet
from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice
from maestro_cli.cost.rightsizing.amounts import cores, size

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.services.costs.rightsizing import RightsizingWanted
    from maestro_cli.services.costs.root import CostServices


NO_OBJECTIVE = "no-objective"


def plan_rightsizing(services: CostServices, workload: str, wanted: RightsizingWanted) -> Plan:
    """The next step of one workload. Raises GateNotMet where nothing may be set, with all reasons."""
    ref = services.workload_ref(workload, wanted.namespace)
    found = services.rightsizing(replace(wanted, workloads=(workload,)))
    (advice,) = found.items
    check_settable(advice)
    words = [word for one in advice.containers for word in _words(one)]
    timeout = services.policy.verify_timeout_seconds + WATCH_SECONDS
    plan = services.changes.plan("set-resources", ref, {"resources": words}, timeout_seconds=timeout)
    return _with_risks(plan, advice)


def _with_risks(plan: Plan, advice: Advice) -> Plan:
    """A cut that no objective watches has to be accepted by its name: that it hurts would show to nobody."""
    if advice.budgets or not advice.cuts:
        return plan
    risk = Risk(
        NO_OBJECTIVE,
        f"no objective guards {advice.workload}",
        "a size that is too small shows in errors and slow answers, and nothing would tell or undo it",
    )
    made = replace(plan, risks=(*plan.risks, risk))
    return replace(made, digest=plan_digest(made))


def check_settable(advice: Advice) -> None:
    """Raises GateNotMet, with all reasons, where nothing of it may be set."""
    if not advice.changes:
        steps = [step for one in advice.containers for step in (one.cpu, one.memory)]
        reasons = dict.fromkeys(reason.text for step in steps for reason in step.reasons)
        raise GateNotMet(
            f"nothing of {advice.workload} may be set",
            why="; ".join(reasons) or "its size is right within 5 %",
            fix=f"maestro cost rightsize --workload {advice.workload} -o json has the evidence",
        )
    scaler = advice.autoscaler
    if scaler is not None:
        raise GateNotMet(
            f"the autoscaler {scaler.name} would add pods to {advice.workload} for a smaller request",
            why=f"its CPU target has to go from {scaler.now:g} % to {scaler.next} % with it",
            fix=f"set its target, then: maestro set resources {advice.workload}",
        )


def _words(one: ContainerAdvice) -> Iterator[str]:
    """Of what differs, and nothing else."""
    for side in ("requests", "limits"):
        field = side.removesuffix("s")
        for resource, shown in (("cpu", cores), ("memory", size)):
            now, next_ = (getattr(of, f"{resource}_{field}") for of in (one.now, one.next))
            if next_ is not None and next_ != now:
                yield f"{one.container.container}/{side}.{resource}={shown(next_)}"
