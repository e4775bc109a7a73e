"""Pod freeze: the processes of chosen pods are stopped, and do nothing until they go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.leased_fault import LeasedFault
from maestro_cli.chaos.faults.pods import pod_at
from maestro_cli.chaos.ports import Platform


class PodFreeze(LeasedFault):
    """Takes no parameters. SIGSTOP; a liveness probe may end a container meanwhile, and its kubelet starts it
    anew.
    """

    name = "pod-freeze"
    summary = "the processes of chosen pods are stopped, as of a machine that hangs"
    provider = "kubelet"
    kind = "freeze"

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each pod is ready no more: its probe gets no answer."""
        pods = [pod_at(platform, one) for one in fault.targets]
        ready = [str(pod.ref) for pod in pods if pod is not None and pod.ready]
        if ready:
            return Proof(Holds.NOT_YET, f"{', '.join(ready)} is ready")
        return Proof(Holds.YES, f"not ready: {', '.join(str(one.ref) for one in fault.targets)}")
