"""One example of every kind of change, over a fake cluster: fraud=2 of three replicas, and what is around."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.silencing import mark_of
from maestro_cli.core.refs import ObjectRef
from tests.unit.changes.fake_alertmanager import PERMISSION, SILENCE, silence
from tests.unit.changes.fake_autoscalers import HPA
from tests.unit.changes.fake_cluster import REF, FakeCluster, reading, template
from tests.unit.changes.fake_configs import CONFIG, IDS, ROUTING, SETTINGS
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
    calls: tuple[str, ...] = ()  # of one that leaves no mark: what the cluster notes of each call

    def __str__(self) -> str:
        return self.kind

    @property
    def rolls_out(self) -> bool:
        return self.is_of_a_workload and self.kind not in ("scale", "set-weight", "pause", "resume")

    @property
    def is_of_a_workload(self) -> bool:
        """It writes to the workload itself, and does not only call its replicas."""
        return self.ref == REF and not self.calls

    @property
    def permission(self) -> str:
        """What it may not be done without."""
        return str(KINDS[self.kind].permissions[-1]) if KINDS[self.kind].permissions else PERMISSION

    @property
    def leaves_a_mark(self) -> bool:
        """What is deleted, expired or only called carries none."""
        return not self.calls

    @property
    def rehearses(self) -> bool:
        """Alertmanager has no dry run."""
        return self.ref != SILENCE

    @property
    def is_final(self) -> bool:
        """It has no undo."""
        return self.kind in ("restart", "delete-pod", "clear-cache")

    def marks(self, change_id: str) -> list[str]:
        """What the fake cluster notes of that change: its write, and the steps after it."""
        steps = {"drain": EVICTED, "set-config": [change_id]}
        return [*self.write(change_id), *steps.get(self.kind, self.calls[1:])]

    def write(self, change_id: str) -> list[str]:
        return [change_id] if self.leaves_a_mark else [*self.calls[:1]]

    @property
    def steps(self) -> list[str]:
        """The events of its steps."""
        return ["step_begun", "step_taken"] * (len(self.marks("")) - 1)

    def prepare(self, cluster: FakeCluster) -> None:
        if self.ref == SETTINGS:
            cluster.ship(reading(cluster.get_workload(REF).template))
        self._set(cluster, self.before)

    def annotate(self, cluster: FakeCluster, **annotations: str) -> None:
        """What somebody else noted on the target; a silence has nothing to note on."""
        if self.ref != SILENCE:
            self._set(cluster, {"annotations": {**self.look(cluster).annotations, **annotations}})

    def overtake(self, cluster: FakeCluster) -> None:
        """Somebody else changes what this kind writes to, and not to what was there before or after."""
        if self.calls and self.ref == REF:
            with cluster.state() as state:
                state["servers"]["models"]["replica-1"]["other@1"] = "READY"
        elif self.ref == CONFIG:
            self._set(cluster, {"data": {"routing.yaml": OVERTAKEN}, "annotations": {}})
        elif self.ref == REF:
            cluster.ship(template(9))
            cluster.set(replicas=9, paused=self.kind == "resume")  # the opposite of what was written
        elif self.ref == POD:
            cluster.set(pod_uid="another")
        elif self.ref == SETTINGS:
            self._set(cluster, {"data": {"LEVEL": "theirs", "other": "x"}, "annotations": {}})
        elif self.ref == HPA:
            self._set(cluster, {"least": 7, "most": 9, "annotations": {}})
        elif self.ref == SILENCE:
            over = [{**one, "state": "expired"} for one in self._silences(cluster)]
            cluster.set(silences=over or [silence(7)])
        else:
            self._set(cluster, {"unschedulable": self.look(cluster).schedulable, "annotations": {}})

    def remove(self, cluster: FakeCluster) -> None:
        """The target is no more."""
        with cluster.state() as state:
            state["exists"] = False
            state["nodes"].clear()
            state["configs"].clear()
            state["namespace_pods"] = 0
            state["hpas"].clear()
            state["has_alertmanager"] = False

    def look(self, cluster: FakeCluster) -> Any:
        """The target now."""
        return KINDS[self.kind].read(SomeWorld(cluster), self.ref)

    def mark(self, cluster: FakeCluster) -> str:
        """The change that the target says it was made or changed by."""
        found = self.look(cluster)
        if self.ref == SILENCE:
            return mark_of(found.live[-1])
        return str(found.annotations["maestro.io/change"])

    def part(self, cluster: FakeCluster) -> str:
        """The part of the target that this kind writes."""
        return KINDS[self.kind].part_of(self.look(cluster))

    def _set(self, cluster: FakeCluster, values: Mapping[str, Any]) -> None:
        with cluster.state() as state:
            places = {
                NODE: state["nodes"]["node-a"], CONFIG: state["configs"]["ml/fraud-routing"],
                SETTINGS: state["configs"]["ml/settings"], HPA: state["hpas"]["fraud"],
            }  # fmt: skip
            places.get(self.ref, state).update(copy.deepcopy(dict(values)))

    def _silences(self, cluster: FakeCluster) -> list[dict[str, Any]]:
        with cluster.state() as state:
            return [one for one in state["silences"] if one["state"] != "expired"]


EVICTED = ["evicted pod-uid-0", "evicted pod-uid-1", "evicted pod-uid-2"]
SECOND = {"model": "fraud", "version": 2}
WRITTEN = "model: fraud\nversion: '2'"
SHADOWED = f"{ROUTING}    shadow: {{model: fraud, version: 2}}\n"
OVERTAKEN = """\
schema: maestro.routing/1
routes: {fraud: {to: {model: fraud, version: 1}}, other: {to: {model: other, version: 1}}}
frozen: true
"""
CLEARED = tuple(f"cleared {name}" for name in IDS)
EXAMPLES = (
    Example("rollback"),
    Example("restart"),
    Example("scale", {"replicas": 5}, "replicas: 5"),
    Example("pause"),
    Example("resume", before={"paused": True}),
    Example("set-image", {"images": [f"server={IMAGE}"]}, f"images: server={IMAGE}"),
    Example("set-env", {"env": ["MODEL=b", "NEW=x"]}, "env: MODEL=b 'NEW=x'"),
    Example(
        "set-resources", {"resources": ["server/requests.cpu=500m"]}, "resources: server/requests.cpu=500m"
    ),
    Example("cordon", ref=NODE),
    Example("uncordon", before={"unschedulable": True}, ref=NODE),
    Example(
        "delete-pod", {"without_eviction": False}, "without_eviction: 'no'", ref=POD, calls=(EVICTED[0],)
    ),
    Example("drain", ref=NODE),
    Example(
        "set-config",
        {"key": "LEVEL", "value": "debug", "rollout": True},
        "key: LEVEL\nvalue: debug\nrollout: 'yes'",
        ref=SETTINGS,
    ),
    Example("scale-hpa", {"min": 3, "max": 6}, "min: 3\nmax: 6", ref=HPA),
    Example(
        "silence",
        {"duration": "2h", "comment": "known"},
        "duration: 2h\ncomment: known",
        ref=SILENCE,
    ),
    Example("unsilence", before={"silences": [silence(0)]}, ref=SILENCE, calls=("expired sil-0",)),
    Example("set-traffic", {**SECOND, "share": 0.1}, f"{WRITTEN}\nshare: 10%", ref=CONFIG),
    Example("promote", SECOND, WRITTEN, ref=CONFIG),
    Example("shadow-start", SECOND, WRITTEN, ref=CONFIG),
    Example("shadow-stop", {"model": "fraud"}, "model: fraud", {"data": {"routing.yaml": SHADOWED}}, CONFIG),
    Example("set-routing", {"text": SHADOWED}, f"text: {json.dumps(SHADOWED)}", ref=CONFIG),
    Example("freeze", ref=CONFIG),
    Example("unfreeze", before={"data": {"routing.yaml": f"{ROUTING}frozen: true\n"}}, ref=CONFIG),
    Example(
        "load-model", {"model": "fraud", "version": 3}, "model: fraud\nversion: '3'",
        calls=tuple(f"loaded fraud@3 on {name}" for name in IDS),
    ),
    Example("unload-model", SECOND, WRITTEN, calls=tuple(f"unloaded fraud@2 on {name}" for name in IDS)),
    Example("clear-cache", {"model": "fraud"}, "model: fraud", calls=CLEARED),
    Example("set-weight", {"share": 0.4, "beside": "stable"}, "share: 40%\nbeside: stable"),
)  # fmt: skip
ENVIRONMENT = {"MODEL": "a", "OLD": "x"}


def example_of(kind: str) -> Example:
    return next(example for example in EXAMPLES if example.kind == kind)


def releases(cluster: FakeCluster) -> None:
    """The two releases that every example starts from."""
    cluster.ship(template(1, **ENVIRONMENT), "release 1")
    cluster.ship(template(2, **ENVIRONMENT), "release 2")
