"""What a write must satisfy, in the words of the real validation.

Invariant: checks see objects whose shape was checked and whose defaults are filled in; they answer
with problems and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.cluster.defaults import is_base64
from maestro_cli.local.cluster.selectors import is_label_key, is_label_value, selector_of
from maestro_cli.local.cluster.status import (
    Object,
    Problem,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
    unsupported,
)

Check = Callable[[Object], list[Problem]]
CheckChange = Callable[[Object, Object], list[Problem]]
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_ANNOTATIONS_MAX_BYTES = 256 * 1024
_DATA_MAX_BYTES = 1024 * 1024
_IMMUTABLE = "field is immutable"


def subdomain_name(name: str) -> str:
    """Why a name is not a DNS subdomain, or empty."""
    if len(name) > 253:
        return "must be no more than 253 characters"
    return "" if _SUBDOMAIN.fullmatch(name) else _SUBDOMAIN_RULE


def label_name(name: str) -> str:
    if len(name) > 63:
        return "must be no more than 63 characters"
    return "" if _LABEL.fullmatch(name) else _LABEL_RULE


def service_name(name: str) -> str:
    if len(name) > 63:
        return "must be no more than 63 characters"
    return "" if _LABEL_1035.fullmatch(name) else _LABEL_1035_RULE


def check_metadata(metadata: Object, name_fault: Callable[[str], str]) -> list[Problem]:
    """Name, labels, annotations, finalizers and owners of any object."""
    name = metadata.get("name", "")
    problems = []
    if not name:
        problems.append(required("metadata.name", "name or generateName is required"))
    elif fault := name_fault(name):
        problems.append(invalid_value("metadata.name", name, fault))
    problems += _check_labels("metadata.labels", metadata.get("labels", {}))
    annotations = metadata.get("annotations", {})
    problems += [
        invalid_value("metadata.annotations", key, "name part must be a qualified name")
        for key in annotations
        if not is_label_key(key.lower())
    ]
    if sum(len(key) + len(value) for key, value in annotations.items()) > _ANNOTATIONS_MAX_BYTES:
        problems.append(
            Problem("FieldValueTooLong", "metadata.annotations", "Too long: may be at most 262144 bytes")
        )
    problems += [
        invalid_value("metadata.finalizers", one, "name part must be a qualified name")
        for one in metadata.get("finalizers", [])
        if not is_label_key(one)
    ]
    for index, owner in enumerate(metadata.get("ownerReferences", [])):
        problems += [
            required(f"metadata.ownerReferences[{index}].{part}", "must not be empty")
            for part in ("apiVersion", "kind", "name", "uid")
            if not owner.get(part)
        ]
    return problems


def _check_labels(path: str, labels: dict[str, str]) -> list[Problem]:
    problems = []
    for key, value in labels.items():
        if not is_label_key(key):
            problems.append(invalid_value(path, key, "name part must be a qualified name"))
        if not is_label_value(value):
            why = (
                "a valid label must be an empty string or consist of at most 63 alphanumeric characters, "
                "'-', '_' or '.', and must start and end with an alphanumeric character"
            )
            problems.append(invalid_value(path, value, why))
    return problems


def accept(obj: Object) -> list[Problem]:
    """For kinds without rules of their own."""
    return []


def accept_change(new: Object, old: Object) -> list[Problem]:
    return []


def _not_negative(spec: Object, path: str, *fields: str) -> list[Problem]:
    return [
        invalid_value(f"{path}.{field}", spec[field], "must be greater than or equal to 0")
        for field in fields
        if spec.get(field, 0) < 0
    ]


def _check_selector(path: str, selector: Object | None) -> list[Problem]:
    problems = []
    for index, expression in enumerate((selector or {}).get("matchExpressions", [])):
        at = f"{path}.matchExpressions[{index}]"
        operator = expression.get("operator", "")
        values = expression.get("values", [])
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            problems.append(invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
        elif operator in ("In", "NotIn") and not values:
            problems.append(required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist") and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            problems.append(forbidden_field(f"{at}.values", why))
        if not is_label_key(expression.get("key", "")):
            problems.append(invalid_value(f"{at}.key", expression.get("key", ""), "not a qualified name"))
    return problems + _check_labels(f"{path}.matchLabels", (selector or {}).get("matchLabels", {}))


def _check_quantities(path: str, resources: Object) -> list[Problem]:
    problems = []
    for side in ("limits", "requests"):
        for name, value in resources.get(side, {}).items():
            try:
                negative = parse_quantity(value) < 0
            except ValueError:
                why = "quantities must match '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                problems.append(invalid_value(f"{path}.{side}[{name}]", str(value), why))
                continue
            if negative:
                why = "must be greater than or equal to 0"
                problems.append(invalid_value(f"{path}.{side}[{name}]", str(value), why))
    return problems


def _check_port(path: str, port: Any) -> list[Problem]:
    if not port and port != 0:
        return [required(path)]
    if not 1 <= port <= 65535:
        return [invalid_value(path, port, "must be between 1 and 65535, inclusive")]
    return []


def _check_container(path: str, container: Object) -> list[Problem]:
    problems = []
    if not container.get("name"):
        problems.append(required(f"{path}.name"))
    elif fault := label_name(container["name"]):
        problems.append(invalid_value(f"{path}.name", container["name"], fault))
    if not container.get("image"):
        problems.append(required(f"{path}.image"))
    if container["imagePullPolicy"] not in ("Always", "IfNotPresent", "Never"):
        supported = ("Always", "IfNotPresent", "Never")
        problems.append(unsupported(f"{path}.imagePullPolicy", container["imagePullPolicy"], supported))
    for index, port in enumerate(container.get("ports", [])):
        problems += _check_port(f"{path}.ports[{index}].containerPort", port.get("containerPort"))
    for index, variable in enumerate(container.get("env", [])):
        if not variable.get("name"):
            problems.append(required(f"{path}.env[{index}].name"))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name, {})
        numbers = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold")
        problems += _not_negative(probe, f"{path}.{name}", *numbers, "failureThreshold")
        if probe and not probe.keys() & {"httpGet", "tcpSocket", "exec", "grpc"}:
            problems.append(required(f"{path}.{name}", "must specify a handler type"))
    return problems + _check_quantities(f"{path}.resources", container["resources"])


def _check_pod_spec(path: str, spec: Object) -> list[Problem]:
    problems = []
    if not spec.get("containers"):
        problems.append(required(f"{path}.containers"))
    seen: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, [])):
            at = f"{path}.{field}[{index}]"
            problems += _check_container(at, container)
            name = container.get("name", "")
            if name and name in seen:
                problems.append(duplicate(f"{at}.name", name))
            seen.add(name)
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes", [])):
        name = volume.get("name", "")
        if not name:
            problems.append(required(f"{path}.volumes[{index}].name"))
        elif name in volumes:
            problems.append(duplicate(f"{path}.volumes[{index}].name", name))
        volumes.add(name)
    for index, container in enumerate(spec.get("containers", [])):
        for at, mount in enumerate(container.get("volumeMounts", [])):
            if mount.get("name", "") not in volumes:
                field = f"{path}.containers[{index}].volumeMounts[{at}].name"
                problems.append(
                    Problem("FieldValueNotFound", field, f'Not found: "{mount.get("name", "")}"')
                )
    if spec["restartPolicy"] not in ("Always", "OnFailure", "Never"):
        supported = ("Always", "OnFailure", "Never")
        problems.append(unsupported(f"{path}.restartPolicy", spec["restartPolicy"], supported))
    return problems + _not_negative(spec, path, "terminationGracePeriodSeconds")


def check_pod(pod: Object) -> list[Problem]:
    return _check_pod_spec("spec", pod["spec"])


_POD_MAY_CHANGE = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "nodeName")


def check_pod_change(new: Object, old: Object) -> list[Problem]:
    """A pod's spec is fixed but for images, deadlines and tolerations; nodeName is set once, by binding."""

    def fixed(spec: Object) -> Object:
        kept = {name: value for name, value in spec.items() if name not in _POD_MAY_CHANGE}
        for field in ("containers", "initContainers"):
            if field in kept:
                kept[field] = [{**container, "image": ""} for container in kept[field]]
        return kept

    bound = old["spec"].get("nodeName")
    if fixed(new["spec"]) != fixed(old["spec"]) or (bound and new["spec"].get("nodeName") != bound):
        why = (
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
            "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)"
        )
        return [forbidden_field("spec", why)]
    return []


def _check_replicas(spec: Object) -> list[Problem]:
    problems = _not_negative(spec, "spec", "replicas", "minReadySeconds")
    selector = spec.get("selector")
    labels = spec["template"]["metadata"].get("labels", {})
    bad_selector = _check_selector("spec.selector", selector)
    if not selector:
        problems.append(required("spec.selector"))
    elif bad_selector:
        problems += bad_selector
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        why = "empty selector is invalid for deployment"
        problems.append(invalid_value("spec.selector", "{}", why))
    elif not selector_of(selector).matches(labels):
        why = "`selector` does not match template `labels`"
        problems.append(invalid_value("spec.template.metadata.labels", _go_map(labels), why))
    problems += _check_labels("spec.template.metadata.labels", labels)
    template = spec["template"]["spec"]
    if template["restartPolicy"] != "Always":
        at = "spec.template.spec.restartPolicy"
        problems.append(unsupported(at, template["restartPolicy"], ("Always",)))
    return problems + _check_pod_spec("spec.template.spec", template)


def _go_map(labels: dict[str, str]) -> str:
    return "map[string]string{" + ", ".join(f'"{key}":"{value}"' for key, value in labels.items()) + "}"


def check_replica_set(replica_set: Object) -> list[Problem]:
    return _check_replicas(replica_set["spec"])


def _share(value: int | str) -> int | None:
    """The number of an IntOrString, a percentage without its sign; None when it is neither."""
    if isinstance(value, int):
        return value
    return int(value[:-1]) if re.fullmatch(r"\d{1,4}%", value) else None


def check_deployment(deployment: Object) -> list[Problem]:
    spec = deployment["spec"]
    problems = _check_replicas(spec)
    problems += _not_negative(spec, "spec", "revisionHistoryLimit", "progressDeadlineSeconds")
    if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
        problems.append(
            invalid_value(
                "spec.progressDeadlineSeconds",
                spec["progressDeadlineSeconds"],
                "must be greater than minReadySeconds",
            )
        )
    strategy = spec["strategy"]
    at = "spec.strategy"
    if strategy["type"] not in ("RollingUpdate", "Recreate"):
        problems.append(unsupported(f"{at}.type", strategy["type"], ("Recreate", "RollingUpdate")))
    elif strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        why = "may not be specified when strategy `type` is 'Recreate'"
        problems.append(forbidden_field(f"{at}.rollingUpdate", why))
    elif strategy["type"] == "RollingUpdate":
        problems += _check_rolling(f"{at}.rollingUpdate", strategy["rollingUpdate"])
    return problems


def _check_rolling(path: str, rolling: Object) -> list[Problem]:
    problems = []
    for field in ("maxUnavailable", "maxSurge"):
        share = _share(rolling[field])
        if share is None:
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            problems.append(invalid_value(f"{path}.{field}", rolling[field], why))
        elif share < 0:
            why = "must be greater than or equal to 0"
            problems.append(invalid_value(f"{path}.{field}", rolling[field], why))
    if not problems and not _share(rolling["maxUnavailable"]) and not _share(rolling["maxSurge"]):
        why = "may not be 0 when `maxSurge` is 0"
        problems.append(invalid_value(f"{path}.maxUnavailable", rolling["maxUnavailable"], why))
    return problems


def check_selector_change(new: Object, old: Object) -> list[Problem]:
    selector = new["spec"].get("selector")
    if selector == old["spec"].get("selector"):
        return []
    return [invalid_value("spec.selector", str(selector), _IMMUTABLE)]


def check_service(service: Object) -> list[Problem]:
    spec = service["spec"]
    kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    problems = []
    if spec["type"] not in kinds:
        problems.append(unsupported("spec.type", spec["type"], kinds))
    ports = spec.get("ports", [])
    if not ports and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        problems.append(required("spec.ports"))
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at = f"spec.ports[{index}]"
        problems += _check_port(f"{at}.port", port.get("port"))
        name = port.get("name", "")
        if not name and len(ports) > 1:
            problems.append(required(f"{at}.name"))
        elif name in seen:
            problems.append(duplicate(f"{at}.name", name))
        seen.add(name)
        if isinstance(port["targetPort"], int):
            problems += _check_port(f"{at}.targetPort", port["targetPort"])
    return problems + _check_labels("spec.selector", spec.get("selector", {}))


def check_service_change(new: Object, old: Object) -> list[Problem]:
    before, after = old["spec"].get("clusterIP", ""), new["spec"].get("clusterIP", "")
    if before and after != before and "ExternalName" not in (old["spec"]["type"], new["spec"]["type"]):
        return [invalid_value("spec.clusterIPs[0]", after, "may not change once set")]
    return []


def check_disruption_budget(budget: Object) -> list[Problem]:
    spec = budget.get("spec", {})
    problems = _check_selector("spec.selector", spec.get("selector"))
    if "minAvailable" in spec and "maxUnavailable" in spec:
        why = "minAvailable and maxUnavailable cannot be both set"
        problems.append(invalid_value("spec", "{}", why))
    for field in ("minAvailable", "maxUnavailable"):
        share = _share(spec.get(field, 0))
        if share is None:
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            problems.append(invalid_value(f"spec.{field}", spec[field], why))
        elif share < 0:
            problems.append(invalid_value(f"spec.{field}", spec[field], "must be greater than or equal to 0"))
    return problems


def check_data(obj: Object) -> list[Problem]:
    """The keys and size of a ConfigMap or Secret."""
    data = {**obj.get("data", {}), **obj.get("binaryData", {})}
    problems = [
        invalid_value(f"data[{key}]", key, "must consist of alphanumeric characters, '-', '_' or '.'")
        for key in data
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key) or key in (".", "..")
    ]
    if sum(len(value.encode()) for value in data.values()) > _DATA_MAX_BYTES:
        problems.append(
            Problem("FieldValueTooLong", "", f"Too long: may not be more than {_DATA_MAX_BYTES} bytes")
        )
    return problems


def check_secret(secret: Object) -> list[Problem]:
    problems = [
        invalid_value(f"data[{key}]", "<secret contents redacted>", "illegal base64 data")
        for key, value in secret.get("data", {}).items()
        if not is_base64(value)
    ]
    return problems + check_data(secret)


def check_data_change(new: Object, old: Object) -> list[Problem]:
    problems = []
    if old.get("immutable") and (
        not new.get("immutable") or any(new.get(part) != old.get(part) for part in ("data", "binaryData"))
    ):
        problems.append(forbidden_field("data", "field is immutable when `immutable` is set"))
    if new.get("type") != old.get("type"):
        problems.append(invalid_value("type", new.get("type"), _IMMUTABLE))
    return problems


def check_endpoint_slice(endpoint_slice: Object) -> list[Problem]:
    kinds = ("IPv4", "IPv6", "FQDN")
    address_type = endpoint_slice.get("addressType", "")
    if not address_type:
        return [required("addressType")]
    return [] if address_type in kinds else [unsupported("addressType", address_type, kinds)]


def check_lease(lease: Object) -> list[Problem]:
    spec = lease.get("spec", {})
    if spec.get("leaseDurationSeconds", 1) <= 0:
        return [
            invalid_value("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
        ]
    return []


def check_event(event: Object) -> list[Problem]:
    named = event.get("involvedObject", {}).get("namespace", "")
    if named and named != event["metadata"].get("namespace", ""):
        return [invalid_value("involvedObject.namespace", named, "does not match event.namespace")]
    return []
