"""The table of kinds: everything that is special about one.

Invariant: adding a kind is adding a row; nothing outside this table and the functions it names asks
which kind it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maestro_cli.local.cluster import autoscaler_columns, columns, pod_columns, shapes, workloads
from maestro_cli.local.cluster import defaults as fill
from maestro_cli.local.cluster import validation as rules
from maestro_cli.local.cluster.columns import Column
from maestro_cli.local.cluster.status import Names, Object, Problem

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_FIELDS = frozenset({"metadata.name", "metadata.namespace"})


def _same(obj: Object) -> Object:
    return obj


def no_grace(obj: Object, asked_seconds: int | None) -> int:
    """Objects that are just records go at once."""
    return 0


def pod_grace(pod: Object, asked_seconds: int | None) -> int:
    """Seconds a pod is given to stop; none when no kubelet holds it or it has ended."""
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if ended or not pod["spec"].get("nodeName"):
        return 0
    if asked_seconds is None:
        return int(pod["spec"].get("terminationGracePeriodSeconds", 30))
    return asked_seconds if asked_seconds >= 0 else 1


@dataclass(frozen=True, slots=True)
class Subresource:
    """One more path under an object, answered by the handler of the same name."""

    name: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""
    kind: str = ""


STATUS = Subresource("status", ("get", "patch", "update"))
SCALE = Subresource("scale", ("get", "patch", "update"), "autoscaling", "v1", "Scale")


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. `default` runs on every write; on create `begin` follows and, once the object is
    valid, `complete`.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    generation: bool = False
    fields: frozenset[str] = _FIELDS
    default: Callable[[Object], None] = fill.default_nothing
    begin: Callable[[Object], None] = fill.default_nothing
    complete: Callable[[Object, fill.Others], None] = fill.complete_nothing
    name_fault: Callable[[str], str] = rules.subdomain_name
    check: Callable[[Object], list[Problem]] = rules.accept
    check_change: Callable[[Object, Object], list[Problem]] = rules.accept_change
    grace: Callable[[Object, int | None], int] = no_grace
    columns: tuple[Column, ...] = columns.PLAIN
    verbs: tuple[str, ...] = VERBS
    unconditional_update: bool = True  # whether a PUT need not say which version it replaces
    lives_seconds: float = 0  # after it was last written; 0 is for ever
    stored_as: str = ""
    message_name: str = ""
    inward: Callable[[Object], Object] = _same
    outward: Callable[[Object], Object] = _same

    @property
    def message(self) -> str:
        """The name of its message in `shapes`."""
        return self.message_name or self.kind

    @property
    def names(self) -> Names:
        return Names(self.group, self.plural, self.kind)

    @property
    def shelf(self) -> str:
        """The name of its objects in the store; two versions of one kind share it."""
        return self.stored_as or self.names.resource

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def has_status(self) -> bool:
        return STATUS in self.subresources

    def subresource(self, name: str) -> Subresource | None:
        return next((one for one in self.subresources if one.name == name), None)


def _fields(*more: str) -> frozenset[str]:
    return _FIELDS | frozenset(more)


FIELD_DEFAULTS = {
    "spec.unschedulable": "false",
    "spec.hostNetwork": "false",
    "spec.schedulerName": "default-scheduler",
    "status.succeeded": "0",
}
# Where the value of a field selector is that is called otherwise.
FIELD_PATHS = {"status.successful": "status.succeeded"}
_EVENT_FIELDS = _fields(
    *(f"involvedObject.{part}" for part in shapes.MESSAGES["ObjectReference"]),
    "reason", "reportingComponent", "source", "type",
)  # fmt: skip
_POD_FIELDS = _fields(
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
    "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName",
)  # fmt: skip

KINDS: tuple[Kind, ...] = (
    Kind(
        "", "v1", "Namespace", "namespaces", namespaced=False, short_names=("ns",),
        subresources=(STATUS, Subresource("finalize", ("update",))), fields=_fields("status.phase"),
        default=fill.default_namespace, name_fault=rules.label_name,
        columns=columns.NAMESPACE,
    ),
    Kind(
        "", "v1", "Node", "nodes", namespaced=False, short_names=("no",), subresources=(STATUS,),
        fields=_fields("spec.unschedulable"), default=fill.default_node,
        columns=columns.NODE,
    ),
    Kind(
        "", "v1", "Pod", "pods", short_names=("po",), categories=("all",), generation=True,
        subresources=(
            STATUS,
            Subresource("binding", ("create",), "", "v1", "Binding"),
            Subresource("eviction", ("create",), "policy", "v1", "Eviction"),
            Subresource("log", ("get",)),
        ),
        fields=_POD_FIELDS, default=fill.default_pod, begin=fill.begin_pod, complete=fill.complete_pod,
        check=workloads.check_pod, check_change=workloads.check_pod_change, grace=pod_grace,
        columns=pod_columns.POD,
    ),
    Kind(
        "", "v1", "Service", "services", short_names=("svc",), categories=("all",),
        subresources=(STATUS,), fields=_fields("spec.clusterIP", "spec.type"),
        default=fill.default_service, begin=fill.begin_service, complete=fill.complete_service,
        name_fault=rules.service_name,
        check=rules.check_service, check_change=rules.check_service_change, columns=columns.SERVICE,
    ),
    Kind(
        "", "v1", "Endpoints", "endpoints", short_names=("ep",),
        default=fill.default_endpoints, columns=columns.ENDPOINTS,
    ),
    Kind(
        "", "v1", "Event", "events", short_names=("ev",), lives_seconds=3600, fields=_EVENT_FIELDS,
        check=rules.check_event, columns=columns.EVENT,
    ),
    Kind(
        "events.k8s.io", "v1", "Event", "events", short_names=("ev",), fields=_EVENT_FIELDS,
        check=rules.check_event, columns=columns.EVENT, stored_as="events",
        message_name="events.Event",
        inward=fill.event_from_v1, outward=fill.event_to_v1,
    ),
    Kind(
        "", "v1", "ConfigMap", "configmaps", short_names=("cm",),
        check=rules.check_data, check_change=rules.check_data_change, columns=columns.CONFIG_MAP,
    ),
    Kind(
        "", "v1", "Secret", "secrets", fields=_fields("type"),
        default=fill.default_secret, check=rules.check_secret, check_change=rules.check_data_change,
        columns=columns.SECRET,
    ),
    Kind(
        "", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",), columns=columns.SERVICE_ACCOUNT,
    ),
    Kind(
        "apps", "v1", "Deployment", "deployments", short_names=("deploy",), categories=("all",),
        subresources=(STATUS, SCALE), generation=True,
        default=fill.default_deployment, begin=fill.begin_deployment, check=workloads.check_deployment,
        check_change=workloads.check_selector_change, columns=columns.DEPLOYMENT,
    ),
    Kind(
        "apps", "v1", "ReplicaSet", "replicasets", short_names=("rs",), categories=("all",),
        subresources=(STATUS, SCALE), generation=True, fields=_fields("status.replicas"),
        default=fill.default_replica_set, begin=fill.begin_replicas,
        check=workloads.check_replica_set, check_change=workloads.check_selector_change,
        columns=columns.REPLICA_SET,
    ),
    Kind(
        "batch", "v1", "Job", "jobs", categories=("all",), subresources=(STATUS,), generation=True,
        fields=_fields("status.successful"), default=fill.default_job, begin=fill.begin_job,
        check=workloads.check_job, check_change=workloads.check_job_change, columns=columns.JOB,
    ),
    Kind(
        "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short_names=("pdb",),
        subresources=(STATUS,), generation=True,
        begin=fill.begin_disruption_budget, check=rules.check_disruption_budget,
        columns=columns.DISRUPTION_BUDGET, unconditional_update=False,
    ),
    Kind(
        "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", short_names=("hpa",),
        categories=("all",), subresources=(STATUS,),
        default=fill.default_autoscaler, begin=fill.begin_autoscaler, check=rules.check_autoscaler,
        columns=autoscaler_columns.AUTOSCALER,
    ),
    Kind(
        "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short_names=("netpol",),
        generation=True, default=fill.default_network_policy, check=rules.check_network_policy,
        columns=columns.NETWORK_POLICY,
    ),
    Kind(
        "monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors", short_names=("smon",),
        categories=("prometheus-operator",),
        subresources=(STATUS,), generation=True, check=rules.check_service_monitor,
        columns=columns.EXTENSION,
    ),
    Kind(
        "coordination.k8s.io", "v1", "Lease", "leases", check=rules.check_lease,
        columns=columns.LEASE, unconditional_update=False,
    ),
    Kind(
        "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", generation=True,
        default=fill.default_endpoint_slice,
        check=rules.check_endpoint_slice, columns=columns.ENDPOINT_SLICE,
    ),
)  # fmt: skip

# Questions, which are answered and never stored.
REVIEWS: tuple[Kind, ...] = tuple(
    Kind(group, "v1", kind, f"{kind.lower()}s", namespaced=False, verbs=("create",))
    for group, kind in (
        ("authorization.k8s.io", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authentication.k8s.io", "SelfSubjectReview"),
    )
)
BY_PATH: dict[tuple[str, str, str], Kind] = {(one.group, one.version, one.plural): one for one in KINDS}
NAMESPACES, NODES, PODS = (BY_PATH["", "v1", plural] for plural in ("namespaces", "nodes", "pods"))
BUDGETS = BY_PATH["policy", "v1", "poddisruptionbudgets"]
