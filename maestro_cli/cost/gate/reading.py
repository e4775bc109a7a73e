"""One object with what is assumed, as what it asks for.

Invariant: a count that nobody says is what runs now where that is known, else 1 as Kubernetes has it, and
that is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maestro_cli.config.strict import Path_
from maestro_cli.core.refs import ObjectRef
from maestro_cli.cost.gate.autoscalers import LEFT_OUT
from maestro_cli.cost.gate.model import Asked, Assumed, Claim, Span
from maestro_cli.cost.gate.objects import ManifestObject
from maestro_cli.cost.gate.pods import PodReader

CLAIM_TEMPLATES = ("spec", "volumeClaimTemplates")


@dataclass(frozen=True, slots=True)
class Reading:
    """An object, the requests its namespace gives by default, what classes of runtimes need besides, and the
    replicas that run now.
    """

    one: ManifestObject
    assumed: Assumed
    defaults: Mapping[str, float] = field(default_factory=dict)
    standing: Mapping[ObjectRef, Span] = field(default_factory=dict)
    overheads: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def pods(self) -> PodReader:
        return PodReader(self.one.document, self.defaults, self.assumed.ignored)

    def pod(self, path: Path_) -> Asked:
        """One replica of the pod whose spec is at a place; raises InvalidFile without containers there."""
        spec = self.one.mapping(path)
        if "containers" not in spec:
            raise self.one.document.fail("is missing", self.one.at((*path, "containers")))
        return self.pod_of(spec, path)

    def pod_of(self, spec: Mapping[str, Any], path: Path_) -> Asked:
        """One replica of a pod that is put together of what is at a place."""
        overhead = self.overheads.get(str(spec.get("runtimeClassName")))
        if overhead is not None and "overhead" not in spec:
            spec = {**spec, "overhead": overhead}
        return self.pods.read(spec, self.one.at(path))

    def has_pod(self, path: Path_) -> bool:
        return "containers" in self.one.mapping(path)

    def replicated(self, one: Asked, path: Path_ = ("spec", "replicas")) -> Asked:
        """As many as are said at a place, else as run now, else 1."""
        said = self.one.count(path)
        if said is not None:
            return replace(one, least=said, most=said)
        now = self.standing.get(self.one.ref)
        if now is not None:
            return replace(one, least=now.least, most=now.most)
        return replace(one, least=1.0, most=1.0, notes=(*one.notes, LEFT_OUT))

    def with_claims(self, one: Asked, path: Path_ = CLAIM_TEMPLATES) -> Asked:
        """With the claims that each replica makes."""
        claims = tuple(self._claim((*place, "spec")) for place in self.one.items(path))
        return replace(one, claims=(*one.claims, *claims))

    def claimed(self) -> Asked:
        """A PersistentVolumeClaim by itself."""
        return Asked(least=0.0, most=0.0, own_claims=(self._claim(("spec",)),))

    def timed(self, one: Asked, runs: str = "") -> Asked:
        """What runs for the hours that are assumed of a job."""
        hours = self.assumed.job_hours
        if hours is None:
            return replace(one, runs=runs, unknown=(*one.unknown, "how many hours it runs a month"))
        return replace(one, runs=runs, hours=hours)

    def _claim(self, path: Path_) -> Claim:
        return self.pods.claim(self.one.mapping(path), self.one.at(path))
