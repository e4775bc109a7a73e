"""The values a real API server fills in.

Invariant: filling in is idempotent and the same on every write, so that a template that was stored
once compares equal to itself when it is sent again.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Callable
from typing import Any

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.cluster.status import ApiError, Names, Object, invalid, invalid_value

Default = Callable[[Object], None]
Others = Callable[[], list[Object]]
_MODE = 0o644
_TOLERATED_SECONDS = 300


def default_nothing(obj: Object) -> None:
    """For kinds whose fields have no defaults."""


def _fill(target: Object, **values: Any) -> None:
    for name, value in values.items():
        if name not in target:
            target[name] = value


def _default_probe(probe: Object) -> None:
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    _default_http(probe)


def _default_http(handler: Object) -> None:
    if "httpGet" in handler:
        _fill(handler["httpGet"], path="/", scheme="HTTP")


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    pinned = "@" in image or tag not in ("", "latest")
    return "IfNotPresent" if pinned else "Always"


def _default_container(container: Object) -> None:
    _fill(
        container,
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=_pull_policy(container.get("image", "")),
    )
    for port in container.get("ports", []):
        _fill(port, protocol="TCP")
    for variable in container.get("env", []):
        reference = variable.get("valueFrom", {}).get("fieldRef")
        if reference is not None:
            _fill(reference, apiVersion="v1")
    limits = container["resources"].get("limits")
    if limits:
        requests = container["resources"].setdefault("requests", {})
        _fill(requests, **limits)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            _default_probe(container[probe])
    for handler in container.get("lifecycle", {}).values():
        _default_http(handler)


def _default_volume(volume: Object) -> None:
    if volume.keys() <= {"name"}:
        volume["emptyDir"] = {}
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            _fill(volume[source], defaultMode=_MODE)
    if "hostPath" in volume:
        _fill(volume["hostPath"], type="")


def _default_pod_spec(spec: Object) -> None:
    _fill(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        _default_container(container)
    for volume in spec.get("volumes", []):
        _default_volume(volume)
    if spec.get("serviceAccountName"):
        _fill(spec, serviceAccount=spec["serviceAccountName"])


def default_pod(pod: Object) -> None:
    spec = pod.setdefault("spec", {})
    _default_pod_spec(spec)
    _fill(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)
    _fill(spec, serviceAccountName="default")
    _fill(spec, serviceAccount=spec["serviceAccountName"])


def begin_pod(pod: Object) -> None:
    """What admission adds to a new pod: its first status and the tolerations of a lost node."""
    spec = pod["spec"]
    tolerations = spec.setdefault("tolerations", [])
    for taint in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(one.get("key", taint) == taint for one in tolerations):
            tolerations.append(
                {
                    "key": taint,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": _TOLERATED_SECONDS,
                }
            )
    pod["status"] = {"phase": "Pending"}


def complete_pod(pod: Object, others: Others) -> None:
    pod["status"]["qosClass"] = quality_of_service(pod["spec"])


def quality_of_service(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort (k8s pkg/apis/core/helper/qos); the quantities must be valid."""
    resources = [one["resources"] for one in [*spec.get("containers", []), *spec.get("initContainers", [])]]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    for one in resources:
        limits, requests = one.get("limits") or {}, one.get("requests") or {}
        for name in ("cpu", "memory"):
            if name not in limits or parse_quantity(limits[name]) != parse_quantity(
                requests.get(name, limits[name])
            ):
                return "Burstable"
    return "Guaranteed"


def _default_template(spec: Object) -> None:
    template = spec.setdefault("template", {})
    _default_pod_spec(template.setdefault("spec", {}))
    template.setdefault("metadata", {}).pop("creationTimestamp", None)


def default_deployment(deployment: Object) -> None:
    spec = deployment.setdefault("spec", {})
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, rollingUpdate={})
        _fill(strategy["rollingUpdate"], maxSurge="25%", maxUnavailable="25%")
    _default_template(spec)


def default_replica_set(replica_set: Object) -> None:
    spec = replica_set.setdefault("spec", {})
    _fill(spec, replicas=1)
    _default_template(spec)
    if "selector" not in spec and spec["template"]["metadata"].get("labels"):
        spec["selector"] = {"matchLabels": dict(spec["template"]["metadata"]["labels"])}


def begin_replicas(obj: Object) -> None:
    obj["status"] = {"replicas": 0}


def begin_deployment(deployment: Object) -> None:
    deployment["status"] = {}


def default_job(job: Object) -> None:
    spec = job.setdefault("spec", {})
    _fill(spec, parallelism=1, **({} if "parallelism" in spec else {"completions": 1}))
    _fill(
        spec,
        backoffLimit=6,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="TerminatingOrFailed",
    )
    _default_template(spec)


def begin_job(job: Object) -> None:
    """What tells the pods of a job from those of any other, unless the user says so himself."""
    job["status"] = {}
    spec, metadata = job["spec"], job["metadata"]
    if not spec["manualSelector"]:
        labels = spec["template"]["metadata"].setdefault("labels", {})
        for prefix in ("", "batch.kubernetes.io/"):
            labels[f"{prefix}controller-uid"] = metadata["uid"]
            labels[f"{prefix}job-name"] = metadata.get("name", "")
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": metadata["uid"]}}


def default_service(service: Object) -> None:
    spec = service.setdefault("spec", {})
    _fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        _fill(
            spec,
            internalTrafficPolicy="Cluster",
            ipFamilies=["IPv4"],
            ipFamilyPolicy="SingleStack",
        )
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
    for port in spec.get("ports", []):
        _fill(port, protocol="TCP", targetPort=port.get("port", 0))


def complete_nothing(obj: Object, others: Others) -> None:
    """For kinds of which a valid object needs nothing more."""


def complete_service(service: Object, others: Others) -> None:
    """Give a new Service a cluster address no other has.

    Raises ApiError 500 when none is left, 422 when another has the one that it names.
    """
    spec = service["spec"]
    if spec["type"] == "ExternalName":
        return
    taken = {other["spec"].get("clusterIP") for other in others()} - {"None"}
    if spec.get("clusterIP") in taken:
        why = f"failed to allocate IP {spec['clusterIP']}: provided IP is already allocated"
        problem = invalid_value("spec.clusterIPs", [spec["clusterIP"]], why)
        raise invalid(Names("", "services", "Service"), service["metadata"]["name"], [problem])
    if not spec.get("clusterIP"):
        free = (f"10.96.{high}.{low}" for high in range(256) for low in range(10, 255))
        spec["clusterIP"] = next((address for address in free if address not in taken), "")
        if not spec["clusterIP"]:
            raise ApiError(500, "InternalError", "failed to allocate a serviceIP: range is full")
    spec["clusterIPs"] = [spec["clusterIP"]]


def begin_service(service: Object) -> None:
    service["status"] = {"loadBalancer": {}}


def default_namespace(namespace: Object) -> None:
    labels = namespace["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = namespace["metadata"].get("name", "")
    _fill(namespace, spec={}, status={})
    _fill(namespace["spec"], finalizers=["kubernetes"])
    _fill(namespace["status"], phase="Active")


def default_node(node: Object) -> None:
    _fill(node, spec={}, status={})
    status = node["status"]
    if "capacity" in status:
        _fill(status, allocatable=dict(status["capacity"]))


def default_secret(secret: Object) -> None:
    _fill(secret, type="Opaque")
    written = secret.pop("stringData", None)
    if written:
        data = secret.setdefault("data", {})
        data.update({name: base64.b64encode(text.encode()).decode() for name, text in written.items()})


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def default_endpoints(endpoints: Object) -> None:
    for subset in endpoints.get("subsets", []):
        for port in subset.get("ports", []):
            _fill(port, protocol="TCP")


def default_endpoint_slice(endpoint_slice: Object) -> None:
    for port in endpoint_slice.get("ports", []):
        _fill(port, name="", protocol="TCP")
    _fill(endpoint_slice, endpoints=[])


def begin_disruption_budget(budget: Object) -> None:
    budget["status"] = {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    }


_CPU_TARGET = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
_DOUBLE = {"type": "Percent", "value": 100, "periodSeconds": 15}
_SCALING: dict[str, Object] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, _DOUBLE],
    },
    "scaleDown": {"selectPolicy": "Max", "policies": [_DOUBLE]},
}


def default_autoscaler(autoscaler: Object) -> None:
    spec = autoscaler.setdefault("spec", {})
    _fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        spec["metrics"] = [{"type": "Resource", "resource": copy.deepcopy(_CPU_TARGET)}]
    if "behavior" in spec:
        for direction, rules in _SCALING.items():
            _fill(spec["behavior"].setdefault(direction, {}), **copy.deepcopy(rules))


def begin_autoscaler(autoscaler: Object) -> None:
    autoscaler["status"] = {"desiredReplicas": 0}


def default_network_policy(policy: Object) -> None:
    spec = policy.setdefault("spec", {})
    for field in ("ingress", "egress"):  # as Go's `omitempty` does
        if not spec.get(field, True):
            del spec[field]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        for port in rule.get("ports", []):
            _fill(port, protocol="TCP")


_EVENT_V1 = {
    "note": "message",
    "regarding": "involvedObject",
    "deprecatedSource": "source",
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "reportingController": "reportingComponent",
}
_EVENT_CORE = {core: new for new, core in _EVENT_V1.items()}


def event_from_v1(event: Object) -> Object:
    """An events.k8s.io/v1 Event as the core/v1 Event it is stored as."""
    return {_EVENT_V1.get(name, name): value for name, value in event.items()} | {"apiVersion": "v1"}


def event_to_v1(event: Object) -> Object:
    """A stored core/v1 Event as events.k8s.io/v1 shows it."""
    shown = {_EVENT_CORE.get(name, name): value for name, value in event.items()}
    return shown | {"apiVersion": "events.k8s.io/v1"}
