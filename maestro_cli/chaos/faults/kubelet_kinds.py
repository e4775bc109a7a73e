"""Changes that stop the process kubelet of a node, and have it go on.

Invariant: its process is asked of the system, never remembered. It goes on by itself when its time is over:
the platform's supervisor sees to it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from maestro_cli.changes.blast import node_blast
from maestro_cli.changes.kinds.kind import (
    Holds,
    Observation,
    Option,
    Permission,
    Probe,
    Request,
    Sent,
    yes_or_no,
)
from maestro_cli.changes.kinds.scheduling import node_name
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Target, Undo
from maestro_cli.changes.ports import World
from maestro_cli.chaos.ports import EmbeddedHooks
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import NotFound, NothingToChange, UsageError
from maestro_cli.core.facts.cluster import Node
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

STOP, RESUME = "stop-kubelet", "resume-kubelet"


@dataclass(frozen=True, slots=True)
class Machine:
    """A node, and for whom its kubelet's process is stopped; None: it runs."""

    node: Node
    stopped_for: str | None

    @property
    def is_stopped(self) -> bool:
        return self.stopped_for is not None

    def is_stopped_by(self, change: str) -> bool:
        """Or by nobody who says so."""
        return self.stopped_for in ("", change)

    @property
    def ref(self) -> ObjectRef:
        return self.node.ref

    @property
    def uid(self) -> str:
        return self.node.uid

    @property
    def resource_version(self) -> str:
        return self.node.resource_version

    @property
    def generation(self) -> int:
        return 0

    @property
    def labels(self) -> Mapping[str, str]:
        return self.node.labels


class KubeletKind(WritingKind[Machine]):
    """What both have in common; `flag` is whether it is then stopped."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("get", "nodes"),)
    flag: ClassVar[bool]

    def __init__(self, hooks: Callable[[], EmbeddedHooks]) -> None:
        self._hooks = hooks

    def read(self, world: World, ref: ObjectRef) -> Machine:
        node = world.cluster.get_node(node_name(ref))
        return Machine(node, self._hooks().stopped_for(node.name))

    def target(self, found: Machine) -> Target:
        return Target(found.ref, found.uid, found.resource_version, 0, digest([found.uid, found.is_stopped]))

    def blast(self, world: World, found: Machine, draft: Draft, request: Request) -> BlastRadius:
        return node_blast(world.cluster, found.node, closed=self.flag, recent=request.recent)

    def is_up(self, found: Machine) -> bool:
        return found.node.ready

    def spec(self, world: World, found: Machine, plan: Plan) -> Spec:
        return {"stopped": self.flag}

    def spec_of(self, found: Machine) -> Spec:
        return {"stopped": found.is_stopped}

    def part(self, spec: Spec) -> str:
        return digest(["kubelet", spec["stopped"]])

    def probe(self, world: World, plan: Plan) -> Probe:
        try:
            found = self.read(world, plan.target.ref)
        except NotFound:
            return Probe(Sent.GONE, f"{plan.target.ref} is gone")
        if self.holds(found, plan):
            return Probe(Sent.APPLIED, _state(found), found, self.part_of(found))
        return Probe(Sent.NOT_APPLIED, _state(found), found)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        found = self.read(world, plan.target.ref)
        return Observation(Holds.YES if self.holds(found, plan) else Holds.NEVER, _state(found))

    @abstractmethod
    def holds(self, found: Machine, plan: Plan) -> bool:
        """Whether it is as the change makes it."""


class StopKubelet(KubeletKind):
    """Parameters: `seconds`, after which it goes on by itself; `pods` (no): they stop with it."""

    name = STOP
    flag = True
    options: ClassVar[Mapping[str, Option]] = {
        "seconds": Option(float, needed=True), "pods": Option(yes_or_no),
    }  # fmt: skip

    def draft(self, world: World, found: Machine, request: Request) -> Draft:
        seconds = request.parameters["seconds"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            raise UsageError(f"{seconds!r} is no time")
        pods = bool(request.parameters.get("pods"))
        what = f"the kubelet of {found.ref}{' with all its pods' if pods else ''}"
        return Draft(
            parameters={"seconds": float(seconds), **({"pods": True} if pods else {})},
            summary=f"stop {what} for {seconds:g} s",
            spec={"stopped": True},
            diff=Diff((DiffLine(Untrusted("kubelet"), Untrusted("runs"), Untrusted("stopped")),)),
            holds=f"{what} does nothing",
            undo=Undo(RESUME, {"change": request.change_id}, f"let {what} go on"),
        )

    def holds(self, found: Machine, plan: Plan) -> bool:
        return found.is_stopped_by(plan.id)

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Machine:
        found = self.read(world, plan.target.ref)
        if not dry_run:
            given = plan.parameters
            self._hooks().stop_kubelet(
                found.node.name, given["seconds"], plan.id, with_pods=bool(given.get("pods"))
            )
        return Machine(found.node, plan.id)


class ResumeKubelet(KubeletKind):
    """Parameters: `change`, which stopped it; what somebody else stopped meanwhile stays so."""

    name = RESUME
    flag = False

    def known_parameters(self) -> frozenset[str]:
        return frozenset({"change"})

    def draft(self, world: World, found: Machine, request: Request) -> Draft:
        change = request.parameters.get("change", "")
        if not found.is_stopped_by(change):
            raise NothingToChange(f"the kubelet of {found.ref} is not stopped by {change}")
        return Draft(
            parameters={"change": change},
            summary=f"let the kubelet of {found.ref} go on",
            spec={"stopped": False},
            diff=Diff((DiffLine(Untrusted("kubelet"), Untrusted("stopped"), Untrusted("runs")),)),
            holds=f"the kubelet of {found.ref} runs",
            undo=None,
        )

    def holds(self, found: Machine, plan: Plan) -> bool:
        return not found.is_stopped_by(plan.parameters.get("change", ""))

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Machine:
        found = self.read(world, plan.target.ref)
        if not dry_run:
            self._hooks().resume_kubelet(found.node.name, plan.parameters.get("change", ""))
        return Machine(found.node, None)


def _state(found: Machine) -> str:
    return f"the kubelet of {found.ref} {'is stopped' if found.is_stopped else 'runs'}"
