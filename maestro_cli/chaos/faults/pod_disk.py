"""Pod disk: a file fills the scratch space of chosen pods, written by their kubelets.

The process kubelet has no quota that would answer a write with ENOSPC: what is past the size limit of an
emptyDir has its pod evicted, as Kubernetes does. The file is in that volume, and never larger than this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Holds, Option, share_of_one
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.faults.leased_fault import LeasedFault
from maestro_cli.chaos.faults.pods import pod_at, ready_pods
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.fault_leases import FILLED
from maestro_cli.core.quantities import counted


class PodDisk(LeasedFault):
    """Parameters: `fill`, the share of the smallest size limit of an emptyDir that the file takes (110%)."""

    name = "pod-disk"
    summary = (
        "a file fills the emptyDir with the smallest sizeLimit of chosen pods; past it the pod is evicted"
    )
    provider = "kubelet"
    kind = "disk"
    options: ClassVar[Mapping[str, Option]] = {"fill": Option(share_of_one)}

    def asked(self, said: Mapping[str, Any]) -> Mapping[str, float]:
        return {"fill": min(1.2, said.get("fill", 1.1))}

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """Those alone whose scratch space has a limit; raises GateNotMet where pods serve, and none has."""
        pods = ready_pods(platform, order.target)
        limited = [pod for pod in pods if platform.embedded.scratch_bytes(pod) is not None]
        if pods and not limited:
            what = f"no pod with an emptyDir that has a sizeLimit matches {order.target}"
            why = f"{counted(len(pods), 'pod')} serve, and what has no limit is not filled"
            raise GateNotMet(what, why=why, fix="give their template a volume: emptyDir: {sizeLimit: 64Mi}")
        return [Candidate(pod.ref, pod.uid, pod.node) for pod in limited]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each pod was evicted, or its kubelet says how much it wrote for one of these changes."""
        events = platform.cluster.list_events(fault.order.target.namespace)
        filled = [(one.object_name, str(one.message)) for one in events if one.reason == FILLED]
        said = {name: text for name, text in filled if any(text.endswith(f" {one}") for one in fault.changes)}
        words = []
        for one in fault.targets:
            pod = pod_at(platform, one)
            if pod is None or pod.phase == "Failed":
                words.append(f"{one.ref} was evicted")
            elif one.ref.name in said:
                words.append(said[one.ref.name])
            else:
                return Proof(Holds.NOT_YET, f"{one.ref} has room still")
        return Proof(Holds.YES, "; ".join(words))
