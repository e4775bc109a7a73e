"""Looking at a canary: what was counted, what stands around it, and the decision. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maestro_cli.changes.canary.decision import decide, patience
from maestro_cli.changes.canary.model import Canary, Decision, Patience, Rules, Surroundings, Tally
from maestro_cli.changes.canary.traffic import Traffic
from maestro_cli.changes.kinds.routing import following
from maestro_cli.changes.ports import World
from maestro_cli.core.refs import ObjectRef

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


def examine(world: World, canary: Canary, now: datetime, per_million: float | None) -> Examination:
    """Raises Unreachable and Refused when Prometheus or the cluster cannot be asked."""
    traffic = Traffic(world.metrics, canary.ref, canary.model)
    since = canary.started_at
    mine, usual = traffic.tallies((canary.version, canary.stable), canary.rules, since, now)
    around = Surroundings(crashing_pods(world, canary.ref), per_million)
    passed = (now - since).total_seconds()
    return Examination(
        canary, now, mine, usual, decide(mine, usual, canary.rules, around),
        expected(world, canary.ref, canary.model, canary.share, canary.rules, now),
        passed > canary.rules.deadline_seconds,
    )  # fmt: skip


def expected(world: World, ref: ObjectRef, model: str, share: float, rules: Rules, now: datetime) -> Patience:
    """How long a decision needs at the traffic of the last ten minutes."""
    rate, bad_share = Traffic(world.metrics, ref, model).rate(now)
    return patience(rate, bad_share, share, rules)


def crashing_pods(world: World, ref: ObjectRef) -> tuple[str, ...]:
    """The pods that follow the routing and crash again and again; a server that is alone has none."""
    if ref.kind == "Server":
        return ()
    found: list[str] = []
    for workload in following(world.cluster, ref):
        for pod in world.cluster.list_pods(ref.namespace, selector=workload.selector):
            if any(container.reason == _CRASH_LOOP for container in pod.containers):
                found.append(pod.name)
    return tuple(sorted(found))
