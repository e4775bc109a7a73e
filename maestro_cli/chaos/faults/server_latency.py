"""Server latency: requests wait in the model server of chosen pods, through its fault hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option, share_of_one, whole_number
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.pods import as_many_ready, pod_candidates
from maestro_cli.chaos.faults.server_kinds import INJECT, EndServerFault, InjectServerFault
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import ActiveFault, Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef

LEASH_SECONDS = 30.0  # how much longer it lasts by itself than it is wanted, should nobody be there to end it
MAX_SECONDS = 900.0  # of the hooks


class ServerLatency:
    """Parameters: `milliseconds`, `jitter` (milliseconds, 0), `share` of requests (100%), `model` (any)."""

    name = "server-latency"
    summary = "requests wait in the model server of chosen pods"
    provider = "server"
    options: ClassVar[Mapping[str, Option]] = {
        "milliseconds": Option(whole_number, needed=True),
        "jitter": Option(whole_number),
        "share": Option(share_of_one),
        "model": Option(str),
    }

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return (
            InjectServerFault(lambda: platform.server_faults),
            EndServerFault(lambda: platform.server_faults),
        )

    def lacks(self, platform: Platform) -> str:
        try:
            return "" if platform.cluster and platform.server_faults else "there are no fault hooks"
        except NotFound as error:
            return error.what

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return pod_candidates(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        said = order.parameters
        parameters = {"milliseconds": said["milliseconds"]}
        if said.get("jitter"):
            parameters["jitter_milliseconds"] = said["jitter"]
        asked = {
            "kind": "latency",
            "seconds": min(seconds + LEASH_SECONDS, MAX_SECONDS),
            "parameters": parameters,
            "scope": {"model": said.get("model", ""), "version": None, "share": said.get("share", 1.0)},
        }
        return [Step(INJECT, one.ref, {"order": asked}) for one in targets]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each server counted a request that it met."""
        hits = {ref: one.hits for ref, one in _mine(platform, fault)}
        idle = [str(one.ref) for one in fault.targets if not hits.get(one.ref)]
        if idle:
            return Proof(Holds.NOT_YET, f"met no request yet in {', '.join(idle)}")
        return Proof(Holds.YES, f"met {sum(hits.values())} requests")

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        left = self.residue(platform, fault)
        return Proof(Holds.NOT_YET, left[0]) if left else as_many_ready(platform, fault)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return [f"{one.kind} in the server of {ref}" for ref, one in _mine(platform, fault)]


def _mine(platform: Platform, fault: InForce) -> Iterator[tuple[ObjectRef, ActiveFault]]:
    """What the servers of its targets have of it; a pod that is gone has nothing."""
    for target in fault.targets:
        try:
            pod = platform.cluster.get_pod(target.ref.namespace, target.ref.name)
        except NotFound:
            continue
        if pod.uid != target.uid:
            continue
        for one in platform.server_faults.active(pod):
            if one.note in fault.changes:
                yield target.ref, one
