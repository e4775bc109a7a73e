"""Faults that Chaos Mesh puts in: one resource that names the chosen pods, and is followed by its records.

Invariant: it meets the pods of the plan and no others, ends by itself a little later than it is wanted, and
is taken back by deleting it. That it has an effect is Chaos Mesh's word (AllInjected) and, where pods end,
that they ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.leash import LEASH_SECONDS
from maestro_cli.chaos.faults.pods import pod_at, pod_candidates, serve_again
from maestro_cli.chaos.mesh.admission import rejections
from maestro_cli.chaos.mesh.changes import CREATE, mesh_kinds
from maestro_cli.chaos.mesh.demands import demands, is_one_shot
from maestro_cli.chaos.mesh.following import state_of
from maestro_cli.chaos.mesh.kinds import API_VERSION
from maestro_cli.chaos.mesh.recipes import RECIPES, Recipe
from maestro_cli.chaos.mesh.resources import owned_by
from maestro_cli.chaos.mesh.validation import violations
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import MeshResources, Platform
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.refs import ObjectRef

PROVIDER = "chaos-mesh"
NO_MESH = "the cluster has no Chaos Mesh: its {} are not served"


class MeshFault:
    """One recipe."""

    provider = PROVIDER

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    @property
    def name(self) -> str:
        return self._recipe.name

    @property
    def summary(self) -> str:
        return self._recipe.summary

    @property
    def options(self) -> Mapping[str, Option]:
        return self._recipe.options

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return mesh_kinds(lambda: platform.mesh)

    def lacks(self, platform: Platform) -> str:
        return lacks_mesh(platform, self._recipe.kind)

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return pod_candidates(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        """One resource for all of them. Raises UsageError where Chaos Mesh would not take it."""
        if not targets:
            return ()
        document = manifest_for(self._recipe, order, targets, seconds)
        metadata = document["metadata"]
        ref = ObjectRef(self._recipe.kind, metadata["namespace"], metadata["name"])
        pods = [(one.ref.namespace, one.ref.name) for one in targets]
        ends = len(pods) if self._recipe.ends else 0
        return [Step(CREATE, ref, {"document": document, "pods": pods, "ends": ends})]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Chaos Mesh says of every chosen pod that it is injected; a pod that was to end has ended."""
        injected = injection(platform.mesh, self._recipe.kind, fault)
        if injected.holds is not Holds.YES:
            return injected
        if self._recipe.name == "mesh-pod-kill":
            for one in fault.targets:
                pod = pod_at(platform, one)
                if pod is not None and not pod.deleting:
                    return Proof(Holds.NOT_YET, f"{one.ref} is there")
        return injected

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        return serve_again(platform, fault, self.residue(platform, fault))

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return tuple(left_over(platform.mesh, [self._recipe.kind], fault))


def mesh_faults() -> tuple[MeshFault, ...]:
    return tuple(map(MeshFault, RECIPES))


def manifest_for(
    recipe: Recipe, order: FaultOrder, targets: Sequence[Candidate], seconds: float
) -> dict[str, Any]:
    """The resource that meets these pods, in the namespace of the target; the same again has its name."""
    pods: dict[str, list[str]] = {}
    for one in targets:
        pods.setdefault(one.ref.namespace, []).append(one.ref.name)
    spec = {"mode": "all", "selector": {"pods": pods}, **recipe.spec(order.parameters)}
    if not is_one_shot(recipe.kind, spec):
        spec["duration"] = f"{round(seconds + LEASH_SECONDS)}s"
    mark = digest([order.name, order.fault, [one.uid for one in targets], spec])[:8]
    document = {
        "apiVersion": API_VERSION,
        "kind": recipe.kind,
        "metadata": {"name": f"maestro-{recipe.name[5:]}-{mark}", "namespace": order.target.namespace},
        "spec": spec,
    }
    wrong = [*violations(document)] or [*rejections(recipe.kind, spec), *demands(recipe.kind, spec)]
    if wrong:
        place = ".".join(map(str, wrong[0].place[1:]))
        what = f"{order.name}: {place}: {wrong[0].text}"
        raise UsageError(what, why="Chaos Mesh would refuse it", fix=wrong[0].fix)
    return document


def lacks_mesh(platform: Platform, kind: str) -> str:
    """Why the context cannot have it; raises what the cluster raises."""
    try:
        return "" if platform.mesh.serves(kind) else NO_MESH.format(kind)
    except NotFound as error:
        return error.what


def injection(mesh: MeshResources, kind: str, fault: InForce) -> Proof:
    """Whether what the changes of a fault made is injected into every target."""
    found = [state_of(one) for one in owned_by(mesh, [kind], fault.order.target.namespace, fault.changes)]
    if not found:
        return Proof(Holds.NOT_YET, f"the cluster has no {kind} of it")
    for state in found:
        if state.paused:
            return Proof(Holds.NEVER, state.words)
        if not state.is_injected:
            return Proof(Holds.NOT_YET, state.words)
    met = {pod for state in found for pod in state.pods}
    missed = [str(one.ref) for one in fault.targets if (one.ref.namespace, one.ref.name) not in met]
    if missed:
        return Proof(Holds.NOT_YET, f"Chaos Mesh did not select {', '.join(missed)}")
    return Proof(Holds.YES, "; ".join(state.words for state in found))


def left_over(mesh: MeshResources, kinds: Sequence[str], fault: InForce) -> Iterator[str]:
    """What is still there of it, in words."""
    for document in owned_by(mesh, kinds, fault.order.target.namespace, fault.changes):
        state = state_of(document)
        yield state.holds_on if state.deleting else f"{state.kind} {state.name} is there"
