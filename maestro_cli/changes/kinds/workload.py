"""What all kinds have in common that write to the spec of one workload.

Invariant: the write is one patch under uid and resourceVersion, and carries the change's mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from maestro_cli.changes.blast import blast_radius
from maestro_cli.changes.candidates.owners import owner_notes
from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION, Permission, Request
from maestro_cli.changes.kinds.writing import Draft, MarkedKind, Spec
from maestro_cli.changes.model import BlastRadius, Plan, Target
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import target_of
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import ObjectRef, WorkloadRef


class WorkloadKind(MarkedKind[Workload]):
    """A kind of change; subclasses fill in `name`, `draft`, `spec`, `part` and `progress`.

    `unfit`: the kinds of workload that it cannot be made of, with why, and what to do instead (in which
    {namespace} and {name} stand for the workload's).
    """

    unfit: ClassVar[Mapping[str, tuple[str, str]]] = {}

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "deployments", "apps"),
        Permission("patch", "deployments", "apps"),
    )

    def read(self, world: World, ref: ObjectRef) -> Workload:
        workload = workload_of(ref)
        if workload.kind in self.unfit:
            why, fix = self.unfit[workload.kind]
            raise UsageError(
                f"{self.name} is not for a {workload.kind}, and {ref} is one",
                why=why,
                fix=fix.format(namespace=workload.namespace, name=workload.name),
            )
        return world.cluster.get_workload(workload)

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        return permissions_of(plan.target.ref.kind, self.permissions)

    def target(self, found: Workload) -> Target:
        return target_of(found)

    def notes(self, found: Workload) -> tuple[str, ...]:
        return owner_notes(found)

    def is_up(self, found: Workload) -> bool:
        """Every replica is available, of the newest template."""
        return found.is_rolled_out and found.replicas_available >= found.replicas_wanted

    def blast(self, world: World, found: Workload, draft: Draft, request: Request) -> BlastRadius:
        return blast_radius(
            world.cluster, found, replicas_ended=draft.ended,
            replicas_after=found.replicas_wanted if draft.after is None else draft.after,
            recent=[*request.recent, *draft.recent], blind=draft.blind,
        )  # fmt: skip

    def mark_of(self, found: Workload) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def spec_of(self, found: Workload) -> Spec:
        """`template`, `replicas` and `paused`."""
        return {"template": found.template, "replicas": found.replicas_wanted, "paused": found.paused}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Workload:
        return world.cluster.write_spec(
            workload_of(plan.target.ref),
            uid=plan.target.uid,
            resource_version=resource_version,
            spec=plan.payload,
            annotations=self.annotations(plan),
            dry_run=dry_run,
        )


def permissions_of(kind: str, of_deployments: tuple[Permission, ...]) -> tuple[Permission, ...]:
    """What is needed for a workload of that kind, when this is what a Deployment needs.

    The revision of a set is read off its ControllerRevisions, and how many pods each has off its pods.
    """
    if kind == "Deployment":
        return of_deployments
    other = {"deployments": f"{kind.lower()}s", "replicasets": "controllerrevisions"}
    needed = [replace(one, resource=other.get(one.resource, one.resource)) for one in of_deployments]
    if any(one.resource == "controllerrevisions" for one in needed):
        return Permission("list", "pods"), *needed
    return Permission("list", "controllerrevisions", "apps"), *needed


def workload_of(ref: ObjectRef) -> WorkloadRef:
    """The reference of a workload; raises UsageError for one of something else."""
    if isinstance(ref, WorkloadRef):
        return ref
    raise UsageError(f"{ref} is not a workload", fix="name a workload, such as deploy/NAME")
