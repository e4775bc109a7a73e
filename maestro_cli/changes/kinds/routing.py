"""What the kinds have in common that put another routing document in force.

Invariant: the document is a ConfigMap that every replica follows, or that of a server that is alone; it is
written once, marked, and holds when every replica says that it answers by it. It ends no replica.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION, Holds, Observation, Permission, Request
from maestro_cli.changes.kinds.writing import Draft, MarkedKind, Spec
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, GateReason, Plan, Target, Undo
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.changes.reach import reached_workloads, with_reach
from maestro_cli.changes.references import mounted_config_maps
from maestro_cli.changes.routing_document import (
    FILE,
    Document,
    Standing,
    growing_share,
    is_frozen,
    keys_of,
    named_versions,
    read_document,
    standing,
    write_document,
)
from maestro_cli.changes.template import diff_templates
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import ActionFailed, ExitCode, GateNotMet, NotFound, StalePlan, UsageError
from maestro_cli.core.facts.cluster import ConfigMap, Workload
from maestro_cli.core.facts.inference import RoutingPreview, ServedReplica
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.core.untrusted import Untrusted

_CAN_ANSWER = ("READY", "UNKNOWN", "LOADING")  # UNKNOWN: it is loaded when it is asked for


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a routing document is; `key` and `others` of a ConfigMap, `served` a lone server's digest."""

    ref: ObjectRef
    uid: str
    resource_version: str
    text: str
    document: Document
    annotations: Mapping[str, str]
    key: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    served: str = ""

    @property
    def generation(self) -> int:
        """It has none."""
        return 0


@dataclass(frozen=True, slots=True)
class Edit:
    """What one kind makes of a document; `parameters` are recorded, and enough to tell what was asked for."""

    document: Document
    parameters: Mapping[str, Any]
    summary: str
    undo: Undo | None = None  # by default the document that was there is put back
    text: str = ""  # as it was written, else as maestro writes it
    objections: Sequence[GateReason] = ()


@dataclass(frozen=True, slots=True)
class _Routed(Draft):
    """A draft, and the workloads that follow the document, as they were when it was drafted."""

    followers: Sequence[Workload] = ()


class RoutingKind(MarkedKind[Seat]):
    """A kind of change; subclasses fill in `name`, `options` and `edit`."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "configmaps"),
        Permission("patch", "configmaps"),
    )

    @abstractmethod
    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        """The other document; raises UsageError, and GateNotMet where it would not know what to do."""

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        """A lone server asks its caller for a key by itself."""
        return () if plan.target.ref.kind == "Server" else self.permissions

    def read(self, world: World, ref: ObjectRef) -> Seat:
        if ref.kind == "ConfigMap":
            return _seat_of(world.cluster.get_config_map(ref.namespace, ref.name))
        if ref.kind != "Server":
            raise UsageError(f"{ref} holds no routing document", fix="name configmap/NAME or server/serving")
        force = world.serving.routing()
        return Seat(
            ref, "serving", force.digest, force.document, json.loads(force.document),
            {CHANGE_ANNOTATION: force.change}, served=force.digest,
        )  # fmt: skip

    def target(self, found: Seat) -> Target:
        state = digest([found.uid, found.document, self.mark_of(found)])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: Seat, request: Request) -> Draft:
        followers = _followers(world, found.ref)
        count = sum(workload.replicas_ready for workload in followers) if followers is not None else 1
        if not count and not sum(workload.replicas_wanted for workload in followers or ()):
            raise ActionFailed(
                f"no replica follows {found.ref}, nor is one wanted; there is nothing to change"
            )
        edit = self.edit(world, found, request.parameters)
        text = edit.text or write_document(edit.document)
        if not count:
            return _unanswered(found, edit, text, followers or ())
        preview = world.serving.preview_routing(text)
        replicas = world.serving.replicas(count)
        if followers is None and len(world.serving.replicas(2)) > 1:
            raise GateNotMet(
                "several replicas answer behind the serving address",
                why="a document given to one of them would not reach the others",
                fix="name the ConfigMap that they follow: configmap/NAME, or their deploy/NAME",
            )
        followed = () if followers is None else _another(world, found)
        spec = {"document": edit.document, "text": text, "served": preview.digest if found.served else ""}
        return _Routed(
            followers=followers or (),
            parameters={**edit.parameters, "text": text, "digest": preview.digest, "replicas": count},
            summary=edit.summary,
            spec=spec,
            diff=_diff(found.document, edit.document, preview),
            holds=f"{count} of {counted(count, 'replica')} answer by the routing of {found.ref}",
            undo=edit.undo
            or Undo("set-routing", {"text": found.text}, f"put back the routing of {found.ref}"),
            objections=(*edit.objections, *followed, *_lacking(edit.document, replicas, count)),
        )

    def blast(self, world: World, found: Seat, draft: Draft, request: Request) -> BlastRadius:
        """It ends nothing; it reaches every replica that follows the document."""
        followers = draft.followers if isinstance(draft, _Routed) else ()
        count = int(draft.parameters["replicas"])
        blast = BlastRadius(
            workloads=len(followers), replicas_now=count, replicas_after=count, namespace_share=0.0,
            recent=(*request.recent, *draft.recent), blind=tuple(draft.blind),
            canary_share=growing_share(found.document, draft.spec["document"]),
        )  # fmt: skip
        return with_reach(blast, reached_workloads(followers))

    def is_up(self, found: Seat) -> bool:
        """A routing that does not come into force is put back: somebody would be served by half of it."""
        return True

    def was_up(self, found: Seat, draft: Draft) -> bool:
        """Unless nobody was served at all: what is there then is what has to go."""
        return bool(draft.parameters["digest"])

    def spec(self, world: World, found: Seat, plan: Plan) -> Spec:
        text = plan.parameters["text"]
        served = plan.parameters["digest"] if found.served else ""
        return {"document": read_document(text, str(found.ref)), "text": text, "served": served}

    def spec_of(self, found: Seat) -> Spec:
        return {"document": found.document, "served": found.served}

    def part(self, spec: Spec) -> str:
        """A server tells its document with defaults left out, so there the digest it tells counts."""
        return digest(["routing", spec["served"] or spec["document"]])

    def mark_of(self, found: Seat) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Seat:
        ref, text = plan.target.ref, plan.payload["text"]
        if ref.kind == "Server":
            world.serving.put_routing(text, replaces=resource_version, change=plan.id, dry_run=dry_run)
            return self.read(world, ref)
        found = self.read(world, ref)
        if found.resource_version != resource_version:
            raise StalePlan(f"{ref} changed since it was read")
        done = world.cluster.write_config_map(
            ref.namespace, ref.name, uid=plan.target.uid, resource_version=resource_version,
            data={**found.others, found.key: text}, annotations=self.annotations(plan), dry_run=dry_run,
        )  # fmt: skip
        return _seat_of(done)

    def progress(self, found: Seat, plan: Plan) -> Observation:
        return Observation(Holds.YES, f"{found.ref} holds it")

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Every replica that is ready now says that it answers by it."""
        seen = super().observe(world, plan, left=left)
        if seen.holds is not Holds.YES:
            return seen
        followers = _followers(world, plan.target.ref)
        count = 1 if followers is None else sum(workload.replicas_ready for workload in followers)
        held = plan.parameters["digest"]
        if not held:  # nobody was there to tell it when this was planned
            wanted = sum(workload.replicas_wanted for workload in followers or ())
            if not count or count < wanted:
                return Observation(Holds.NOT_YET, f"{count} of {counted(wanted, 'replica')} ready")
            held = world.serving.preview_routing(plan.parameters["text"]).digest
        replicas = world.serving.replicas(count)
        there = sum(one.routing == held for one in replicas.values())
        text = f"{there} of {counted(count, 'replica')} answer by it"
        others = len(replicas) - there
        return Observation(Holds.YES if there >= max(count, 1) and not others else Holds.NOT_YET, text)


def _unanswered(found: Seat, edit: Edit, text: str, followers: Sequence[Workload]) -> _Routed:
    """The draft while no replica is ready: it may be this document that keeps them from it.

    Nobody tells what they have and what it would do, so it may name only what the document names now.
    """
    wanted = sum(workload.replicas_wanted for workload in followers)
    more = sorted(named_versions(edit.document) - named_versions(found.document))
    objections = [
        GateReason(
            "nobody-ready", ExitCode.GATE_NOT_MET,
            f"nobody can tell whether {model}@{version} is there: no replica is ready",
            why=f"the document of {found.ref} does not name it now",
            fix="name what it names, or have a replica ready first",
        )
        for model, version in more
    ]  # fmt: skip
    return _Routed(
        followers=followers,
        parameters={**edit.parameters, "text": text, "digest": "", "replicas": wanted},
        summary=edit.summary,
        spec={"document": edit.document, "text": text, "served": ""},
        diff=diff_templates(found.document, edit.document),
        holds=f"{wanted} of {counted(wanted, 'replica')} are ready and answer by the routing of {found.ref}",
        undo=edit.undo or Undo("set-routing", {"text": found.text}, f"put back the routing of {found.ref}"),
        objections=(*edit.objections, *objections),
        notes=("no replica is ready, so what it would have done to requests is not known",),
    )


def model_of(asked: Mapping[str, Any]) -> str:
    """The model that was named; raises UsageError."""
    model = asked.get("model")
    if not isinstance(model, str) or not model:
        raise UsageError("no model was named", fix="model: NAME")
    return model


def version_of(asked: Mapping[str, Any], name: str = "version") -> int:
    """The version that was named; raises UsageError."""
    version = asked.get(name)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UsageError(f"no {name} was named", fix=f"{name}: a whole number from 1")
    return version


def standing_of(seat: Seat, asked: Mapping[str, Any], model: str) -> Standing:
    """Who answers now; where the document does not say it, `stable` does. Raises UsageError, GateNotMet."""
    now = standing(seat.document, model)
    if asked.get("stable") is None:
        return now
    stable = version_of(asked, "stable")
    if now.stable not in (None, stable):
        raise UsageError(f"version {now.stable} of {model} is the stable one", fix="leave stable out")
    return Standing(stable, now.canary, now.share)


def frozen(seat: Seat) -> tuple[GateReason, ...]:
    """The objection to whatever gives a version more to answer."""
    if not is_frozen(seat.document):
        return ()
    reason = GateReason(
        "frozen", ExitCode.GATE_NOT_MET, f"{seat.ref} is frozen: nothing is promoted",
        why="somebody stopped promotions while an incident is looked into",
        fix=f"maestro unfreeze {seat.ref}",
    )  # fmt: skip
    return (reason,)


def _seat_of(config: ConfigMap) -> Seat:
    for key in keys_of(config.data):
        try:
            document = read_document(config.data[key], f"{config.ref}, {key}")
        except UsageError:
            if key == FILE:
                raise
            continue
        others = {name: text for name, text in config.data.items() if name != key}
        return Seat(
            config.ref, config.uid, config.resource_version, config.data[key], document, config.annotations,
            key, others,
        )  # fmt: skip
    raise UsageError(f"{config.ref} holds no routing document", fix=f"its key is {FILE}")


def _followers(world: World, ref: ObjectRef) -> list[Workload] | None:
    """The workloads whose pods have the ConfigMap as a file; None for a server that is alone."""
    if ref.kind == "Server":
        return None
    return following(world.cluster, ref)


def following(cluster: ClusterPort, ref: ObjectRef) -> list[Workload]:
    """The workloads of the namespace whose pods have that ConfigMap as a file."""
    return [
        one
        for one in cluster.list_all_workloads(ref.namespace)
        if ref.name in mounted_config_maps(one.template)
    ]


def config_of(cluster: ClusterPort, ref: WorkloadRef) -> ObjectRef:
    """The ConfigMap with the routing that a workload's pods follow; raises NotFound, UsageError for two."""
    found: list[ObjectRef] = []
    for name in sorted(mounted_config_maps(cluster.get_workload(ref).template)):
        try:
            found.append(_seat_of(cluster.get_config_map(ref.namespace, name)).ref)
        except (UsageError, NotFound):
            continue
    if len(found) > 1:
        raise UsageError(
            f"{ref} has several routing documents", fix=f"name one: {', '.join(map(str, found))}"
        )
    if not found:
        raise NotFound(
            f"{ref} has no ConfigMap with a routing document as a file", fix="name it: configmap/NAME"
        )
    return found[0]


def _another(world: World, found: Seat) -> tuple[GateReason, ...]:
    """The objection that who answers at the serving address follows another document than this one."""
    try:
        held = world.serving.preview_routing(found.text).digest
    except UsageError:
        return ()  # it names what is not there any more: then this change may be the rescue
    force = world.serving.routing().digest
    if held == force:
        return ()
    reason = GateReason(
        "another-routing", ExitCode.GATE_NOT_MET,
        f"the servers of this context do not answer by {found.ref}",
        why=f"in force is {force[:19]}, the document is {held[:19]}",
        fix="wait until they have followed it, or correct the context's serving address",
    )  # fmt: skip
    return (reason,)


def _lacking(document: Document, replicas: Mapping[str, ServedReplica], count: int) -> tuple[GateReason, ...]:
    """The objection that a replica could not follow the document, for want of a version."""
    found = []
    for model, version in sorted(named_versions(document)):
        name = f"{model}@{version}"
        without = sum(one.models.get(name) not in _CAN_ANSWER for one in replicas.values())
        if without:
            found.append(
                GateReason(
                    "not-loaded", ExitCode.GATE_NOT_MET,
                    f"{name} is missing on {without} of {counted(count, 'replica')}",
                    why="a replica refuses a routing that names what it does not have",
                    fix=f"maestro model load TARGET --model {model} --version {version}",
                )
            )  # fmt: skip
    return tuple(found)


def _diff(before: Document, after: Document, preview: RoutingPreview) -> Diff:
    """What differs in the document, and what that would have done to the last requests."""
    of = f"of the last {counted(preview.requests, 'request')} of one replica"
    moves = [
        DiffLine(
            Untrusted(f"preview {one.name}"),
            Untrusted(one.before),
            Untrusted(f"{one.after}: {one.requests} {of}"),
        )
        for one in preview.moves
        if one.before != one.after
    ]
    return Diff((*diff_templates(before, after).lines, *moves))
