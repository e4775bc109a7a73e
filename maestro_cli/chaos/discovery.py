"""What could be broken in a context: faults by workloads. Invariant: reads alone; what hinders is said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import Fault
from maestro_cli.chaos.model import FaultOrder, TargetRule
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.refs import WorkloadRef


@dataclass(frozen=True, slots=True)
class Breakable:
    """One fault of one workload: how many objects it could be put into, or what hinders it.

    `workload` None: the context cannot have the fault at all. `candidates` None: nobody can tell.
    """

    fault: str
    provider: str
    workload: WorkloadRef | None
    candidates: int | None
    lacks: str


def discover(
    platform: Platform, workloads: Sequence[WorkloadRef], allowed: Collection[str]
) -> tuple[Breakable, ...]:
    """Each fault with each workload, by workload; then the faults that the context cannot have."""
    lacking = {name: _lacks(platform, fault) for name, fault in FAULTS.items()}
    found = [
        _breakable(platform, fault, workload, allowed)
        for workload in workloads
        for name, fault in FAULTS.items()
        if not lacking[name]
    ]
    never = [
        Breakable(name, fault.provider, None, None, lacking[name])
        for name, fault in FAULTS.items()
        if lacking[name]
    ]
    return (*found, *never)


def _lacks(platform: Platform, fault: Fault) -> str:
    try:
        return fault.lacks(platform)
    except MaestroError as error:
        return error.what


def _breakable(
    platform: Platform, fault: Fault, workload: WorkloadRef, allowed: Collection[str]
) -> Breakable:
    lacks, count = "", None
    needed = [name for name, option in fault.options.items() if option.needed]
    rule = TargetRule(workload.namespace, workload, "")
    try:
        count = len(fault.candidates(platform, FaultOrder(fault.name, fault.name, {}, rule)))
    except MaestroError as error:
        lacks = error.what
    except KeyError:
        lacks = f"depends on {', '.join(needed)}"
    if count == 0:
        lacks = "nothing of it could be chosen"
    if workload.namespace not in allowed:
        lacks = f"the context allows no experiments in {workload.namespace}"
    return Breakable(fault.name, fault.provider, workload, count, lacks)
