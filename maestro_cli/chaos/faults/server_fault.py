"""What all faults of the model server's hooks have in common: one order to the server of each chosen pod.

Invariant: an order outlasts what is wanted by a leash and no more, so that a fault whose maestro died ends by
itself; it is found again by the id of the change that gave it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option, share_of_one
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.leash import leashed
from maestro_cli.chaos.faults.pods import pod_at, pod_candidates, serve_again
from maestro_cli.chaos.faults.server_kinds import INJECT, EndServerFault, InjectServerFault
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import ActiveFault, Platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef

MAX_SECONDS = 900.0  # as the server takes them: serving.faults.model


class ServerFault(ABC):
    """A fault of one kind of `POST /v2/faults`."""

    name: ClassVar[str]
    summary: ClassVar[str]
    provider = "server"
    kind: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}

    @abstractmethod
    def asked(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters that the hook takes, from those that people give."""

    def scope(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Whom it meets; nothing for what happens to the whole process."""
        return {}

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
        asked = {
            "kind": self.kind,
            "seconds": leashed(seconds, MAX_SECONDS),
            "parameters": dict(self.asked(order.parameters)),
            "scope": dict(self.scope(order.parameters)),
        }
        return [Step(INJECT, one.ref, {"order": asked}) for one in targets]

    @abstractmethod
    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """What was measured of it."""

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        return serve_again(platform, fault, self.residue(platform, fault))

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return [f"{one.kind} in the server of {ref}" for ref, one in active_of(platform, fault)]


class RequestFault(ServerFault):
    """One that happens to requests: `share` of them (100%), of one `model` (any)."""

    scoped: ClassVar[Mapping[str, Option]] = {"share": Option(share_of_one), "model": Option(str)}

    def scope(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"model": said.get("model", ""), "version": None, "share": said.get("share", 1.0)}

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Each server counted a request that it met."""
        hits = {ref: one.hits for ref, one in active_of(platform, fault)}
        idle = [str(one.ref) for one in fault.targets if not hits.get(one.ref)]
        if idle:
            return Proof(Holds.NOT_YET, f"met no request yet in {', '.join(idle)}")
        return Proof(Holds.YES, f"met {sum(hits.values())} requests")


def active_of(platform: Platform, fault: InForce) -> Iterator[tuple[ObjectRef, ActiveFault]]:
    """What the servers of its targets have of it; a pod that is gone has nothing."""
    for target in fault.targets:
        pod = pod_at(platform, target)
        for one in platform.server_faults.active(pod) if pod is not None else ():
            if one.note in fault.changes:
                yield target.ref, one
