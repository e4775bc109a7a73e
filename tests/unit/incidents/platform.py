"""A cluster and metrics as recorded facts, for triage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from maestro_cli.core.errors import NotFound, Unreachable
from maestro_cli.core.facts.cluster import (
    ClusterEvent,
    ConfigMap,
    Container,
    Node,
    Pod,
    Revision,
    Workload,
)
from maestro_cli.core.facts.edits import WrittenObject, WrittenObjects
from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.incidents.world import T0

FRAUD = WorkloadRef("Deployment", "ml", "fraud")
OLD, NEW = "fraud-6b8c5d4f7c", "fraud-7d9f8b6c54"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def workload(
    ref: WorkloadRef = FRAUD, revision: int = 1, template: Mapping[str, Any] | None = None
) -> Workload:
    return Workload(
        ref=ref, uid="u", resource_version="1", generation=1, observed_generation=1, revision=revision,
        replicas_wanted=3, replicas=3, replicas_updated=3, replicas_ready=3, replicas_available=3,
        paused=False, selector=f"app={ref.name}", created_at=at(-86400),
        template=template or {},
    )  # fmt: skip


def revision(number: int, name: str, created: float, model: str) -> Revision:
    container = {"name": "server", "image": "maestro.local/model-server:1", "args": ["--serve", model]}
    template: Mapping[str, Any] = {"spec": {"containers": [container]}}
    return Revision(number, name, at(created), 3, 3, ("maestro.local/model-server:1",), "", template)


def pod(name: str, node: str, *, created: float, ready: bool = True, **container: Any) -> Pod:
    state = {"ready": ready, "restarts": 0, "state": "running", **container}
    return Pod(
        namespace="ml", name=name, uid=name, phase="Running", ready=ready, node=node, ip="10.244.1.1",
        created_at=at(created), deleting=False, owner=name.rsplit("-", 1)[0], labels={"app": "fraud"},
        containers=(Container(name="server", image="i", **state),),
    )  # fmt: skip


@dataclass
class Recorded:
    """Both sources. Times in seconds from T0, the alert's start; errors and requests are counters by
    (pod, node, revision, version) as functions of time. `down` names the methods that fail."""

    workloads: tuple[Workload, ...] = (workload(),)
    revisions: Mapping[WorkloadRef, tuple[Revision, ...]] = field(
        default_factory=lambda: {FRAUD: (revision(1, OLD, -86400, "fraud=1"),)}
    )
    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = tuple(Node(f"node-{n}", True, True, f"zone-{n}") for n in "abc")
    events: tuple[ClusterEvent, ...] = ()
    logs: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    series: dict[tuple[str, str, str, str], tuple[Callable[[float], float], Callable[[float], float]]] = (
        field(default_factory=dict)
    )
    p95: dict[str, dict[str, Callable[[float], float]]] = field(default_factory=dict)
    written: tuple[WrittenObject, ...] = ()
    configs: tuple[ConfigMap, ...] = ()
    versions: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # by config map: when, which
    memory: dict[str, float] = field(default_factory=dict)  # the share of its limit, by pod
    down: frozenset[str] = frozenset()
    now: float = 30.0
    asked: list[str] = field(default_factory=list)

    def _called(self, name: str) -> None:
        self.asked.append(name)
        if name in self.down:
            raise Unreachable(f"{name} does not answer", why="connection refused")

    # The cluster

    def list_readable_workloads(self, namespace: str) -> tuple[Workload, ...]:
        self._called("list_workloads")
        return tuple(item for item in self.workloads if item.ref.namespace == namespace)

    def list_revisions(self, ref: WorkloadRef) -> tuple[Revision, ...]:
        self._called("list_revisions")
        return self.revisions.get(ref, ())

    def list_pods(self, namespace: str, *, selector: str = "") -> tuple[Pod, ...]:
        self._called("list_pods")
        return self.pods

    def list_events(self, namespace: str, *, since: datetime | None = None) -> tuple[ClusterEvent, ...]:
        self._called("list_events")
        return tuple(event for event in self.events if since is None or event.last_seen_at >= since)

    def list_nodes(self) -> tuple[Node, ...]:
        self._called("list_nodes")
        return self.nodes

    def list_written(self, namespace: str) -> WrittenObjects:
        self._called("list_written")
        return WrittenObjects(self.written)

    def get_config_map(self, namespace: str, name: str) -> ConfigMap:
        self._called("get_config_map")
        found = next((one for one in self.configs if (one.namespace, one.name) == (namespace, name)), None)
        if found is None:
            raise NotFound(f"there is no config map {name}")
        return found

    def pod_log(
        self,
        namespace: str,
        pod: str,
        *,
        since_seconds: int | None = None,
        tail_lines: int | None = None,
        previous: bool = False,
        limit_bytes: int = 1 << 20,
    ) -> str:
        self._called("pod_log")
        first = -1e12 if since_seconds is None else self.now - since_seconds
        lines = [line for when, line in self.logs.get(pod, []) if when >= first and when <= self.now]
        return "\n".join(lines[-(tail_lines or len(lines)) :] if lines else [])[:limit_bytes]

    # The metrics: answers by what a query is about, not by parsing it

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self._called("query")
        moment = at or T0
        seconds = (moment - T0).total_seconds()
        if promql.startswith("max(count_over_time"):
            return Instant(promql, moment, (Sample({}, 60.0, moment),))
        if "container_memory" in promql:
            shares = tuple(Sample({"pod": pod}, share, moment) for pod, share in self.memory.items())
            return Instant(promql, moment, shares)
        if "[" not in promql:
            return Instant(promql, moment, ())
        window = _window(promql)
        samples: list[Sample] = []
        if "increase" in promql and promql.startswith("sum by"):
            for (pod, node, revision, version), counters in self.series.items():
                place = {"pod": pod, "node": node, "revision": revision, "version": version}
                for code, counter in (("200", counters[0]), ("500", counters[1])):
                    grown = counter(seconds) - counter(seconds - window)
                    samples.append(Sample({**place, "code": code}, grown, moment))
        elif "increase" in promql:
            samples.append(Sample({}, self._sum(seconds, window, "code=~" in promql), moment))
        elif promql.startswith("histogram_quantile"):
            label = promql.split("sum by (le, ")[1].split(")")[0]
            values = self.p95.get(label, {})
            samples += [Sample({label: name}, value(seconds), moment) for name, value in values.items()]
        return Instant(promql, moment, tuple(samples))

    def _sum(self, seconds: float, window: float, errors_only: bool) -> float:
        total = 0.0
        for good, bad in self.series.values():
            counters = (bad,) if errors_only else (good, bad)
            total += sum(counter(seconds) - counter(seconds - window) for counter in counters)
        return total

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self._called("query_range")
        if promql.startswith("kube_"):
            return tuple(
                Series({"configmap": name}, tuple((T0 + timedelta(seconds=s), value) for s, value in points))
                for name, points in self.versions.items()
                if "kube_configmap" in promql
            )
        points = []
        moment = start
        while moment <= end:
            seconds = (moment - T0).total_seconds()
            if promql.startswith("histogram_quantile"):
                values = [value(seconds) for value in self.p95.get("revision", {}).values()]
                value = max((item for item in values if item == item), default=float("nan"))
            elif " / " in promql:
                every = self._sum(seconds, 5, False)
                value = self._sum(seconds, 5, True) / every if every else float("nan")
            else:
                value = self._sum(seconds, 5, False) / 5
            points.append((moment, value))
            moment += timedelta(seconds=step_seconds)
        return (Series({}, tuple(points)),)

    def but(self, **changes: Any) -> Recorded:
        return replace(self, **changes)


def _window(promql: str) -> float:
    text = promql.rsplit("[", 1)[1].split("]")[0]
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text[:-1]) * units[text[-1]]


def steady(rate: float, start: float = -1e6, end: float = 1e9) -> Callable[[float], float]:
    """A counter that grows at a rate between two instants."""
    return lambda seconds: rate * max(min(seconds, end) - start, 0.0)


NOTHING = steady(0.0)


def objective(name: str, *, kind: str = "bad", service: str = "fraud", **labels: str) -> Objective:
    """One of 99 % over 30 days; by default of ml/deploy/fraud."""
    found = labels or {"namespace": "ml", "deployment": "fraud"}
    counters = (
        Counters("all_total", "bad_total") if kind == "bad" else Counters("all_total", good="good_total")
    )
    return Objective(name, name, service, 0.99, 86400.0 * 30, counters, found)
