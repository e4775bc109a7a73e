"""The faults there are: one module each, found by name here and treated alike elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.chaos.faults.config_break import ConfigBreak
from maestro_cli.chaos.faults.fault import Fault
from maestro_cli.chaos.faults.kubelet_stop import KubeletStop
from maestro_cli.chaos.faults.link_bandwidth import LinkBandwidth
from maestro_cli.chaos.faults.link_latency import LinkLatency
from maestro_cli.chaos.faults.link_loss import LinkLoss
from maestro_cli.chaos.faults.link_partition import LinkPartition
from maestro_cli.chaos.faults.mesh import mesh_faults
from maestro_cli.chaos.faults.mesh_manifest import MeshManifest
from maestro_cli.chaos.faults.node_cordon import NodeCordon
from maestro_cli.chaos.faults.node_drain import NodeDrain
from maestro_cli.chaos.faults.not_here import NOT_HERE
from maestro_cli.chaos.faults.pod_cpu import PodCpu
from maestro_cli.chaos.faults.pod_delete import PodDelete
from maestro_cli.chaos.faults.pod_disk import PodDisk
from maestro_cli.chaos.faults.pod_freeze import PodFreeze
from maestro_cli.chaos.faults.pod_memory import PodMemory
from maestro_cli.chaos.faults.region_failover import FAILOVER, RegionFailover
from maestro_cli.chaos.faults.region_outage import RegionOutage
from maestro_cli.chaos.faults.scale_to_zero import ScaleToZero
from maestro_cli.chaos.faults.server_cpu import ServerCpu
from maestro_cli.chaos.faults.server_dependency import ServerDependency
from maestro_cli.chaos.faults.server_error import ServerError
from maestro_cli.chaos.faults.server_hang import ServerHang
from maestro_cli.chaos.faults.server_latency import ServerLatency
from maestro_cli.chaos.faults.server_memory import ServerMemory
from maestro_cli.chaos.faults.server_slow_drain import ServerSlowDrain
from maestro_cli.chaos.faults.zone_outage import ZoneOutage
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import UsageError

_ALL: tuple[Fault, ...] = (
    PodDelete(), NodeCordon(), NodeDrain(), ScaleToZero(), ConfigBreak(),
    ServerLatency(), ServerError(), ServerHang(), ServerDependency(), ServerCpu(), ServerMemory(),
    ServerSlowDrain(),
    LinkLatency(), LinkLoss(), LinkBandwidth(), LinkPartition(),
    PodFreeze(), PodCpu(), PodMemory(), PodDisk(), KubeletStop(), ZoneOutage(),
    RegionOutage(), RegionFailover(),
    *mesh_faults(), MeshManifest(), *NOT_HERE,
)  # fmt: skip
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
# What helps against the others: it is taken back once they are.
REMEDIES = frozenset({FAILOVER})


def fault_named(name: str) -> Fault:
    """The fault of that name; raises UsageError."""
    if name not in FAULTS:
        raise UsageError(f"there is no fault {name!r}", fix=f"use one of: {', '.join(sorted(FAULTS))}")
    return FAULTS[name]


def fault_kinds(platform: Platform) -> dict[str, ChangeKind]:
    """The kinds of change that faults bring, by name; those that several need are there once."""
    return {kind.name: kind for fault in _ALL for kind in fault.kinds(platform)}
