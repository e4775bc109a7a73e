"""A whole manifest of Chaos Mesh as a fault: a chaos, a Workflow or a Schedule.

Invariant: it is what the file says, but for whom and for how long: the selectors are narrowed to the pods of
the plan, and it ends by itself. A Schedule alone is left to select anew each time it is due, since pods that
it ended have other names then. The
file is read when the experiment is, and kept with the run: what becomes of it later changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.leash import LEASH_SECONDS
from maestro_cli.chaos.faults.mesh import PROVIDER, injection, lacks_mesh, left_over
from maestro_cli.chaos.faults.pods import all_pods, ready_pods, serve_again
from maestro_cli.chaos.mesh.bounding import bounded
from maestro_cli.chaos.mesh.changes import CREATE, mesh_kinds
from maestro_cli.chaos.mesh.following import MeshState, state_of
from maestro_cli.chaos.mesh.kinds import KINDS
from maestro_cli.chaos.mesh.manifest import read_manifest
from maestro_cli.chaos.mesh.resources import children_of
from maestro_cli.chaos.mesh.selection import far_ends, matched, most, namespaces_of, narrowed, specs_of
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import InvalidFile, UsageError
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import ObjectRef

_ENDING = ("pod-kill", "pod-failure", "container-kill")


def manifest_of(text: str) -> Mapping[str, Any]:
    """The manifest in the file of that name; raises ValueError saying what is wrong with it."""
    try:
        return read_manifest(Path(text)).document
    except InvalidFile as error:
        raise ValueError("; ".join(filter(None, (error.what, error.fix)))) from error


class MeshManifest:
    """Parameters: `file`, relative to where maestro is called."""

    name = "mesh-manifest"
    summary = "what a manifest of Chaos Mesh says, for the chosen pods"
    provider = PROVIDER
    options: ClassVar[Mapping[str, Option]] = {"file": Option(manifest_of, needed=True)}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return mesh_kinds(lambda: platform.mesh)

    def lacks(self, platform: Platform) -> str:
        return lacks_mesh(platform, "PodChaos")

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """All that serve beside one another; those that the manifest does not match are not chosen.

        Raises UsageError where it matches pods that the target rule does not, or fewer than are wanted.
        """
        document = order.parameters["file"]
        namespace, rule = document["metadata"]["namespace"], order.target
        if namespace != rule.namespace:
            raise UsageError(f"the manifest is of namespace {namespace}, its target of {rule.namespace}")
        _refuse_elsewhere(document, namespace)
        nodes = platform.cluster.list_nodes()
        serving = ready_pods(platform, rule)
        eligible = {pod.ref for pod in serving}
        least = len(serving)
        for spec in specs_of(document["kind"], document["spec"]):
            met = matched(spec, namespace, self._everything(platform, spec, namespace), nodes)
            _refuse_others(met, all_pods(platform, rule), str(rule))
            eligible &= {pod.ref for pod in met}
            least = min(least, most(spec, len(met)))
        wanted = rule.count.of(len(serving))
        if eligible and wanted > least:
            raise UsageError(f"{wanted} pods are wanted, and the manifest is for {least} at most")
        return [Candidate(pod.ref, pod.uid, pod.node, eligible=pod.ref in eligible) for pod in serving]

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        if not targets:
            return ()
        selects_anew = order.parameters["file"]["kind"] == "Schedule"
        document = _made(order, seconds)
        kind, metadata, spec = document["kind"], document["metadata"], document["spec"]
        pods = [(one.ref.namespace, one.ref.name) for one in targets]
        if not selects_anew:
            by_namespace = {key: [name for space, name in pods if space == key] for key, _ in pods}
            document = {**document, "spec": narrowed(kind, spec, by_namespace)}
        ending = any(str(one.get("action")) in _ENDING for one in specs_of(kind, spec))
        ref = ObjectRef(kind, metadata["namespace"], metadata["name"])
        ends = len(pods) if ending else 0
        return [Step(CREATE, ref, {"document": document, "pods": pods, "ends": ends})]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        document = _made(fault.order, fault.seconds)
        if KINDS[document["kind"]].selects_pods:
            return injection(platform.mesh, document["kind"], fault)
        made = self._children(platform, document)
        for state in made:
            if state.is_injected or state.was_injected:
                return Proof(Holds.YES, state.words)
        words = made[0].words if made else "nothing of it was due yet"
        return Proof(Holds.NOT_YET, f"{document['kind']} {document['metadata']['name']}: {words}")

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        return serve_again(platform, fault, self.residue(platform, fault))

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        document = _made(fault.order, fault.seconds)
        own = tuple(left_over(platform.mesh, [document["kind"]], fault))
        made = [one.holds_on if one.deleting else one.words for one in self._children(platform, document)]
        return (*own, *made)

    def _children(self, platform: Platform, document: Mapping[str, Any]) -> list[MeshState]:
        """Those that follow pods."""
        metadata = document["metadata"]
        ref = ObjectRef(document["kind"], metadata["namespace"], metadata["name"])
        found = children_of(platform.mesh, document, ref)
        return [state_of(one) for one in found if KINDS[one["kind"]].selects_pods]

    def _everything(self, platform: Platform, spec: Mapping[str, Any], namespace: str) -> Sequence[Pod]:
        wanted = namespaces_of(spec, namespace)
        return [pod for one in sorted(wanted) for pod in platform.cluster.list_pods(one)]


def _made(order: FaultOrder, seconds: float) -> Mapping[str, Any]:
    """The manifest of the file, for so long."""
    return bounded(order.parameters["file"], round(seconds + LEASH_SECONDS))


def _refuse_elsewhere(document: Mapping[str, Any], namespace: str) -> None:
    """What it would put into pods of a namespace that the experiment does not name, now or when it is due."""
    kind, spec = document["kind"], document["spec"]
    for one in (*specs_of(kind, spec), *far_ends(kind, spec)):
        others = sorted(namespaces_of(one, namespace) - {namespace})
        if others:
            raise UsageError(
                f"the manifest alters pods of {', '.join(others)}, the experiment names {namespace} alone",
                why="a partition, and direction from or both, alter the pods of `target` as well",
                fix="narrow its selectors",
            )


def _refuse_others(met: Sequence[Pod], own: Sequence[Pod], rule: str) -> None:
    """What Chaos Mesh would meet, and the target of the experiment does not mean."""
    meant = {pod.ref for pod in own}
    others = [str(pod.ref) for pod in met if pod.ref not in meant]
    if others:
        named = ", ".join(others[:5]) + ("…" if len(others) > 5 else "")
        raise UsageError(f"the manifest matches more than {rule}: {named}", fix="narrow its selector")
