"""Protobuf request bodies, which stock kubectl sends for `create <generator>` and `auth can-i`.

Invariant: a field is known or the whole body is refused (415); nothing is dropped but empty values.
Field numbers are those of k8s.io/api/**/generated.proto. Answers are always JSON.

A field is `name:type`: `s` text, `y` bytes (base64 in JSON), `i` number, `z` number that 0 leaves out,
`b` bool likewise, `q` IntOrString, `-` ignored, `m` map of text, `n` map of bytes, else a message;
`*` before the type repeats it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from maestro_cli.local.cluster.status import ApiError, Object, bad_request, unsupported_media

_MAGIC = b"k8s\0"
_PROTOBUF = "application/vnd.kubernetes.protobuf"

_FIELDS: dict[str, dict[int, str]] = {
    "Unknown": {1: "type:TypeMeta", 2: "raw:raw", 3: "contentEncoding:s", 4: "contentType:s"},
    "TypeMeta": {1: "apiVersion:s", 2: "kind:s"},
    "ObjectMeta": {
        1: "name:s", 2: "generateName:s", 3: "namespace:s", 4: "selfLink:-", 5: "uid:s",
        6: "resourceVersion:s", 7: "generation:-", 8: "creationTimestamp:-", 11: "labels:m",
        12: "annotations:m", 14: "finalizers:*s", 17: "managedFields:-",
    },
    "LabelSelector": {1: "matchLabels:m", 2: "matchExpressions:*LabelSelectorRequirement"},
    "LabelSelectorRequirement": {1: "key:s", 2: "operator:s", 3: "values:*s"},
    "Namespace": {1: "metadata:ObjectMeta", 2: "spec:NamespaceSpec", 3: "status:-"},
    "NamespaceSpec": {1: "finalizers:*s"},
    "ConfigMap": {1: "metadata:ObjectMeta", 2: "data:m", 3: "binaryData:n", 4: "immutable:b"},
    "Secret": {1: "metadata:ObjectMeta", 2: "data:n", 3: "type:s", 4: "stringData:m", 5: "immutable:b"},
    "ServiceAccount": {1: "metadata:ObjectMeta"},
    "Service": {1: "metadata:ObjectMeta", 2: "spec:ServiceSpec", 3: "status:-"},
    "ServiceSpec": {
        1: "ports:*ServicePort", 2: "selector:m", 3: "clusterIP:s", 4: "type:s", 5: "externalIPs:*s",
        7: "sessionAffinity:s", 8: "loadBalancerIP:s", 10: "externalName:s",
        11: "externalTrafficPolicy:s", 12: "healthCheckNodePort:z", 13: "publishNotReadyAddresses:b",
    },
    "ServicePort": {1: "name:s", 2: "protocol:s", 3: "port:i", 4: "targetPort:q", 5: "nodePort:z"},
    "PodDisruptionBudget": {
        1: "metadata:ObjectMeta", 2: "spec:PodDisruptionBudgetSpec", 3: "status:-",
    },
    "PodDisruptionBudgetSpec": {
        1: "minAvailable:q", 2: "selector:LabelSelector", 3: "maxUnavailable:q",
        4: "unhealthyPodEvictionPolicy:s",
    },
    "HorizontalPodAutoscaler": {
        1: "metadata:ObjectMeta", 2: "spec:HorizontalPodAutoscalerSpec", 3: "status:-",
    },
    "HorizontalPodAutoscalerSpec": {
        1: "scaleTargetRef:CrossVersionObjectReference", 2: "minReplicas:i", 3: "maxReplicas:i",
        4: "metrics:*MetricSpec",
    },
    "CrossVersionObjectReference": {1: "kind:s", 2: "name:s", 3: "apiVersion:s"},
    "MetricSpec": {1: "type:s", 4: "resource:ResourceMetricSource"},
    "ResourceMetricSource": {1: "name:s", 2: "target:MetricTarget"},
    "MetricTarget": {1: "type:s", 4: "averageUtilization:i"},
    "Deployment": {1: "metadata:ObjectMeta", 2: "spec:DeploymentSpec", 3: "status:-"},
    "DeploymentSpec": {
        1: "replicas:i", 2: "selector:LabelSelector", 3: "template:PodTemplateSpec",
        4: "strategy:DeploymentStrategy", 5: "minReadySeconds:z", 6: "revisionHistoryLimit:i",
        7: "paused:b", 9: "progressDeadlineSeconds:i",
    },
    "DeploymentStrategy": {1: "type:s"},
    "Job": {1: "metadata:ObjectMeta", 2: "spec:JobSpec", 3: "status:-"},
    "JobSpec": {
        1: "parallelism:i", 2: "completions:i", 3: "activeDeadlineSeconds:i", 4: "selector:LabelSelector",
        5: "manualSelector:b", 6: "template:PodTemplateSpec", 7: "backoffLimit:i",
        8: "ttlSecondsAfterFinished:i", 9: "completionMode:s", 10: "suspend:b",
    },
    "PodTemplateSpec": {1: "metadata:ObjectMeta", 2: "spec:PodSpec"},
    "PodSpec": {
        2: "containers:*Container", 3: "restartPolicy:s", 4: "terminationGracePeriodSeconds:i",
        6: "dnsPolicy:s", 7: "nodeSelector:m", 8: "serviceAccountName:s", 9: "serviceAccount:s",
        10: "nodeName:s", 11: "hostNetwork:b", 12: "hostPID:b", 13: "hostIPC:b", 16: "hostname:s",
        17: "subdomain:s", 19: "schedulerName:s", 24: "priorityClassName:s",
    },
    "Container": {
        1: "name:s", 2: "image:s", 3: "command:*s", 4: "args:*s", 5: "workingDir:s",
        6: "ports:*ContainerPort", 7: "env:*EnvVar", 8: "resources:Empty", 13: "terminationMessagePath:s",
        14: "imagePullPolicy:s", 16: "stdin:b", 17: "stdinOnce:b", 18: "tty:b",
        20: "terminationMessagePolicy:s",
    },
    "ContainerPort": {1: "name:s", 2: "hostPort:z", 3: "containerPort:i", 4: "protocol:s", 5: "hostIP:s"},
    "EnvVar": {1: "name:s", 2: "value:s"},
    "Empty": {},
    "SelfSubjectAccessReview": {
        1: "metadata:ObjectMeta", 2: "spec:SelfSubjectAccessReviewSpec", 3: "status:-",
    },
    "SelfSubjectAccessReviewSpec": {
        1: "resourceAttributes:ResourceAttributes", 2: "nonResourceAttributes:NonResourceAttributes",
    },
    "ResourceAttributes": {
        1: "namespace:s", 2: "verb:s", 3: "group:s", 4: "version:s", 5: "resource:s", 6: "subresource:s",
        7: "name:s",
    },
    "NonResourceAttributes": {1: "path:s", 2: "verb:s"},
    "SelfSubjectRulesReview": {
        1: "metadata:ObjectMeta", 2: "spec:SelfSubjectRulesReviewSpec", 3: "status:-",
    },
    "SelfSubjectRulesReviewSpec": {1: "namespace:s"},
    "SelfSubjectReview": {1: "metadata:ObjectMeta", 2: "status:-"},
    "DeleteOptions": {
        1: "gracePeriodSeconds:i", 2: "preconditions:Preconditions", 3: "orphanDependents:b",
        4: "propagationPolicy:s", 5: "dryRun:*s",
    },
    "Preconditions": {1: "uid:s", 2: "resourceVersion:s"},
}  # fmt: skip


def decode_object(body: bytes) -> Object:
    """The object in a Kubernetes protobuf body. Raises ApiError 400, or 415 for what the table lacks."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not Kubernetes protobuf")
    envelope = _message("Unknown", body[len(_MAGIC) :])
    header = envelope.get("type", {})
    kind = header.get("kind", "")
    if kind not in _FIELDS or not kind[:1].isupper() or not header.get("apiVersion"):
        raise _unknown(f"kind {kind}")
    return {**header, **_message(kind, envelope.get("raw", b""))}


def _unknown(what: str) -> ApiError:
    return unsupported_media(f"{_PROTOBUF} with {what}", ("application/json",))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
    raise bad_request("the protobuf body is cut off")


def _records(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers with a number or bytes; only varint and length-delimited fields are used."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            number, at = _varint(data, at)
            yield tag >> 3, number
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise bad_request("the protobuf body is cut off")
            yield tag >> 3, data[at : at + length]
            at += length
        else:
            raise bad_request(f"unexpected protobuf wire type {tag & 7}")


def _message(kind: str, data: bytes) -> Object:
    fields, obj = _FIELDS[kind], Object()
    for number, content in _records(data):
        if number not in fields:
            if content:
                raise _unknown(f"field {number} of {kind}")
            continue
        name, _, form = fields[number].partition(":")
        if form in ("m", "n"):
            key, value = _entry(content, binary=form == "n")
            obj.setdefault(name, {})[key] = value
        elif form.startswith("*"):
            obj.setdefault(name, []).append(_value(form[1:], content))
        elif (value := _value(form, content)) not in (None, "", {}):
            obj[name] = value
    return obj


def _entry(content: int | bytes, *, binary: bool) -> tuple[str, str]:
    key = value = ""
    for number, part in _records(_bytes(content)):
        if number == 1:
            key = _text(part)
        else:
            value = base64.b64encode(_bytes(part)).decode() if binary else _text(part)
    return key, value


def _value(form: str, content: int | bytes) -> Any:
    if form in ("i", "z", "b"):
        if not isinstance(content, int):
            raise bad_request("a number was expected in the protobuf body")
        signed = content - 2**64 if content >= 2**63 else content
        if form == "b":
            return bool(signed) or None
        return signed if signed or form == "i" else None
    match form:
        case "-":
            return None
        case "s":
            return _text(content)
        case "raw":
            return _bytes(content)
        case "q":
            return _int_or_text(_bytes(content))
    return _message(form, _bytes(content))


def _int_or_text(data: bytes) -> int | str | None:
    """An IntOrString; the zero value is one that was not given."""
    parts = dict(_records(data))
    if parts.get(1):
        return _text(parts.get(3, b""))
    number = _value("i", parts.get(2, 0))
    return int(number) or None


def _bytes(content: int | bytes) -> bytes:
    if isinstance(content, int):
        raise bad_request("bytes were expected in the protobuf body")
    return content


def _text(content: int | bytes) -> str:
    try:
        return _bytes(content).decode()
    except UnicodeDecodeError as error:
        raise bad_request("the protobuf body has text that is not UTF-8") from error
