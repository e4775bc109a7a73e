"""What cordon and uncordon have in common: whether a node takes new pods.

Invariant: it ends no pod. Nodes have no generation, so the mark of the last change is part of what people
decided about a node: a write that landed and was taken back is not taken for one that never landed.
"""

from __future__ import annotations

from typing import ClassVar

from maestro_cli.changes.blast import node_blast
from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION, Holds, Observation, Permission, Request
from maestro_cli.changes.kinds.writing import Draft, MarkedKind, Spec
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Target, Undo
from maestro_cli.changes.ports import World
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Node
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted


class SchedulingKind(MarkedKind[Node]):
    """Takes no parameters; `flag` is whether the node is then closed, `opposite` what takes it back."""

    flag: ClassVar[bool]
    opposite: ClassVar[str]
    state: ClassVar[str]  # in words
    permissions: ClassVar[tuple[Permission, ...]] = (Permission("get", "nodes"), Permission("patch", "nodes"))

    def read(self, world: World, ref: ObjectRef) -> Node:
        return world.cluster.get_node(node_name(ref))

    def target(self, found: Node) -> Target:
        state = digest([found.uid, found.schedulable, self.mark_of(found)])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: Node, request: Request) -> Draft:
        before, after = (Untrusted(str(flag).lower()) for flag in (not found.schedulable, self.flag))
        return Draft(
            parameters={},
            summary=f"{self.name} {found.ref}",
            spec={"unschedulable": self.flag},
            diff=Diff((DiffLine(Untrusted("unschedulable"), before, after),)),
            holds=f"{found.ref} {self.state}",
            undo=Undo(self.opposite, {}, f"{self.opposite} {found.ref}"),
        )

    def blast(self, world: World, found: Node, draft: Draft, request: Request) -> BlastRadius:
        return node_blast(world.cluster, found, closed=self.flag, recent=request.recent)

    def is_up(self, found: Node) -> bool:
        return found.ready

    def spec(self, world: World, found: Node, plan: Plan) -> Spec:
        return {"unschedulable": self.flag}

    def spec_of(self, found: Node) -> Spec:
        return {"unschedulable": not found.schedulable}

    def part(self, spec: Spec) -> str:
        return digest(["unschedulable", spec["unschedulable"]])

    def mark_of(self, found: Node) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Node:
        return world.cluster.write_node(
            node_name(plan.target.ref),
            uid=plan.target.uid,
            resource_version=resource_version,
            unschedulable=plan.payload["unschedulable"],
            annotations=self.annotations(plan),
            dry_run=dry_run,
        )

    def progress(self, found: Node, plan: Plan) -> Observation:
        """Nothing has to follow: the scheduler reads it with the next pod."""
        return Observation(Holds.YES, f"{found.ref} {self.state}")


def node_name(ref: ObjectRef) -> str:
    """The node's name; raises UsageError when it is something else."""
    if ref.kind != "Node":
        raise UsageError(f"{ref} is not a node", fix="name a node: node/NAME")
    return ref.name
