"""Pods as targets of faults. Invariant: what is not ready, or on its way out, is not chosen."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.identity import the_very
from maestro_cli.chaos.model import Candidate, FaultOrder, TargetRule
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import WorkloadRef


def all_pods(platform: Platform, rule: TargetRule) -> Sequence[Pod]:
    """Those that the rule matches, well or not; raises what the cluster raises."""
    terms = [rule.selector] if rule.selector else []
    if rule.workload is not None:
        terms.insert(0, platform.cluster.get_workload(rule.workload).selector)
    return platform.cluster.list_pods(rule.namespace, selector=",".join(terms))


def ready_pods(platform: Platform, rule: TargetRule) -> list[Pod]:
    """Those that the rule matches and that serve, by name; raises what the cluster raises."""
    found = all_pods(platform, rule)
    return sorted((pod for pod in found if pod.ready and not pod.deleting), key=lambda pod: pod.name)


def lacks_cluster(platform: Platform) -> str:
    """Why there is no cluster to hurt, or "" where there is one."""
    try:
        return "" if platform.cluster else "there is no cluster"
    except NotFound as error:
        return error.what


def pod_at(platform: Platform, target: Candidate) -> Pod | None:
    """The very pod, or None when it is gone."""
    return the_very(target, lambda: platform.cluster.get_pod(target.ref.namespace, target.ref.name))


def pod_candidates(platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
    return [Candidate(pod.ref, pod.uid, pod.node) for pod in ready_pods(platform, order.target)]


def as_many_ready(platform: Platform, fault: InForce) -> Proof:
    """As many pods serve as the target's workload wants, or as before where labels say which are meant."""
    rule = fault.order.target
    if rule.workload is not None and not rule.selector:
        least = wanted_of(platform, rule.workload)
        if not least:
            return Proof(Holds.NOT_YET, f"{rule.workload} wants no pod any more")
    else:
        least = _least_by_labels(platform, fault)
    ready = len(ready_pods(platform, rule))
    text = f"{ready} of {counted(least, 'pod')} ready"
    return Proof(Holds.YES if ready >= least else Holds.NOT_YET, text)


def serve_again(platform: Platform, fault: InForce, left: Sequence[str]) -> Proof:
    """Nothing is left of it, and as many pods serve as have to."""
    return Proof(Holds.NOT_YET, left[0]) if left else as_many_ready(platform, fault)


def _least_by_labels(platform: Platform, fault: InForce) -> int:
    """As many as before, where pods were counted; of other targets, every pod that is there and not over."""
    if all(one.ref.kind == "Pod" for one in fault.targets):
        return fault.before
    there = all_pods(platform, fault.order.target)
    return max(1, sum(pod.phase not in ("Succeeded", "Failed") and not pod.deleting for pod in there))


def wanted_of(platform: Platform, ref: WorkloadRef) -> int:
    """How many replicas it wants; 0 when it is gone."""
    try:
        return platform.cluster.get_workload(ref).replicas_wanted
    except NotFound:
        return 0
