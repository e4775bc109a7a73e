"""What pausing and resuming a rollout have in common: one flag of the spec.

Invariant: it holds when the flag is as wanted and the controller has seen it, whatever rolls out then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Holds, Observation, Request
from maestro_cli.changes.kinds.workload import WorkloadKind
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Diff, DiffLine, Plan, Undo
from maestro_cli.changes.ports import World
from maestro_cli.core.canonical import digest
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import Untrusted


class PausingKind(WorkloadKind):
    """Takes no parameters; `flag` is what it writes, `opposite` the kind that takes it back."""

    unfit: ClassVar[Mapping[str, tuple[str, str]]] = {
        "StatefulSet": (
            "only a Deployment can be paused; a StatefulSet holds pods back by its partition",
            "kubectl -n {namespace} patch sts {name} --type=merge"
            ' -p \'{{"spec":{{"updateStrategy":{{"rollingUpdate":{{"partition":N}}}}}}}}\''
            " (pods from number N on take new templates on)",
        ),
        "DaemonSet": (
            "only a Deployment can be paused; a DaemonSet is held by the update strategy OnDelete",
            "kubectl -n {namespace} patch ds {name} --type=merge"
            ' -p \'{{"spec":{{"updateStrategy":{{"type":"OnDelete","rollingUpdate":null}}}}}}\''
            " (and RollingUpdate to let it go on)",
        ),
    }
    flag: ClassVar[bool]
    opposite: ClassVar[str]
    state: ClassVar[str]  # in words

    def ends(self, workload: Workload) -> int:
        """How many replicas end by it."""
        return 0

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        ref = request.ref
        before, after = (Untrusted(str(flag).lower()) for flag in (workload.paused, self.flag))
        return Draft(
            parameters={},
            summary=f"{self.name} the rollout of {ref}",
            spec={"paused": self.flag},
            diff=Diff((DiffLine(Untrusted("paused"), before, after),)),
            holds=f"the rollout of {ref} is {self.state}",
            undo=Undo(self.opposite, {}, f"{self.opposite} the rollout of {ref}"),
            ended=self.ends(workload),
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        return {"paused": self.flag}

    def part(self, spec: Spec) -> str:
        return digest(["paused", spec["paused"]])

    def progress(self, workload: Workload, plan: Plan) -> Observation:
        """Its controller has seen it; what the rollout then does is not judged."""
        wanted = counted(workload.replicas_wanted, "replica")
        text = f"{workload.replicas_updated} of {wanted} on the newest template"
        if workload.observed_generation >= workload.generation:
            return Observation(Holds.YES, text)
        return Observation(Holds.NOT_YET, f"{text}; its controller has not seen it yet")
