"""The faults there are: one module each, found by name here and treated alike elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.chaos.faults.fault import Fault
from maestro_cli.chaos.faults.pod_delete import PodDelete
from maestro_cli.chaos.faults.server_latency import ServerLatency
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import UsageError

_ALL: tuple[Fault, ...] = (PodDelete(), ServerLatency())
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}


def fault_named(name: str) -> Fault:
    """The fault of that name; raises UsageError."""
    if name not in FAULTS:
        raise UsageError(f"there is no fault {name!r}", fix=f"use one of: {', '.join(sorted(FAULTS))}")
    return FAULTS[name]


def fault_kinds(platform: Platform) -> dict[str, ChangeKind]:
    """The kinds of change that faults bring, by name; those that several need are there once."""
    return {kind.name: kind for fault in _ALL for kind in fault.kinds(platform)}
