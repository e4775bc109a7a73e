"""One example of every kind of change, over a fake cluster: fraud=2 of three replicas, nodes and pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.changes.kinds import KINDS
from maestro_cli.core.refs import ObjectRef
from tests.unit.changes.fake_cluster import REF, FakeCluster, template
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.fake_pods import POD
from tests.unit.changes.some_world import SomeWorld

IMAGE = "registry.example:5000/ml/server:2@sha256:" + "a" * 64


@dataclass(frozen=True)
class Example:
    """`before` is what the cluster is set to first; `written` are the parameters as a runbook writes them."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    written: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    ref: ObjectRef = REF

    def __str__(self) -> str:
        return self.kind

    @property
    def rolls_out(self) -> bool:
        return self.ref == REF and self.kind not in ("scale", "pause", "resume")

    @property
    def permission(self) -> str:
        """What it may not be done without."""
        return str(KINDS[self.kind].permissions[-1])

    @property
    def leaves_a_mark(self) -> bool:
        """What is deleted carries none, and is not there to look at."""
        return self.kind != "delete-pod"

    @property
    def is_final(self) -> bool:
        """It has no undo."""
        return self.kind in ("restart", "delete-pod")

    def marks(self, change_id: str) -> list[str]:
        """What the fake cluster notes of that change: its write, and the steps after it."""
        return [*self.write(change_id), *(EVICTED if self.kind == "drain" else [])]

    def write(self, change_id: str) -> list[str]:
        return [change_id] if self.leaves_a_mark else EVICTED[:1]

    @property
    def steps(self) -> list[str]:
        """The events of its steps."""
        return ["step_begun", "step_taken"] * (3 if self.kind == "drain" else 0)

    def prepare(self, cluster: FakeCluster) -> None:
        self._set(cluster, self.before)

    def annotate(self, cluster: FakeCluster, **annotations: str) -> None:
        """What somebody else noted on the target."""
        self._set(cluster, {"annotations": {**self.look(cluster).annotations, **annotations}})

    def overtake(self, cluster: FakeCluster) -> None:
        """Somebody else changes what this kind writes to, and not to what was there before or after."""
        if self.ref == REF:
            cluster.ship(template(9))
            cluster.set(replicas=9, paused=self.kind == "resume")  # the opposite of what was written
        elif self.ref == POD:
            cluster.set(pod_uid="another")
        else:
            self._set(cluster, {"unschedulable": self.look(cluster).schedulable, "annotations": {}})

    def remove(self, cluster: FakeCluster) -> None:
        """The target is no more."""
        with cluster.state() as state:
            state["exists"] = False
            state["nodes"].clear()
            state["namespace_pods"] = 0

    def look(self, cluster: FakeCluster) -> Any:
        """The target now."""
        return KINDS[self.kind].read(SomeWorld(cluster), self.ref)

    def part(self, cluster: FakeCluster) -> str:
        """The part of the target that this kind writes."""
        return KINDS[self.kind].part_of(self.look(cluster))

    def _set(self, cluster: FakeCluster, values: Mapping[str, Any]) -> None:
        with cluster.state() as state:
            (state["nodes"][self.ref.name] if self.ref == NODE else state).update(values)


EXAMPLES = (
    Example("rollback"),
    Example("restart"),
    Example("scale", {"replicas": 5}, "replicas: 5"),
    Example("pause"),
    Example("resume", before={"paused": True}),
    Example("set-image", {"images": [f"server={IMAGE}"]}, f"images: server={IMAGE}"),
    Example("set-env", {"env": ["MODEL=b", "NEW=x"]}, "env: MODEL=b 'NEW=x'"),
    Example("cordon", ref=NODE),
    Example("uncordon", before={"unschedulable": True}, ref=NODE),
    Example("delete-pod", {"without_eviction": False}, "without_eviction: 'no'", ref=POD),
    Example("drain", ref=NODE),
)
EVICTED = ["evicted pod-uid-0", "evicted pod-uid-1", "evicted pod-uid-2"]
ENVIRONMENT = {"MODEL": "a", "OLD": "x"}


def example_of(kind: str) -> Example:
    return next(example for example in EXAMPLES if example.kind == kind)


def releases(cluster: FakeCluster) -> None:
    """The two releases that every example starts from."""
    cluster.ship(template(1, **ENVIRONMENT), "release 1")
    cluster.ship(template(2, **ENVIRONMENT), "release 2")
