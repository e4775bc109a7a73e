"""A FAKE cluster: one Deployment, its nodes and pods, in memory or in a file that processes share.

It stands in for the API server where a test must lose answers, delay writes or freeze a rollout at will;
the same pipeline runs against a real cluster API in tests/contract/changes. Preconditions, generation,
resourceVersion, revision numbers and annotations behave as a Deployment's do.
"""

from __future__ import annotations

import copy
import fcntl
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from maestro_cli.core.errors import ActionFailed, NotFound, OutcomeUnknown, Refused, StalePlan, Unreachable
from maestro_cli.core.facts.cluster import (
    AccessAnswer,
    Autoscaler,
    ClusterEvent,
    ConfigMap,
    DisruptionBudget,
    Node,
    Pod,
    Revision,
    Service,
    ServiceEndpoint,
    Workload,
)
from maestro_cli.core.refs import WorkloadRef
from tests.unit.changes import fake_autoscalers, fake_configs, fake_nodes, fake_pods

REF = WorkloadRef("Deployment", "ml", "fraud")
BESIDE = WorkloadRef("Deployment", "ml", "stable")  # as REF is; behind the same Service
T = TypeVar("T")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def template(version: int, **env: str) -> dict[str, Any]:
    """A pod template that serves one model version."""
    container = {
        "name": "server",
        "image": "maestro.local/model-server:1",
        "args": ["--models", "/models", "--serve", f"fraud={version}"],
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    volume = {"name": "routing", "configMap": {"name": "fraud-routing"}}
    return {
        "metadata": {"labels": {"app": "fraud"}},
        "spec": {"containers": [container], "volumes": [volume]},
    }


def reading(pod_template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with its environment from the config map `settings`."""
    made: dict[str, Any] = copy.deepcopy(dict(pod_template))
    made["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    return made


class FakeCluster:
    """Implements ClusterPort. `path` shares the state between processes."""

    def __init__(self, path: Path | None = None, *, replicas: int = 3) -> None:
        self._path = path
        self._state: dict[str, Any] = {
            "rv": 100, "uid": "uid-1", "generation": 0, "replicas": replicas, "paused": False, "exists": True,
            "annotations": {}, "revisions": [], "broken": [], "frozen": False, "writes": [], "log": [],
            "denied": [], "budgets": [], "namespace_pods": replicas, "given_up": False, "down": 0,
            "autoscalers": [], "ready": None, "nodes": fake_nodes.nodes_at_first(),
            "ended": [], "pod_uid": "pod-uid", "configs": fake_configs.configs_at_first(), "silences": [],
            "servers": fake_configs.servers_at_first(), "secrets": {}, "labels": {}, "has_alertmanager": True,
            "services": {"fraud": {"app": "fraud"}}, "hpas": fake_autoscalers.autoscalers_at_first(),
            "firing": [{"alertname": "HighErrorRate", "namespace": "ml", "pod": "pod-0"}],
        }  # fmt: skip
        self.user = ""
        self.faults: list[str] = []
        self._late: list[Any] = []
        self.rehearsed: list[str] = []
        if path is not None and not path.exists():
            path.write_text(json.dumps(self._state))

    @contextmanager
    def state(self) -> Iterator[dict[str, Any]]:
        """The state, to read and change; exclusive across processes when it is in a file."""
        if self._path is None:
            yield self._state
            return
        with self._path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = json.loads(file.read())
            yield state
            file.seek(0)
            file.truncate()
            file.write(json.dumps(state))

    # What tests do to it

    def ship(self, pod_template: Mapping[str, Any], cause: str = "") -> None:
        """What `kubectl apply` by somebody else does."""
        with self.state() as state:
            annotations = {**state["annotations"], **({"kubernetes.io/change-cause": cause} if cause else {})}
            _write(state, {"template": pod_template}, annotations)

    def report_status(self) -> None:
        """What a controller does all the time: only resourceVersion moves."""
        with self.state() as state:
            state["rv"] += 1
            for other in (*state["nodes"].values(), *state["configs"].values(), *state["hpas"].values()):
                other["rv"] += 1

    def set(self, **values: Any) -> None:
        with self.state() as state:
            state.update(values)

    @property
    def marks(self) -> list[str]:
        """Ids of the changes whose write reached the cluster, in order."""
        with self.state() as state:
            return list(state["writes"])

    # ClusterPort

    def identity(self) -> str:
        return self.user

    def get_workload(self, ref: WorkloadRef) -> Workload:
        with self.state() as state:
            self.answer(state)
            if not state["exists"] or ref not in (REF, BESIDE):
                raise NotFound(f"{ref} not found")
            workload = _workload(state)
            if ref == BESIDE:
                ready = 3 if state["ready"] is None else state["ready"]
                workload = replace(workload, ref=BESIDE, replicas_ready=ready)
        self.arrive()
        return workload

    def get_autoscaler(self, namespace: str, name: str) -> Autoscaler:
        with self.state() as state:
            self.answer(state)
            found = fake_autoscalers.autoscaler(state, name)
        self.arrive()
        return found

    def list_revisions(self, ref: WorkloadRef) -> Sequence[Revision]:
        with self.state() as state:
            found = [_revision(item, state) for item in state["revisions"]]
            return [replace(one, name=one.name.replace(REF.name, ref.name)) for one in found]

    def list_events(self, namespace: str) -> Sequence[ClusterEvent]:
        return ()

    def list_pods(self, namespace: str | None, *, selector: str = "") -> Sequence[Pod]:
        with self.state() as state:
            if "pods" in state["denied"]:
                raise Refused("the cluster forbids it")
            return fake_pods.pods(state)

    def get_pod(self, namespace: str, name: str) -> Pod:
        with self.state() as state:
            self.answer(state)
            found = fake_pods.pod(state, name)
        self.arrive()
        return found

    def secret_keys(self, namespace: str, name: str) -> Sequence[str]:
        with self.state() as state:
            if "secrets" in state["denied"]:
                raise Refused("the cluster forbids it")
            if name not in state["secrets"]:
                raise NotFound(f"secret/{name} not found")
            return tuple(state["secrets"][name])

    def list_disruption_budgets(self, namespace: str | None) -> Sequence[DisruptionBudget]:
        with self.state() as state:
            return tuple(DisruptionBudget("ml", *budget) for budget in state["budgets"])

    def list_endpoints(self, namespace: str) -> Sequence[ServiceEndpoint]:
        """Every pod is behind the Service fraud."""
        with self.state() as state:
            if "endpointslices" in state["denied"]:
                raise Refused("the cluster forbids it")
            zones = {name: str(one["zone"]) for name, one in state["nodes"].items()}
            return [
                ServiceEndpoint("fraud", pod.name, pod.ready, zones.get(pod.node, ""))
                for pod in fake_pods.pods(state)
            ]

    def list_services(self, namespace: str) -> Sequence[Service]:
        with self.state() as state:
            return [Service("ml", name, selector) for name, selector in sorted(state["services"].items())]

    def list_autoscalers(self, namespace: str | None) -> Sequence[Autoscaler]:
        with self.state() as state:
            if "autoscalers" in state["denied"]:
                raise Refused("the cluster forbids it")
            return tuple(Autoscaler("ml", *autoscaler) for autoscaler in state["autoscalers"])

    def access(
        self, verb: str, resource: str, *, namespace: str, group: str = "", name: str = "",
        subresource: str = "",
    ) -> AccessAnswer:  # fmt: skip
        with self.state() as state:
            full = f"{resource}.{group}" if group else resource
            full += f"/{subresource}" if subresource else ""
            return AccessAnswer(f"{verb} {full}" not in state["denied"], verb, full)

    def get_node(self, name: str) -> Node:
        with self.state() as state:
            self.answer(state)
            found = fake_nodes.node(state, name)
        self.arrive()
        return found

    def get_config_map(self, namespace: str, name: str) -> ConfigMap:
        with self.state() as state:
            self.answer(state)
            found = fake_configs.config(state, namespace, name)
        self.arrive()
        return found

    def list_all_workloads(self, namespace: str | None) -> Sequence[Workload]:
        with self.state() as state:
            return (_workload(state),) if state["exists"] else ()

    def list_nodes(self) -> Sequence[Node]:
        with self.state() as state:
            return fake_nodes.nodes(state)

    def list_pods_on(self, node: str) -> Sequence[Pod]:
        return [pod for pod in self.list_pods(None) if pod.node == node]

    def write_spec(
        self, ref: WorkloadRef, *, uid: str, resource_version: str, spec: Mapping[str, Any],
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Workload:  # fmt: skip
        def land(state: dict[str, Any]) -> Workload:
            _check(state, uid, resource_version)
            merged = {**state["annotations"], **annotations}
            _write(state, spec, {key: value for key, value in merged.items() if value is not None})
            return _workload(state)

        return self.send(land, annotations["maestro.io/change"] or "", dry_run, json.dumps(spec))

    def write_node(
        self, name: str, *, uid: str, resource_version: str, unschedulable: bool,
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Node:  # fmt: skip
        def land(state: dict[str, Any]) -> Node:
            return fake_nodes.write(state, name, uid, resource_version, unschedulable, annotations)

        return self.send(land, annotations["maestro.io/change"] or "", dry_run, "")

    def write_config_map(
        self, namespace: str, name: str, *, uid: str, resource_version: str, data: Mapping[str, str],
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> ConfigMap:  # fmt: skip
        def land(state: dict[str, Any]) -> ConfigMap:
            return fake_configs.write(state, namespace, name, uid, resource_version, data, annotations)

        return self.send(land, annotations["maestro.io/change"] or "", dry_run, json.dumps(data))

    def write_autoscaler(
        self, namespace: str, name: str, *, uid: str, resource_version: str, least: int, most: int,
        cpu: int | None, annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Autoscaler:  # fmt: skip
        def land(state: dict[str, Any]) -> Autoscaler:
            bounds = (least, most, cpu)
            return fake_autoscalers.write(state, name, uid, resource_version, bounds, annotations)

        return self.send(land, annotations["maestro.io/change"] or "", dry_run, "")

    def evict_pod(self, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        def land(state: dict[str, Any]) -> None:
            fake_pods.evict(state, name, uid)

        self.send(land, f"evicted {uid}", dry_run, "")

    def delete_pod(self, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        def land(state: dict[str, Any]) -> None:
            fake_pods.delete(state, name, uid)

        self.send(land, f"deleted {uid}", dry_run, "")

    def send(self, land: Callable[[dict[str, Any]], T], mark: str, dry_run: bool, body: str) -> T:
        """Carry a request, with the next fault; `land` raises StalePlan before it touches the state."""
        if dry_run:
            with self.state() as state:
                done = land(copy.deepcopy(state))
            self.rehearsed.append(mark)
            return done
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "refused":
            raise Refused("the cluster forbids it", why="patch deployments.apps")
        if fault == "repeated":
            raise ActionFailed("the cluster finds it invalid", why=body, fix=body)
        if fault == "lost request":
            raise OutcomeUnknown("no answer came")
        if fault in ("late", "later"):
            request = (land, mark)
            self._late += ["wait", request] if fault == "later" else [request]
            raise OutcomeUnknown("no answer came")
        if fault == "status first":
            self.report_status()
        done = self._land(land, mark)
        if fault == "garbled answer":
            raise Unreachable("does not answer like a cluster")
        if fault == "lost answer, then down":
            self.set(down=1)
        if fault.startswith("lost answer"):
            raise OutcomeUnknown("no answer came")
        return done

    def _land(self, land: Callable[[dict[str, Any]], T], mark: str) -> T:
        with self.state() as state:
            done = land(state)
            state["writes"].append(mark)
            return done

    def answer(self, state: dict[str, Any]) -> None:
        if state["down"] > 0:
            state["down"] -= 1
            raise Unreachable("the cluster does not answer")

    def arrive(self) -> None:
        """What was sent late arrives after a look at the cluster, or after the second."""
        arrived = self._late.pop(0) if self._late else "wait"
        if arrived != "wait":
            with suppress(StalePlan, NotFound):
                self._land(*arrived)


def _check(state: Mapping[str, Any], uid: str, resource_version: str) -> None:
    if uid != state["uid"] or resource_version != str(state["rv"]):
        raise StalePlan("the target changed since it was read")


def _write(state: dict[str, Any], spec: Mapping[str, Any], annotations: Mapping[str, str]) -> None:
    """One write and the deployment controller's answer to it."""
    state["rv"] += 1
    state["generation"] += 1
    state["annotations"] = dict(annotations)
    for part in ("replicas", "paused"):
        state[part] = spec.get(part, state[part])
    if "template" in spec:
        _roll(state, spec["template"], annotations)


def _roll(state: dict[str, Any], pod_template: Mapping[str, Any], annotations: Mapping[str, str]) -> None:
    body = json.loads(json.dumps(pod_template))
    number = max((item["number"] for item in state["revisions"]), default=0) + 1
    same = [item for item in state["revisions"] if item["template"] == body]
    if same:
        same[0]["number"] = number if same[0]["number"] != number - 1 else number - 1
    else:
        state["revisions"].append({"number": number, "template": body, "name": f"fraud-{number}"})
    current = max(state["revisions"], key=lambda item: int(item["number"]))
    current["cause"] = annotations.get("kubernetes.io/change-cause", "")
    state["annotations"]["deployment.kubernetes.io/revision"] = str(current["number"])


def _current(state: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = max(state["revisions"], key=lambda item: int(item["number"]))
    return found


def _broken(state: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    return item["template"]["spec"]["containers"][0]["args"][-1] in state["broken"]


def _workload(state: Mapping[str, Any]) -> Workload:
    wanted, current = state["replicas"], _current(state)
    stuck = state["frozen"] or _broken(state, current)
    return Workload(
        ref=REF, uid=state["uid"], resource_version=str(state["rv"]), generation=state["generation"],
        observed_generation=state["generation"], revision=current["number"], replicas_wanted=wanted,
        replicas=wanted + 1 if stuck else wanted, replicas_updated=1 if stuck else wanted,
        replicas_ready=wanted if state["ready"] is None else state["ready"],
        replicas_available=wanted, paused=state["paused"], selector="app=fraud",
        created_at=LONG_AGO, annotations=dict(state["annotations"]), template=current["template"],
        labels=dict(state["labels"]),
        progress_reason="ProgressDeadlineExceeded" if state["given_up"] and stuck else "",
    )  # fmt: skip


def _revision(item: Mapping[str, Any], state: Mapping[str, Any]) -> Revision:
    live = item is _current(state)
    replicas = state["replicas"] if live else 0
    image = item["template"]["spec"]["containers"][0]["image"]
    return Revision(
        item["number"], item["name"], LONG_AGO, replicas, replicas, (image,), item["cause"], item["template"]
    )
