"""What type each field has that the server itself reads.

Invariant: code behind `check_shape` may index into these fields without asking for their type;
fields that are not listed travel through untouched.

A shape is a type, `{"field": shape}` for an object, `{"*": shape}` for a map, `[shape]` for a list,
INT_OR_TEXT, or ANY.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.local.cluster.status import Object, bad_request

INT_OR_TEXT = (int, str)
QUANTITY = (int, float, str)
ANY: Any = None
MAX_DEPTH = 100

_TEXT_MAP = {"*": str}
METADATA: Object = {
    "name": str, "namespace": str, "generateName": str, "uid": str, "resourceVersion": str,
    "generation": int, "creationTimestamp": str, "deletionTimestamp": str,
    "deletionGracePeriodSeconds": int, "labels": _TEXT_MAP, "annotations": _TEXT_MAP,
    "finalizers": [str], "managedFields": ANY,
    "ownerReferences": [
        {"apiVersion": str, "kind": str, "name": str, "uid": str, "controller": bool,
         "blockOwnerDeletion": bool}
    ],
}  # fmt: skip
SELECTOR: Object = {
    "matchLabels": _TEXT_MAP,
    "matchExpressions": [{"key": str, "operator": str, "values": [str]}],
}
_CONDITIONS = [{"type": str, "status": str, "reason": str, "message": str}]
_HTTP_GET = {"path": str, "port": INT_OR_TEXT, "scheme": str, "host": str}
_PROBE = {
    "httpGet": _HTTP_GET, "tcpSocket": {"port": INT_OR_TEXT}, "exec": {"command": [str]},
    "grpc": {"port": int, "service": str},
    "initialDelaySeconds": int, "timeoutSeconds": int, "periodSeconds": int,
    "successThreshold": int, "failureThreshold": int,
}  # fmt: skip
_CONTAINER = {
    "name": str, "image": str, "command": [str], "args": [str], "workingDir": str,
    "imagePullPolicy": str, "terminationMessagePath": str, "terminationMessagePolicy": str,
    "restartPolicy": str,
    "ports": [{"name": str, "containerPort": int, "protocol": str, "hostPort": int}],
    "env": [{"name": str, "value": str, "valueFrom": {"*": {"*": ANY}}}],
    "resources": {"limits": {"*": QUANTITY}, "requests": {"*": QUANTITY}},
    "volumeMounts": [{"name": str, "mountPath": str}],
    "livenessProbe": _PROBE, "readinessProbe": _PROBE, "startupProbe": _PROBE,
    "lifecycle": {"preStop": {"httpGet": _HTTP_GET}, "postStart": {"httpGet": _HTTP_GET}},
    "securityContext": {},
}  # fmt: skip
_VOLUME = {
    "name": str, "configMap": {}, "secret": {}, "emptyDir": {}, "hostPath": {}, "projected": {},
    "downwardAPI": {},
}  # fmt: skip
_POD_SPEC = {
    "containers": [_CONTAINER], "initContainers": [_CONTAINER], "volumes": [_VOLUME],
    "nodeName": str, "nodeSelector": _TEXT_MAP, "restartPolicy": str, "schedulerName": str,
    "serviceAccountName": str, "serviceAccount": str, "hostNetwork": bool,
    "terminationGracePeriodSeconds": int, "activeDeadlineSeconds": int, "securityContext": {},
    "tolerations": [
        {"key": str, "operator": str, "value": str, "effect": str, "tolerationSeconds": int}
    ],
    "imagePullSecrets": [{"name": str}],
    "readinessGates": [{"conditionType": str}],
}  # fmt: skip
_CONTAINER_STATUS = {
    "name": str, "ready": bool, "restartCount": int, "image": str, "imageID": str,
    "state": {"*": {"reason": str, "exitCode": int, "signal": int, "startedAt": str}},
    "lastState": {"*": {"reason": str, "finishedAt": str}},
}  # fmt: skip
_POD_STATUS = {
    "phase": str, "podIP": str, "podIPs": [{"ip": str}], "reason": str, "conditions": _CONDITIONS,
    "nominatedNodeName": str, "containerStatuses": [_CONTAINER_STATUS],
    "initContainerStatuses": [_CONTAINER_STATUS],
}  # fmt: skip
_TEMPLATE = {"metadata": METADATA, "spec": _POD_SPEC}
_ROLLING = {"maxSurge": INT_OR_TEXT, "maxUnavailable": INT_OR_TEXT}
_PORT = {"name": str, "port": int, "protocol": str}
_REFERENCE = {
    "kind": str, "namespace": str, "name": str, "uid": str, "apiVersion": str,
    "resourceVersion": str, "fieldPath": str,
}  # fmt: skip

POD: Object = {"spec": _POD_SPEC, "status": _POD_STATUS}
DEPLOYMENT: Object = {
    "spec": {
        "replicas": int, "selector": SELECTOR, "template": _TEMPLATE, "minReadySeconds": int,
        "revisionHistoryLimit": int, "progressDeadlineSeconds": int, "paused": bool,
        "strategy": {"type": str, "rollingUpdate": _ROLLING},
    },
    "status": {
        "replicas": int, "readyReplicas": int, "updatedReplicas": int, "availableReplicas": int,
        "unavailableReplicas": int, "observedGeneration": int, "conditions": _CONDITIONS,
    },
}  # fmt: skip
REPLICA_SET: Object = {
    "spec": {"replicas": int, "selector": SELECTOR, "template": _TEMPLATE, "minReadySeconds": int},
    "status": {
        "replicas": int, "readyReplicas": int, "availableReplicas": int, "fullyLabeledReplicas": int,
        "observedGeneration": int, "conditions": _CONDITIONS,
    },
}  # fmt: skip
SERVICE: Object = {
    "spec": {
        "type": str, "clusterIP": str, "clusterIPs": [str], "selector": _TEXT_MAP,
        "externalIPs": [str], "externalName": str, "sessionAffinity": str,
        "ports": [
            {"name": str, "port": int, "targetPort": INT_OR_TEXT, "protocol": str, "nodePort": int}
        ],
    },
    "status": {"loadBalancer": {"ingress": [{"ip": str, "hostname": str}]}},
}  # fmt: skip
NODE: Object = {
    "spec": {
        "unschedulable": bool, "podCIDR": str, "providerID": str,
        "taints": [{"key": str, "value": str, "effect": str, "timeAdded": str}],
    },
    "status": {
        "conditions": _CONDITIONS, "addresses": [{"type": str, "address": str}],
        "capacity": {"*": QUANTITY}, "allocatable": {"*": QUANTITY}, "nodeInfo": _TEXT_MAP | {"swap": ANY},
        "daemonEndpoints": {"kubeletEndpoint": {"Port": int}},
    },
}  # fmt: skip
NAMESPACE: Object = {"spec": {"finalizers": [str]}, "status": {"phase": str}}
CONFIG_MAP: Object = {"data": _TEXT_MAP, "binaryData": _TEXT_MAP, "immutable": bool}
SECRET: Object = {"data": _TEXT_MAP, "stringData": _TEXT_MAP, "type": str, "immutable": bool}
SERVICE_ACCOUNT: Object = {"secrets": [{"name": str}], "imagePullSecrets": [{"name": str}]}
ENDPOINTS: Object = {
    "subsets": [{"addresses": [{"ip": str}], "notReadyAddresses": [{"ip": str}], "ports": [_PORT]}]
}
ENDPOINT_SLICE: Object = {
    "addressType": str,
    "endpoints": [{"addresses": [str], "conditions": {"ready": bool}, "nodeName": str}],
    "ports": [_PORT],
}
EVENT: Object = {
    "involvedObject": _REFERENCE, "reason": str, "message": str, "type": str, "count": int,
    "source": {"component": str, "host": str}, "firstTimestamp": str, "lastTimestamp": str,
    "eventTime": str, "reportingComponent": str, "reportingInstance": str, "action": str,
    "series": {"count": int, "lastObservedTime": str}, "related": _REFERENCE,
}  # fmt: skip
LEASE: Object = {
    "spec": {
        "holderIdentity": str, "leaseDurationSeconds": int, "acquireTime": str, "renewTime": str,
        "leaseTransitions": int,
    }
}  # fmt: skip
DISRUPTION_BUDGET: Object = {
    "spec": {
        "minAvailable": INT_OR_TEXT, "maxUnavailable": INT_OR_TEXT, "selector": SELECTOR,
        "unhealthyPodEvictionPolicy": str,
    },
    "status": {
        "currentHealthy": int, "desiredHealthy": int, "disruptionsAllowed": int, "expectedPods": int,
        "observedGeneration": int, "disruptedPods": _TEXT_MAP, "conditions": _CONDITIONS,
    },
}  # fmt: skip

_JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_WANTED = {dict: "object", list: "array", str: "string", bool: "bool", int: "int32", float: "number"}


def check_shape(kind: str, version: str, obj: Object, shape: Object) -> None:
    """Raise ApiError 400, in the words of the real server, at the first field of the wrong type."""
    fault = _fault(obj, {"apiVersion": str, "kind": str, "metadata": METADATA, **shape}, kind)
    if fault:
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {fault}')


def _fault(value: Any, shape: Any, path: str) -> str:
    if shape is ANY:
        return ""
    wanted: Any = shape if isinstance(shape, (type, tuple)) else type(shape)
    given: Any = value
    if not isinstance(given, wanted) or (isinstance(given, bool) and wanted is not bool):
        goal = " or ".join(_WANTED[one] for one in (wanted if isinstance(wanted, tuple) else (wanted,)))
        told = _JSON_NAMES.get(type(value), "null")
        return f"json: cannot unmarshal {told} into Go struct field {path} of type {goal}"
    if wanted is int and not -(2**63) <= value < 2**63:
        return f"json: cannot unmarshal number {value} into Go struct field {path} of type int64"
    if isinstance(shape, dict):
        each = shape.get("*", ANY)
        inner = ((name, one, shape.get(name, each)) for name, one in value.items())
        return next(filter(None, (_fault(one, kind, f"{path}.{name}") for name, one, kind in inner)), "")
    if isinstance(shape, list):
        return next(filter(None, (_fault(one, shape[0], path) for one in value)), "")
    return ""


def without_nulls(value: Any) -> Any:
    """The same without null members: to a typed server null is an absent field."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    return value


def check_depth(value: Any) -> None:
    """Raise ApiError 400 when objects nest deeper than MAX_DEPTH, so that later walks may recurse."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise bad_request(f"the object nests deeper than {MAX_DEPTH} levels")
