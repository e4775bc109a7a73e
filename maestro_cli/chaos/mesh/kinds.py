"""The kinds of Chaos Mesh that maestro knows. Invariant: as `fields`, facts of v2.8.3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.chaos.mesh.fields import EMBEDDED, GROUP, VERSION

API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, slots=True)
class MeshKind:
    """One kind: where it is served, and the shapes of its spec and status.

    `needs_spec`: whether its definition demands one. `status_apart`: whether status is a subresource.
    """

    name: str
    plural: str
    status: str
    needs_spec: bool = True
    status_apart: bool = False

    @property
    def spec(self) -> str:
        return f"{self.name}Spec"

    @property
    def selects_pods(self) -> bool:
        return self.name not in ("Schedule", "Workflow")


_KEYS = {spec.removesuffix("Spec"): key for key, spec in EMBEDDED.items()}
_ALL = (
    MeshKind("PodChaos", "podchaos", "ChaosStatus"),
    MeshKind("NetworkChaos", "networkchaos", "NetworkStatus"),
    MeshKind("StressChaos", "stresschaos", "StressStatus"),
    MeshKind("IOChaos", "iochaos", "NetworkStatus", needs_spec=False),
    MeshKind("DNSChaos", "dnschaos", "ChaosStatus"),
    MeshKind("HTTPChaos", "httpchaos", "NetworkStatus", needs_spec=False),
    MeshKind("TimeChaos", "timechaos", "ChaosStatus"),
    MeshKind("Schedule", "schedules", "ScheduleStatus"),
    MeshKind("Workflow", "workflows", "WorkflowStatus", status_apart=True),
)
KINDS: Mapping[str, MeshKind] = {kind.name: kind for kind in _ALL}
KEY_OF: Mapping[str, str] = {name: _KEYS[name] for name in KINDS if name in _KEYS}
# What a Schedule or a template of a Workflow may hold, that is no part of the tables.
OTHERS = (
    "AWSChaos",
    "AzureChaos",
    "BlockChaos",
    "GCPChaos",
    "JVMChaos",
    "KernelChaos",
    "PhysicalMachineChaos",
)
STEPS = ("Task", "Serial", "Parallel", "Suspend", "StatusCheck", "Schedule")
