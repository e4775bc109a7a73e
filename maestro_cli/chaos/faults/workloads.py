"""Whole workloads as targets of faults. Invariant: such a target is said to be whole."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.chaos.faults.identity import the_very
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef


def whole_workload(platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
    """The workload that the rule names, when it wants replicas; raises UsageError where it names none, or
    some of its pods.
    """
    ref = order.target.workload
    refuse_labels(order)
    if ref is None:
        raise UsageError(
            f"{order.fault} is about a whole workload", fix="target: {workload: NAMESPACE/deploy/NAME}"
        )
    found = platform.cluster.get_workload(ref)
    return [Candidate(found.ref, found.uid, whole=True)] if found.replicas_wanted else []


def refuse_labels(order: FaultOrder) -> None:
    """Raises UsageError where a fault that meets the whole of a workload is to meet some of its pods."""
    rule = order.target
    if rule.workload is not None and rule.selector:
        raise UsageError(
            f"{order.fault} meets the whole of {rule.workload}, not its pods with {rule.selector}",
            fix="leave out selector",
        )


def workload_at(platform: Platform, target: Candidate) -> Workload | None:
    """The very workload, or None when it is gone."""
    ref = target.ref
    assert isinstance(ref, WorkloadRef)
    return the_very(target, lambda: platform.cluster.get_workload(ref))
