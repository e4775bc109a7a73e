"""Lists of pods, nodes and workloads, as lines.

Invariant: a list is of one snapshot and complete, or an error; each page becomes lines as it arrives, so that
memory holds lines and never a whole answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from maestro_cli.core.errors import NotFound
from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube import objects
from maestro_cli.sources.kube.api_server import ApiServer, Part
from maestro_cli.sources.kube.facts import ZONE, container_facts, untrusted
from maestro_cli.sources.kube.paths import scoped, segment
from maestro_cli.sources.kube.pod_status import pod_health, pod_status
from maestro_cli.sources.kube.workload_lines import daemon_set_line, deployment_line, stateful_set_line

_ROLE = "node-role.kubernetes.io/"
_SERVE = "--serve"
_APPS = "/apis/apps/v1"
PATIENCE = 3.0  # a server with much to list may be slow, as when it is in trouble
# A tenth of the objects themselves; a server that does not know the form answers with those.
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


class Inventory:
    """What there is in one cluster; methods raise Unreachable, Refused and NotFound."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api

    def pods(
        self, namespace: str | None, zone_of: Callable[[str], str], *, selector: str = "", fields: str = ""
    ) -> list[PodLine]:
        """Pods of a namespace, or of all (None), that match a label and a field selector.

        `zone_of` is asked for the zone of a node only where a pod carries none, as before Kubernetes 1.35.
        """
        path = scoped("/api/v1", namespace, "pods")
        line = partial(pod_line, zone_of=zone_of)
        return self._api.gather(path, objects.PodObject, line, selection(selector, fields), patience=PATIENCE)

    def pod_parts(self, namespace: str | None, zone_of: Callable[[str], str]) -> Iterator[Part[PodLine]]:
        """The same of all of them, as the pages come."""
        path, line = scoped("/api/v1", namespace, "pods"), partial(pod_line, zone_of=zone_of)
        return self._api.parts(path, objects.PodObject, line, patience=PATIENCE)

    def nodes(self, *, selector: str = "", fields: str = "") -> list[NodeLine]:
        """Nodes that match a label and a field selector."""
        return self._api.gather(
            "/api/v1/nodes", objects.NodeObject, node_line, selection(selector, fields), patience=PATIENCE
        )

    def zones(self) -> Mapping[str, str]:
        """The zone of each node that tells one."""
        pairs = self._api.gather("/api/v1/nodes", objects.NodeObject, _zone, accept=METADATA_ONLY)
        return {name: zone for name, zone in pairs if zone}

    def workloads(self, namespace: str | None, *, selector: str = "") -> list[WorkloadLine]:
        """Deployments, and the stateful and daemon sets of a cluster that serves these kinds."""
        chosen = selection(selector, "")

        def deployments() -> Sequence[WorkloadLine]:
            path = scoped(_APPS, namespace, "deployments")
            return self._api.gather(path, objects.Deployment, deployment_line, chosen, patience=PATIENCE)

        def stateful_sets() -> Sequence[WorkloadLine]:
            path = scoped(_APPS, namespace, "statefulsets")
            return self._api.gather(path, objects.StatefulSet, stateful_set_line, chosen, patience=PATIENCE)

        def daemon_sets() -> Sequence[WorkloadLine]:
            path = scoped(_APPS, namespace, "daemonsets")
            return self._api.gather(path, objects.DaemonSet, daemon_set_line, chosen, patience=PATIENCE)

        return [*deployments(), *_served(stateful_sets), *_served(daemon_sets)]

    def has_namespace(self, name: str) -> bool:
        """Whether there is such a namespace."""
        try:
            self._api.get(f"/api/v1/namespaces/{segment(name)}", objects.NodeObject)
        except NotFound:
            return False
        return True

    def namespaces(self) -> list[str]:
        """The names of all namespaces."""
        return self._api.gather("/api/v1/namespaces", objects.NodeObject, _name, accept=METADATA_ONLY)


def _served(lines: Callable[[], Sequence[WorkloadLine]]) -> Sequence[WorkloadLine]:
    try:
        return lines()
    except NotFound:
        return ()


def selection(selector: str, fields: str) -> dict[str, str | int]:
    """The parameters that pick by labels and fields."""
    given = {"labelSelector": selector, "fieldSelector": fields}
    return {key: value for key, value in given.items() if value}


def pod_line(pod: objects.PodObject, zone_of: Callable[[str], str]) -> PodLine:
    """A pod as a line."""
    meta, spec = pod.metadata, pod.spec
    state = pod_status(pod)
    owner, node = meta.controller, spec.node_name or ""
    zone = (meta.labels or {}).get(ZONE) or (zone_of(node) if node else "")
    return PodLine(
        namespace=meta.namespace,
        name=meta.name,
        status=Untrusted(state.text),
        health=pod_health(pod, state),
        containers_ready=state.ready,
        containers_total=state.containers,
        restarts=state.restarts,
        restarted_at=state.restarted_at,
        created_at=objects.utc(meta.creation_timestamp),
        node=node,
        zone=Untrusted(zone),
        ip=pod.status.pod_ip or "",
        owner=Untrusted(f"{owner.kind}/{owner.name}") if owner is not None else "",
        models=tuple(model for one in spec.containers or () for model in _models(one.args)),
        phase=pod.status.phase,
        message=Untrusted(state.message),
        last_exit=state.last_exit,
        uid=meta.uid,
        labels=untrusted(meta.labels),
        containers=container_facts(pod),
    )


def _models(arguments: Sequence[str] | None) -> Sequence[str]:
    """What follows each `--serve`."""
    if not arguments or _SERVE not in arguments:
        return ()
    return [Untrusted(value) for option, value in pairwise(arguments) if option == _SERVE]


def node_line(node: objects.NodeObject) -> NodeLine:
    """A node as a line."""
    meta, status = node.metadata, node.status
    labels = meta.labels or {}
    conditions = status.conditions or []
    ready = next((one for one in conditions if one.type == "Ready"), None)
    is_ready = ready is not None and ready.status == "True"
    pressures = [one.type for one in conditions if one.type != "Ready" and one.status == "True"]
    cordoned = ["SchedulingDisabled"] if node.spec.unschedulable else []
    told = "Ready" if is_ready else "Unknown" if ready is None else "NotReady"
    info, room = status.node_info or objects.NodeInfo(), status.allocatable or {}
    return NodeLine(
        name=meta.name,
        status=Untrusted(",".join([told, *cordoned, *pressures])),
        health="bad" if not is_ready else "warn" if cordoned or pressures else "good",
        roles=tuple(sorted(Untrusted(key.removeprefix(_ROLE)) for key in labels if key.startswith(_ROLE))),
        zone=Untrusted(labels.get(ZONE, "")),
        version=Untrusted(info.kubelet_version),
        created_at=objects.utc(meta.creation_timestamp),
        changed_at=objects.utc(ready.last_transition_time) if ready is not None else None,
        ip=next((Untrusted(one.address) for one in status.addresses or () if one.type == "InternalIP"), ""),
        cpu=Untrusted(room.get("cpu", "")),
        memory=Untrusted(room.get("memory", "")),
        pods=Untrusted(room.get("pods", "")),
        taints=tuple(Untrusted(_taint(one)) for one in node.spec.taints or ()),
        system=Untrusted(info.os_image),
        runtime=Untrusted(info.container_runtime_version),
        message=Untrusted("" if is_ready or ready is None else ready.message or ready.reason or ""),
        uid=meta.uid,
    )


def _taint(taint: objects.Taint) -> str:
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"


def _zone(node: objects.NodeObject) -> tuple[str, str]:
    return node.metadata.name, Untrusted((node.metadata.labels or {}).get(ZONE, ""))


def _name(item: objects.NodeObject) -> str:
    return item.metadata.name
