"""What a pod asks for, as the scheduler counts it.

    the larger of: the sum of its containers and sidecars; each init container with the sidecars before it

and the overhead of its runtime class (Kubernetes, Sidecar Containers, "Resource sharing within containers").
A request that is left out is the limit, if there is one, else what a LimitRange of the namespace gives;
without any, or with one of 0, a container takes what it likes, and what that costs is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maestro_cli.config.strict import Document, Path_
from maestro_cli.core.quantities import parse_quantity
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.model import Asked, Claim
from maestro_cli.cost.metering.labels import GPU_LABELS, SPOT_LABELS
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import Capacity

_RESOURCES = ("cpu", "memory")
_GPUS = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915", "gpu.intel.com/xe", "aws.amazon.com/neuron")
_HUGE_PAGES = "hugepages-"  # memory of the node that the request for memory is without
_OF_THE_NODE = ("ephemeral-storage", "attachable-volumes-")  # its own disk, and places to attach others
_MOST = 2.0**63  # of the API; more would have no finite cost
_CONTAINERS = ("initContainers", "containers")


class PodReader:
    """Reads the spec of a pod at a place of a document; each value that is none is an InvalidFile.

    `defaults` are requests by resource that the namespace gives; `ignored` resources cost nothing.
    """

    def __init__(
        self,
        document: Document,
        defaults: Mapping[str, float] | None = None,
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self._document, self._defaults, self._ignored = document, defaults or {}, ignored

    def read(self, spec: Mapping[str, Any], at: Path_) -> Asked:
        """What one replica asks for; raises InvalidFile."""
        unknown: list[str] = []
        others = sorted(self._others(spec, at))
        amounts = {name: self._amount(spec, at, name, unknown) for name in (*_RESOURCES, *_GPUS, *others)}
        huge = sum(amounts.pop(name) for name in others if name.startswith(_HUGE_PAGES))
        for index, one in enumerate(self.sequence(spec.get("resourceClaims"), (*at, "resourceClaims"))):
            unknown.append(
                f"what the resource claim {visible(str(one.get('name', index)), 63)} is given costs"
            )
        selected = self.mapping(spec.get("nodeSelector"), (*at, "nodeSelector"))
        labels = {(str(key), str(value)) for key, value in selected.items()} | self._required(spec, at)
        return Asked(
            cpu=amounts["cpu"],
            memory_gib=(amounts["memory"] + huge) / GIB,
            gpus=sum(amounts[name] for name in _GPUS),
            gpu=next((value for name in GPU_LABELS for key, value in sorted(labels) if key == name), ""),
            capacity=Capacity.SPOT if labels & SPOT_LABELS.items() else Capacity.ON_DEMAND,
            claims=tuple(self._ephemeral(spec, at)),
            unknown=tuple(dict.fromkeys(unknown)),
            extended=tuple((name, amounts[name]) for name in others if amounts.get(name)),
            content="" if spec.get("overhead") else str(spec.get("runtimeClassName") or ""),
            notes=tuple(self._notes(spec)),
        )

    def claim(self, spec: Mapping[str, Any], at: Path_) -> Claim:
        """The claim that a spec of a PersistentVolumeClaim makes."""
        size = self._table(spec, at, "requests").get("storage")
        gib = None if size is None else self.quantity(size, (*at, "resources", "requests", "storage")) / GIB
        return Claim(str(spec.get("storageClassName") or ""), gib)

    def mapping(self, value: object, at: Path_) -> Mapping[str, Any]:
        """A mapping, empty where there is none."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._document.fail("is no mapping", at)
        return value

    def sequence(self, value: object, at: Path_) -> list[Mapping[str, Any]]:
        """A sequence of mappings, empty where there is none."""
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._document.fail("is no sequence", at)
        return [self.mapping(one, (*at, index)) for index, one in enumerate(value)]

    def quantity(self, value: object, at: Path_) -> float:
        """An amount as Kubernetes writes them."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._document.fail("is no quantity", at, fix="500m, 2, 512Mi")
        try:
            found = parse_quantity(value)
        except ValueError as error:
            raise self._document.fail(str(error), at, fix="500m, 2, 512Mi") from error
        if found < 0:
            raise self._document.fail("is below 0", at)
        if found > _MOST:
            raise self._document.fail("is too large a quantity", at, fix="500m, 2, 512Mi")
        return found

    def _others(self, spec: Mapping[str, Any], at: Path_) -> set[str]:
        """What it asks for that is neither processor, memory, a known GPU nor of the node itself."""
        found: set[str] = set(map(str, self.mapping(spec.get("overhead"), (*at, "overhead"))))
        for group in _CONTAINERS:
            for index, one in enumerate(self.sequence(spec.get(group), (*at, group))):
                for key in ("requests", "limits"):
                    found.update(map(str, self._table(one, (*at, group, index), key)))
        found.update(self._defaults)
        found -= {*_RESOURCES, *_GPUS, *self._ignored}
        return {name for name in found if not name.startswith(_OF_THE_NODE)}

    def _amount(self, spec: Mapping[str, Any], at: Path_, name: str, unknown: list[str]) -> float:
        """Of one resource, what the pod asks for; adds to what is unknown."""
        overhead = self.mapping(spec.get("overhead"), (*at, "overhead")).get(name)
        extra = 0.0 if overhead is None else self.quantity(overhead, (*at, "overhead", name))
        whole = self._request(spec, at, name)  # of the pod itself, which Kubernetes 1.34 has
        lacks: list[str] = []
        running, sidecars, starting = 0.0, 0.0, 0.0
        for index, one in enumerate(self.sequence(spec.get("initContainers"), (*at, "initContainers"))):
            asked = self._asked(one, (*at, "initContainers", index), name)
            if one.get("restartPolicy") == "Always":
                sidecars += asked or 0.0
                lacks += _lacks(one, name, asked)
            else:
                starting = max(starting, sidecars + (asked or 0.0))
        for index, one in enumerate(self.sequence(spec.get("containers"), (*at, "containers"))):
            asked = self._asked(one, (*at, "containers", index), name)
            running += asked or 0.0
            lacks += _lacks(one, name, asked)
        unknown += [] if whole else lacks
        return max(running + sidecars, starting, whole or 0.0) + extra

    def _asked(self, container: Mapping[str, Any], at: Path_, name: str) -> float | None:
        found = self._request(container, at, name)
        return self._defaults.get(name) if found is None else found

    def _request(self, owner: Mapping[str, Any], at: Path_, name: str) -> float | None:
        """What a container, or a pod, asks for; its limit where that is all it says."""
        for key in ("requests", "limits"):
            value = self._table(owner, at, key).get(name)
            if value is not None:
                return self.quantity(value, (*at, "resources", key, name))
        return None

    def _table(self, owner: Mapping[str, Any], at: Path_, key: str) -> Mapping[str, Any]:
        resources = self.mapping(owner.get("resources"), (*at, "resources"))
        return self.mapping(resources.get(key), (*at, "resources", key))

    def _notes(self, spec: Mapping[str, Any]) -> Iterator[str]:
        name = spec.get("runtimeClassName")
        if name and not spec.get("overhead"):
            yield f"the overhead of runtime class {visible(str(name), 63)} is not counted"

    def _ephemeral(self, spec: Mapping[str, Any], at: Path_) -> Iterator[Claim]:
        for index, volume in enumerate(self.sequence(spec.get("volumes"), (*at, "volumes"))):
            where: Path_ = (*at, "volumes", index, "ephemeral")
            template = self.mapping(volume.get("ephemeral"), where).get("volumeClaimTemplate")
            if template is not None:
                inner = self.mapping(template, (*where, "volumeClaimTemplate"))
                place: Path_ = (*where, "volumeClaimTemplate", "spec")
                yield self.claim(self.mapping(inner.get("spec"), place), place)

    def _required(self, spec: Mapping[str, Any], at: Path_) -> set[tuple[str, str]]:
        """Labels that every node it may run on has, by its required affinity: one value, in every term."""
        place: Path_ = (*at, "affinity")
        found = self.mapping(spec.get("affinity"), place)
        for key in ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"):
            place = (*place, key)
            found = self.mapping(found.get(key), place)
        terms = []
        for index, term in enumerate(
            self.sequence(found.get("nodeSelectorTerms"), (*place, "nodeSelectorTerms"))
        ):
            rules = self.sequence(
                term.get("matchExpressions"), (*place, "nodeSelectorTerms", index, "matchExpressions")
            )
            terms.append(
                {
                    (str(rule.get("key")), str(rule["values"][0]))
                    for rule in rules
                    if rule.get("operator") == "In"
                    and isinstance(rule.get("values"), list)
                    and len(rule["values"]) == 1
                }
            )
        return set.intersection(*terms) if terms else set()


def _lacks(container: Mapping[str, Any], name: str, asked: float | None) -> Iterator[str]:
    if name in _RESOURCES and not asked:
        told = "has no" if asked is None else "asks for 0"
        what = f"{name} request" if asked is None else name
        yield f"container {visible(str(container.get('name')), 63)} {told} {what}"
