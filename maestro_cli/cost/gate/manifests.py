"""Manifests as what they ask for.

Workloads are told by their kind, others by having a template of a pod; an autoscaler gives its target a
range. Anything else costs nothing by itself, but volume claims and load balancers; custom resources are
noted, since what they start is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.config.strict import Document, Path_
from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.model import Asked, Manifests
from maestro_cli.cost.gate.pods import PodReader

_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")
_ONCE = ("Job", "CronJob")
_BUILT_IN = (
    "v1", "apps/", "batch/", "autoscaling/", "policy/", "networking.k8s.io/", "rbac.authorization.k8s.io/",
    "storage.k8s.io/", "scheduling.k8s.io/", "admissionregistration.k8s.io/", "apiextensions.k8s.io/",
    "discovery.k8s.io/", "coordination.k8s.io/", "monitoring.coreos.com/", "kustomize.config.k8s.io/",
)  # fmt: skip
_KEDA_MOST = 100  # maxReplicaCount that is left out


@dataclass(frozen=True, slots=True)
class Assumed:
    """What no manifest says: `nodes` for DaemonSets, `job_hours` a month for jobs; None is not known."""

    namespace: str = "default"
    nodes: int | None = None
    job_hours: float | None = None


@dataclass(frozen=True, slots=True)
class _Range:
    target: ObjectRef
    least: float
    most: float


def read_manifests(documents: Iterable[Document], assumed: Assumed) -> Manifests:
    """What all of them ask for; raises InvalidFile for what is no manifest, or is there twice."""
    asked: dict[ObjectRef, Asked] = {}
    ranges: dict[ObjectRef, _Range] = {}
    notes: list[str] = []
    for document in documents:
        for one, root in _objects(document):
            ref = _ref(document, one, root, assumed.namespace)
            if ref in asked or ref in ranges:
                raise document.fail(f"{visible(str(ref), 120)} is there twice", root)
            reader = _Reader(document, one, root, ref, assumed)
            found = reader.range()
            if found is not None:
                ranges[ref] = found
            elif (costs := reader.asked()) is not None:
                asked[ref] = costs
            elif not str(one.get("apiVersion")).startswith(_BUILT_IN):
                notes.append(f"{visible(str(ref), 120)} is not counted: what it starts is not in the file")
    return Manifests(_scaled(asked, ranges), tuple(notes))


def _scaled(asked: Mapping[ObjectRef, Asked], ranges: Mapping[ObjectRef, _Range]) -> dict[ObjectRef, Asked]:
    """Targets with the range of their autoscaler; one whose target is not there stands for itself."""
    found = dict(asked)
    for ref, span in ranges.items():
        target = found.get(span.target)
        if target is None:
            lacks = f"{visible(str(span.target), 120)}, which it scales, is not there"
            found[ref] = Asked(least=span.least, most=span.most, unknown=(lacks,))
        else:
            found[span.target] = replace(target, least=span.least, most=span.most)
    return found


def _objects(document: Document) -> Iterator[tuple[Mapping[str, Any], Path_]]:
    """The objects of a document, those of a List one by one, with their place."""
    data = document.data
    if data is None:
        return
    if not isinstance(data, Mapping):
        raise document.fail("is no manifest", why="it is no mapping with apiVersion and kind")
    kind = data.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(data.get("items"), list):
        for index, item in enumerate(data["items"]):
            if not isinstance(item, Mapping):
                raise document.fail("is no manifest", ("items", index))
            yield item, ("items", index)
    else:
        yield data, ()


def _ref(document: Document, one: Mapping[str, Any], root: Path_, namespace: str) -> ObjectRef:
    meta = one.get("metadata")
    kind, name = one.get("kind"), meta.get("name") if isinstance(meta, Mapping) else None
    if not isinstance(one.get("apiVersion"), str) or not isinstance(kind, str):
        raise document.fail("is no manifest", root, why="apiVersion or kind is missing")
    if isinstance(meta, Mapping) and name is None:
        name = meta.get("generateName")
    if not isinstance(name, str) or not name:
        raise document.fail("has no name", (*root, "metadata", "name"))
    where = meta.get("namespace") if isinstance(meta, Mapping) else None
    return ref_of(kind, where if isinstance(where, str) and where else namespace, name)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One object of a document."""

    document: Document
    one: Mapping[str, Any]
    root: Path_
    ref: ObjectRef
    assumed: Assumed

    @property
    def _pods(self) -> PodReader:
        return PodReader(self.document)

    @property
    def _spec(self) -> Mapping[str, Any]:
        return self._pods.mapping(self.one.get("spec"), self._at("spec"))

    def _at(self, *path: str | int) -> Path_:
        return (*self.root, *path)

    def range(self) -> _Range | None:
        """What an autoscaler permits, of a HorizontalPodAutoscaler or KEDA's ScaledObject."""
        keys = {
            "HorizontalPodAutoscaler": ("minReplicas", 1, "maxReplicas", None),
            "ScaledObject": ("minReplicaCount", 0, "maxReplicaCount", _KEDA_MOST),
        }.get(self.ref.kind)
        if keys is None:
            return None
        low, low_default, high, high_default = keys
        target = self._pods.mapping(self._spec.get("scaleTargetRef"), self._at("spec", "scaleTargetRef"))
        kind, name = str(target.get("kind") or "Deployment"), str(target.get("name") or "")
        least = self._count(low, low_default)
        most = self._count(high, high_default)
        if most is None or least is None:
            raise self.document.fail("is missing", self._at("spec", high))
        if most < least:
            raise self.document.fail(f"is below {low}", self._at("spec", high))
        return _Range(ref_of(kind, self.ref.namespace, name), least, most)

    def asked(self) -> Asked | None:
        """What it asks for; None for what costs nothing by itself."""
        kind, spec = self.ref.kind, self._spec
        if kind == "PersistentVolumeClaim":
            claim = self._pods.claim(spec, self._at("spec"))
            return Asked(least=0.0, most=0.0, own_claims=(claim,))
        if kind == "Service":
            return Asked(least=0.0, most=0.0, balancers=1) if spec.get("type") == "LoadBalancer" else None
        if kind == "Pod":
            return self._pods.read(spec, self._at("spec"))
        path = ("spec", "jobTemplate", "spec", "template", "spec") if kind == "CronJob" else (
            "spec", "template", "spec"
        )  # fmt: skip
        pod = self._template(path)
        if pod is None:
            return None
        one = self._pods.read(pod, self._at(*path))
        if kind in _ONCE:
            return self._at_times(one)
        if kind == "DaemonSet":
            return self._everywhere(one)
        return self._replicated(one)

    def _template(self, path: tuple[str, ...]) -> Mapping[str, Any] | None:
        """The spec of its pods; None where there is none with containers."""
        found: Mapping[str, Any] = self.one
        for index, key in enumerate(path):
            found = self._pods.mapping(found.get(key), self._at(*path[: index + 1]))
        if "containers" not in found:
            if self.ref.kind in (*_SCALED, *_ONCE, "DaemonSet") and "workloadRef" not in self._spec:
                raise self.document.fail("is missing", self._at(*path, "containers"))
            return None
        return found

    def _replicated(self, one: Asked) -> Asked:
        replicas = self._count("replicas", 1 if self.ref.kind in _SCALED else None)
        templates = self._pods.sequence(
            self._spec.get("volumeClaimTemplates"), self._at("spec", "volumeClaimTemplates")
        )
        claims = []
        for index, template in enumerate(templates):
            place = self._at("spec", "volumeClaimTemplates", index, "spec")
            claims.append(self._pods.claim(self._pods.mapping(template.get("spec"), place), place))
        one = replace(one, claims=(*one.claims, *claims))
        if replicas is None:
            return replace(
                one, unknown=(*one.unknown, f"how many replicas a {visible(self.ref.kind, 63)} has")
            )
        return replace(one, least=replicas, most=replicas)

    def _everywhere(self, one: Asked) -> Asked:
        if self.assumed.nodes is None:
            return replace(one, unknown=(*one.unknown, "on how many nodes it runs"))
        return replace(one, least=float(self.assumed.nodes), most=float(self.assumed.nodes))

    def _at_times(self, one: Asked) -> Asked:
        """A job: as many pods as run side by side, for the hours that are assumed."""
        spec, at = self._spec, self._at("spec")
        if self.ref.kind == "CronJob":
            at = (*at, "jobTemplate", "spec")
            spec = self._pods.mapping(self._pods.mapping(spec.get("jobTemplate"), at[:-1]).get("spec"), at)
        beside = self._number(spec.get("parallelism"), (*at, "parallelism"), 1) or 0.0
        if self.assumed.job_hours is None:
            return replace(
                one, least=beside, most=beside, unknown=(*one.unknown, "how many hours it runs a month")
            )
        return replace(one, least=beside, most=beside, hours=self.assumed.job_hours)

    def _count(self, key: str, default: int | None) -> float | None:
        return self._number(self._spec.get(key), self._at("spec", key), default)

    def _number(self, value: object, at: Path_, default: int | None) -> float | None:
        if value is None:
            return None if default is None else float(default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.document.fail("is no number of replicas", at, fix="a whole number, such as 3")
        return float(value)
