"""Looking at a canary: what was counted, what stands around it, and the decision. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maestro_cli.changes.canary.decision import decide, patience
from maestro_cli.changes.canary.model import Canary, Decision, Patience, Rules, Surroundings, Tally
from maestro_cli.changes.canary.traffic import Traffic, deployments
from maestro_cli.changes.kinds.routing import following
from maestro_cli.changes.own_pods import own_pods
from maestro_cli.changes.ports import World
from maestro_cli.core.refs import ObjectRef, WorkloadRef

_CRASH_LOOP = "CrashLoopBackOff"


@dataclass(frozen=True, slots=True)
class Examination:
    """One canary as it is now; `overdue` when its deadline passed without a decision."""

    canary: Canary
    at: datetime
    mine: Tally
    usual: Tally
    decision: Decision
    patience: Patience
    overdue: bool


def examine(
    world: World,
    canary: Canary,
    now: datetime,
    per_million: float | None = None,
    stable_per_million: float | None = None,
) -> Examination:
    """Raises Unreachable and Refused when Prometheus or the cluster cannot be asked."""
    traffic = traffic_of(world, canary.ref, canary.model, canary.beside)
    since = canary.started_at
    mine, usual = traffic.tallies(canary.arms, canary.rules, since, now)
    around = Surroundings(crashing_pods(world, canary.ref), per_million, stable_per_million)
    passed = (now - since).total_seconds()
    return Examination(
        canary, now, mine, usual, decide(mine, usual, canary.rules, around),
        expected(traffic, canary.share, canary.rules, now),
        passed > canary.rules.deadline_seconds,
    )  # fmt: skip


def traffic_of(world: World, ref: ObjectRef, model: str, beside: str) -> Traffic:
    """The traffic of a model by version, or that of two Deployments, when `beside` names the other one."""
    if not beside or not isinstance(ref, WorkloadRef):
        return Traffic(world.metrics, ref, model)
    both = (ref, WorkloadRef("Deployment", ref.namespace, beside))
    return Traffic(world.metrics, ref, model, deployments(world.cluster, both))


def expected(traffic: Traffic, share: float, rules: Rules, now: datetime) -> Patience:
    """How long a decision needs at the traffic of the last ten minutes."""
    rate, bad_share = traffic.rate(now)
    return patience(rate, bad_share, share, rules)


def crashing_pods(world: World, ref: ObjectRef) -> tuple[str, ...]:
    """The pods that crash again and again, of those that follow the routing or that the Deployment owns.

    A server that is alone has none.
    """
    if ref.kind == "Server":
        return ()
    cluster = world.cluster
    own = [cluster.get_workload(ref)] if isinstance(ref, WorkloadRef) else following(cluster, ref)
    found = {
        pod.name
        for workload in own
        for pod in own_pods(cluster, workload)
        if any(container.reason == _CRASH_LOOP for container in pod.containers)
    }
    return tuple(sorted(found))
