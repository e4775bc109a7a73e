"""A Kubernetes cluster as maestro reads and changes it.

Invariant: a write carries the uid or resourceVersion that the caller planned with, so that a target that
changed since is refused (StalePlan) and never overwritten; `dry_run` sends the same request with
`dryRun=All`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import NotFound, Refused, UsageError
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
from maestro_cli.core.facts.edits import WrittenObjects
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.refs import ObjectRef, WorkloadRef, node_ref
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.http import checked
from maestro_cli.sources.kube import facts, objects
from maestro_cli.sources.kube.access import cluster_access
from maestro_cli.sources.kube.api_server import (
    SYSTEM,
    api_server,
    waiting_container,
)
from maestro_cli.sources.kube.custom import CustomResources
from maestro_cli.sources.kube.describe import Describing
from maestro_cli.sources.kube.edits import list_written
from maestro_cli.sources.kube.entrances import Entrances
from maestro_cli.sources.kube.inventory import Inventory
from maestro_cli.sources.kube.logs import Logs
from maestro_cli.sources.kube.patches import Precondition, patched
from maestro_cli.sources.kube.paths import scoped, segment
from maestro_cli.sources.kube.watches import Watches
from maestro_cli.sources.kube.workloads import Workloads

if TYPE_CHECKING:
    import httpx

    from maestro_cli.sources.kube.kubeconfig import Access

LOG_LIMIT_BYTES = 262_144
_NODES = "/api/v1/nodes"


class _Version(Struct, rename="camel"):
    git_version: str


class _ReviewStatus(Struct):
    allowed: bool = False
    reason: str | None = ""
    evaluation_error: str | None = ""


class _Review(Struct):
    status: _ReviewStatus


class _UserInfo(Struct):
    username: str


class _SelfStatus(Struct, rename="camel"):
    user_info: _UserInfo


class _SelfReview(Struct):
    status: _SelfStatus


class KubeCluster:
    """One cluster, as one user. Methods raise Unreachable, Refused and NotFound besides what they say."""

    def __init__(
        self,
        endpoint: ClusterEndpoint,
        *,
        timeout_seconds: float = 10,
        access: Access | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._access = access if access is not None else cluster_access(endpoint)
        self._api = api_server(self._access, timeout_seconds=timeout_seconds, transport=transport)
        self.inventory = Inventory(self._api)
        self.watches = Watches(self._api)
        self.logs = Logs(self._api, self.inventory, self.watches)
        self.describing = Describing(self._api, self.inventory)
        self.custom = CustomResources(self._api)
        self.entrances = Entrances(self._api)
        self._workloads = Workloads(self._api)

    def close(self) -> None:
        """Close its connections; the source is of no use afterwards."""
        self._api.close()

    @property
    def url(self) -> str:
        """The API server's address."""
        return self._api.url

    @property
    def default_namespace(self) -> str:
        """The namespace of the kubeconfig's context, or ""."""
        return self._access.namespace

    # Reading

    def version(self) -> str:
        """The server's version, such as `v1.37.2`."""
        return self._api.get("/version", _Version).git_version

    def check(self) -> EndpointCheck:
        """Whether it answers; never raises for one that does not."""
        return checked(SYSTEM, self.url, self.version)

    def identity(self) -> str:
        """The user the cluster takes the caller for; where it does not tell, the kubeconfig's user entry."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            return Untrusted(self._api.review(path, body, _SelfReview).status.user_info.username)
        except (NotFound, Refused, UsageError):
            return Untrusted(self._access.user_name)

    def access(
        self, verb: str, resource: str, *, namespace: str, group: str = "", name: str = "",
        subresource: str = "",
    ) -> AccessAnswer:  # fmt: skip
        """Whether this user may do it (SelfSubjectAccessReview)."""
        attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource,
                      "subresource": subresource, "name": name}  # fmt: skip
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        status = self._api.review(path, body, _Review).status
        full = resource + (f".{group}" if group else "") + (f"/{subresource}" if subresource else "")
        why = status.reason or status.evaluation_error or ""
        return AccessAnswer(status.allowed, verb, full, Untrusted(why))

    def get_workload(self, ref: WorkloadRef) -> Workload:
        """The workload now."""
        return self._workloads.get(ref)

    def list_all_workloads(self, namespace: str | None) -> tuple[Workload, ...]:
        """Deployments, StatefulSets and DaemonSets; none of a kind that the cluster does not know."""
        return self._workloads.list_all(namespace)

    def list_readable_workloads(self, namespace: str | None) -> tuple[Workload, ...]:
        """The same, without the sets of a kind that the caller may not list."""
        return self._workloads.list_readable(namespace)

    def list_revisions(self, ref: WorkloadRef) -> tuple[Revision, ...]:
        """The templates that the cluster keeps of this workload, oldest revision first."""
        return self._workloads.revisions(ref)

    def list_pods(self, namespace: str | None, *, selector: str = "") -> tuple[Pod, ...]:
        """Pods that match a label selector, of a namespace or of all (None), by name."""
        params = {"labelSelector": selector} if selector else None
        found = self._api.items(scoped("/api/v1", namespace, "pods"), objects.PodObject, params)
        return tuple(map(facts.pod_facts, sorted(found, key=_name)))

    def get_pod(self, namespace: str, name: str) -> Pod:
        """The pod now."""
        return facts.pod_facts(self._api.get(_pod_path(namespace, name), objects.PodObject))

    def list_pods_on(self, node: str) -> tuple[Pod, ...]:
        """Pods of all namespaces that are bound to a node, by namespace and name."""
        params = {"fieldSelector": f"spec.nodeName={node}"}
        found = self._api.items(scoped("/api/v1", None, "pods"), objects.PlacedPod, params)
        return tuple(map(facts.placed_pod_facts, sorted(found, key=_name)))

    def get_node(self, name: str) -> Node:
        """The node now."""
        return facts.node_facts(self._api.get(_node_path(name), objects.NodeObject))

    def get_config_map(self, namespace: str, name: str) -> ConfigMap:
        """The ConfigMap now."""
        return facts.config_map_facts(self._api.get(_config_path(namespace, name), objects.ConfigMapObject))

    def list_written(self, namespace: str) -> WrittenObjects:
        """Who wrote the configuration of a namespace when; what cannot be listed is told, not raised."""
        return list_written(self._api, namespace)

    def secret_keys(self, namespace: str, name: str) -> tuple[str, ...]:
        """The keys of a Secret, in order; its values are not kept."""
        path = f"{scoped('/api/v1', namespace, 'secrets')}/{segment(name)}"
        return tuple(map(Untrusted, sorted(self._api.get(path, objects.SecretObject).data or {})))

    def list_nodes(self) -> tuple[Node, ...]:
        """Every node, by name."""
        found = self._api.items(_NODES, objects.NodeObject)
        return tuple(map(facts.node_facts, sorted(found, key=_name)))

    def list_events(
        self, namespace: str | None, *, since: datetime | None = None
    ) -> tuple[ClusterEvent, ...]:
        """Events last seen at or after that instant, oldest first."""
        found = self._api.items(scoped("/api/v1", namespace, "events"), objects.EventObject)
        events = sorted(map(facts.event_facts, found), key=lambda event: (event.last_seen_at, event.name))
        return tuple(event for event in events if since is None or event.last_seen_at >= since)

    def list_warnings(self, namespace: str | None) -> tuple[ClusterEvent, ...]:
        """The events of type Warning, of a namespace or of all (None), oldest first."""
        path = scoped("/api/v1", namespace, "events")
        found = self._api.items(path, objects.EventObject, {"fieldSelector": "type=Warning"})
        return tuple(sorted(map(facts.event_facts, found), key=lambda one: (one.last_seen_at, one.name)))

    def list_disruption_budgets(self, namespace: str | None) -> tuple[DisruptionBudget, ...]:
        """Disruption budgets of a namespace, or of all (None), by name."""
        path = scoped("/apis/policy/v1", namespace, "poddisruptionbudgets")
        found = self._api.items(path, objects.BudgetObject)
        return tuple(map(facts.budget_facts, sorted(found, key=_name)))

    def list_endpoints(self, namespace: str) -> tuple[ServiceEndpoint, ...]:
        """The pods behind the Services of a namespace, by Service and pod."""
        path = scoped("/apis/discovery.k8s.io/v1", namespace, "endpointslices")
        found = self._api.items(path, objects.SliceObject)
        return tuple(sorted({one for item in found for one in facts.endpoint_facts(item)}))

    def list_services(self, namespace: str) -> tuple[Service, ...]:
        """The Services of a namespace, by name."""
        found = self._api.items(scoped("/api/v1", namespace, "services"), objects.ServiceObject)
        return tuple(map(facts.service_facts, sorted(found, key=_name)))

    def list_autoscalers(self, namespace: str | None) -> tuple[Autoscaler, ...]:
        """What sets replicas by itself, by name; none where the cluster does not serve autoscaling/v2."""
        path = scoped("/apis/autoscaling/v2", namespace, "horizontalpodautoscalers")
        try:
            found = self._api.items(path, objects.AutoscalerObject)
        except NotFound:
            return ()
        return tuple(map(facts.autoscaler_facts, sorted(found, key=_name)))

    def get_autoscaler(self, namespace: str, name: str) -> Autoscaler:
        """The autoscaler now."""
        found = self._api.get(_autoscaler_path(namespace, name), objects.AutoscalerObject)
        return facts.autoscaler_facts(found)

    def pod_log(
        self, namespace: str, pod: str, *, container: str | None = None, since_seconds: int | None = None,
        tail_lines: int | None = None, previous: bool = False, limit_bytes: int = LOG_LIMIT_BYTES,
    ) -> str:  # fmt: skip
        """The log text, cut at `limit_bytes`; raises NoData when the container has none yet."""
        given: dict[str, str | int | None] = {
            "container": container,
            "sinceSeconds": since_seconds,
            "tailLines": tail_lines,
            "previous": "true" if previous else None,
            "limitBytes": limit_bytes,
        }
        params = {key: value for key, value in given.items() if value is not None}
        path = f"{_pod_path(namespace, pod)}/log"
        try:
            return Untrusted(self._api.text(path, params, limit_bytes))
        except UsageError as error:
            raise waiting_container(error) from error

    def get_object(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """Any object or list as plain JSON, by its REST path."""
        return self._api.get(path, dict[str, Any], params)

    # Changing

    def replace_template(
        self, ref: WorkloadRef, *, uid: str, resource_version: str, template: Mapping[str, Any],
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Workload:  # fmt: skip
        """Give a workload another pod template, as `kubectl rollout undo` does; raises as `write_spec`."""
        return self.write_spec(
            ref, uid=uid, resource_version=resource_version, spec={"template": template},
            annotations=annotations, dry_run=dry_run,
        )  # fmt: skip

    def write_spec(
        self, ref: WorkloadRef, *, uid: str, resource_version: str, spec: Mapping[str, Any],
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Workload:  # fmt: skip
        """Replace these parts of a workload's spec (template, replicas, paused), in one JSON patch.

        `annotations` are set, or removed when None; all others stay. Raises StalePlan when uid or
        resourceVersion are no longer these, InvalidObject when the cluster finds the spec invalid.
        """
        return self._workloads.write_spec(
            ref, uid=uid, resource_version=resource_version, spec=spec, annotations=annotations,
            dry_run=dry_run,
        )  # fmt: skip

    def write_node(
        self, name: str, *, uid: str, resource_version: str, unschedulable: bool,
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Node:  # fmt: skip
        """Close a node to new pods, or open it, in one JSON patch; raises as `write_spec`."""
        expected = Precondition(node_ref(name), uid, resource_version)
        parts = {"unschedulable": unschedulable}
        path, kind = _node_path(name), objects.NodeObject
        done = patched(self._api, path, expected, parts, annotations, kind, dry_run=dry_run)
        return facts.node_facts(done)

    def write_config_map(
        self, namespace: str, name: str, *, uid: str, resource_version: str, data: Mapping[str, str],
        annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> ConfigMap:  # fmt: skip
        """Replace all the text of a ConfigMap, in one JSON patch; raises as `write_spec`."""
        expected = Precondition(ObjectRef("ConfigMap", namespace, name), uid, resource_version)
        path, kind = _config_path(namespace, name), objects.ConfigMapObject
        parts = {"data": dict(data)}
        done = patched(self._api, path, expected, parts, annotations, kind, dry_run=dry_run, within="/")
        return facts.config_map_facts(done)

    def write_autoscaler(
        self, namespace: str, name: str, *, uid: str, resource_version: str, least: int, most: int,
        cpu: int | None, annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Autoscaler:  # fmt: skip
        """Move an autoscaler's bounds and its CPU target, in one JSON patch; raises as `write_spec`."""
        expected = Precondition(ObjectRef("HorizontalPodAutoscaler", namespace, name), uid, resource_version)
        path, kind = _autoscaler_path(namespace, name), objects.AutoscalerObject
        parts: dict[str, Any] = {"minReplicas": least, "maxReplicas": most}
        now = self._api.get(path, kind)
        if cpu is not None and facts.autoscaler_facts(now).cpu_target != cpu:
            parts["metrics"] = facts.with_cpu_target(now.spec.metrics or [], cpu)
        done = patched(self._api, path, expected, parts, annotations, kind, dry_run=dry_run)
        return facts.autoscaler_facts(done)

    def create_object(self, path: str, body: Mapping[str, Any]) -> None:
        """Create an object in the collection at this REST path; raises GateNotMet when it is there."""
        self._api.create(path, body, dict[str, Any], dry_run=False)

    def merge_object(self, path: str, patch: Mapping[str, Any]) -> None:
        """Change an object by a JSON merge patch, whatever it is by now."""
        self._api.patch(path, "application/merge-patch+json", patch, dict[str, Any], dry_run=False)

    def delete_object(self, path: str) -> None:
        """Delete an object, and in the background what it owns. Raises NotFound."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        self._api.delete(path, options, dict[str, Any], dry_run=False)

    def evict_pod(self, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        """Evict the pod of that uid; raises GateNotMet when its budget does not allow it, StalePlan."""
        options = {"preconditions": {"uid": uid}}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "deleteOptions": options,
                "metadata": {"name": name, "namespace": namespace}}  # fmt: skip
        path = f"{_pod_path(namespace, name)}/eviction"
        self._api.create(path, body, dict[str, Any], dry_run=dry_run)

    def delete_pod(self, namespace: str, name: str, *, uid: str, dry_run: bool = False) -> None:
        """Delete the pod of that uid, whatever its budget says; raises StalePlan."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        self._api.delete(_pod_path(namespace, name), options, dict[str, Any], dry_run=dry_run)


def _pod_path(namespace: str, name: str) -> str:
    return f"{scoped('/api/v1', namespace, 'pods')}/{segment(name)}"


def _config_path(namespace: str, name: str) -> str:
    return f"{scoped('/api/v1', namespace, 'configmaps')}/{segment(name)}"


def _autoscaler_path(namespace: str, name: str) -> str:
    path = scoped("/apis/autoscaling/v2", namespace, "horizontalpodautoscalers")
    return f"{path}/{segment(name)}"


def _node_path(name: str) -> str:
    return f"{_NODES}/{segment(name)}"


def _name(item: Any) -> tuple[str, str]:
    return item.metadata.namespace, item.metadata.name
