"""What keeps a set from taking on a template by itself: its strategy, its partition, or a pod it waits for.

Invariant: nothing of it is passed over in silence. A StatefulSet whose pods are ordered replaces none while
one is not ready, not even by a repaired template (kubernetes/kubernetes#67250): that pod is named in the
plan, and deleted by its uid once the template was written, if it is still not ready and of another template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Diff, DiffLine, GateReason
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.cluster import Pod, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import Untrusted

_REVISION = "controller-revision-hash"
STEADY_SECONDS = 600.0  # twice the longest pause between the starts of a container that crashes
PODS = "pods"  # the parameter that records which pods end besides


def held_back(cluster: ClusterPort, workload: Workload, draft: Draft, now: datetime) -> Draft:
    """The draft of a new template, with what the set does not do by itself."""
    if workload.held_back:
        kept = counted(workload.held_back, "replica")
        draft = replace(
            draft,
            summary=f"{draft.summary}; {kept} of {workload.replicas_wanted} will not take it on",
            holds=f"{draft.holds}, but {kept}: {workload.held_why}",
            ended=min(draft.ended, workload.replicas_wanted - workload.held_back),
        )
    pods = [pod for pod in _own(cluster, workload) if not pod.ready or _crashes(pod, now)]
    if not pods:
        return draft
    lines = [DiffLine(Untrusted(str(pod.ref)), Untrusted("not well"), Untrusted("made anew")) for pod in pods]
    return replace(
        draft,
        parameters={**draft.parameters, PODS: {pod.uid: str(pod.ref) for pod in pods}},
        summary=f"{draft.summary}, and delete {counted(len(pods), 'pod')} that it would wait for",
        diff=Diff((*draft.diff.lines, *lines)),
    )


def _own(cluster: ClusterPort, workload: Workload) -> Sequence[Pod]:
    """The pods of an ordered set that take new templates on."""
    if not workload.ordered:
        return ()
    pods = cluster.list_pods(workload.ref.namespace, selector=workload.selector)
    return [
        pod for pod in pods
        if pod.owner_kind == workload.ref.kind and pod.owner == workload.ref.name
        and not pod.deleting and _number(pod) >= workload.held_back
    ]  # fmt: skip


def left_behind(cluster: ClusterPort, workload: Workload) -> Sequence[Pod]:
    """Pods that are not ready and run another template than the newest, once the set has seen that."""
    if not workload.is_observed:
        return ()
    return [
        pod for pod in _own(cluster, workload)
        if not pod.ready and pod.labels.get(_REVISION, "") != workload.update_revision
    ]  # fmt: skip


def wholly_held(workload: Workload) -> tuple[GateReason, ...]:
    """The objection to what would reach no replica at all."""
    if not workload.held_back or workload.held_back < workload.replicas_wanted:
        return ()
    reason = GateReason(
        "held-back", ExitCode.GATE_NOT_MET, f"no replica of {workload.ref} would be replaced",
        why=workload.held_why, fix="end its pods one by one: maestro pod delete NAME",
    )  # fmt: skip
    return (reason,)


def _crashes(pod: Pod, now: datetime) -> bool:
    """Ready only since a container started again, as what crashes and has no probe is now and then."""
    since = pod.ready_since
    return pod.restarts > 0 and since is not None and seconds_between(since, now) < STEADY_SECONDS


def _number(pod: Pod) -> int:
    """The ordinal of a StatefulSet's pod."""
    digits = pod.name.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 0
