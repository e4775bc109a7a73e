"""What a write must satisfy, in the words of the real validation.

Invariant: checks see objects whose shape was checked and whose defaults are filled in; they answer
with problems and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from maestro_cli.local.cluster.defaults import is_base64
from maestro_cli.local.cluster.selectors import is_label_key, is_label_value
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
IMMUTABLE = "field is immutable"


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
    problems += check_labels("metadata.labels", metadata.get("labels", {}))
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


def check_metadata_change(new: Object, old: Object) -> list[Problem]:
    """What is going can only lose what holds it."""
    added = [one for one in new.get("finalizers", []) if one not in old.get("finalizers", [])]
    if not old.get("deletionTimestamp") or not added:
        return []
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    return [forbidden_field("metadata.finalizers", f"{why} {added}")]


def check_labels(path: str, labels: dict[str, str]) -> list[Problem]:
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


def not_negative(spec: Object, path: str, *fields: str) -> list[Problem]:
    return [
        invalid_value(f"{path}.{field}", spec[field], "must be greater than or equal to 0")
        for field in fields
        if spec.get(field, 0) < 0
    ]


def check_selector(path: str, selector: Object | None) -> list[Problem]:
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
    return problems + check_labels(f"{path}.matchLabels", (selector or {}).get("matchLabels", {}))


def check_port(path: str, port: Any) -> list[Problem]:
    if not port and port != 0:
        return [required(path)]
    if not 1 <= port <= 65535:
        return [invalid_value(path, port, "must be between 1 and 65535, inclusive")]
    return []


def share_of(value: int | str) -> int | None:
    """The number of an IntOrString, a percentage without its sign; None when it is neither."""
    if isinstance(value, int):
        return value
    return int(value[:-1]) if re.fullmatch(r"\d{1,4}%", value) else None


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
        problems += check_port(f"{at}.port", port.get("port"))
        name = port.get("name", "")
        if not name and len(ports) > 1:
            problems.append(required(f"{at}.name"))
        elif name in seen:
            problems.append(duplicate(f"{at}.name", name))
        seen.add(name)
        if isinstance(port["targetPort"], int):
            problems += check_port(f"{at}.targetPort", port["targetPort"])
    return problems + check_labels("spec.selector", spec.get("selector", {}))


def check_service_change(new: Object, old: Object) -> list[Problem]:
    before, after = old["spec"].get("clusterIP", ""), new["spec"].get("clusterIP", "")
    if before and after != before and "ExternalName" not in (old["spec"]["type"], new["spec"]["type"]):
        return [invalid_value("spec.clusterIPs[0]", after, "may not change once set")]
    return []


def check_disruption_budget(budget: Object) -> list[Problem]:
    spec = budget.get("spec", {})
    problems = check_selector("spec.selector", spec.get("selector"))
    if "minAvailable" in spec and "maxUnavailable" in spec:
        why = "minAvailable and maxUnavailable cannot be both set"
        problems.append(invalid_value("spec", "{}", why))
    for field in ("minAvailable", "maxUnavailable"):
        share = share_of(spec.get(field, 0))
        if share is None:
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            problems.append(invalid_value(f"spec.{field}", spec[field], why))
        elif share < 0:
            problems.append(invalid_value(f"spec.{field}", spec[field], "must be greater than or equal to 0"))
    return problems


def check_autoscaler(autoscaler: Object) -> list[Problem]:
    spec = autoscaler["spec"]
    problems = [
        required(f"spec.scaleTargetRef.{field}")
        for field in ("kind", "name")
        if not (spec.get("scaleTargetRef") or {}).get(field)
    ]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    if least < 1:
        problems.append(invalid_value("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        problems.append(invalid_value("spec.maxReplicas", most, "must be greater than 0"))
    if most < least:
        why = "must be greater than or equal to `minReplicas`"
        problems.append(invalid_value("spec.maxReplicas", most, why))
    return problems


def check_network_policy(policy: Object) -> list[Problem]:
    spec = policy["spec"]
    problems = check_selector("spec.podSelector", spec.get("podSelector", {}))
    for index, one in enumerate(spec["policyTypes"]):
        if one not in ("Ingress", "Egress"):
            problems.append(unsupported(f"spec.policyTypes[{index}]", one, ("Egress", "Ingress")))
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for at, rule in enumerate(spec.get(direction, [])):
            for place, peer in enumerate(rule.get(side, [])):
                if not peer:
                    problems.append(
                        required(f"spec.{direction}[{at}].{side}[{place}]", "must specify a peer")
                    )
    return problems


def check_service_monitor(monitor: Object) -> list[Problem]:
    """As far as its definition requires fields; what is in them is not looked at here."""
    spec = monitor.get("spec")
    if not isinstance(spec, dict):
        return [required("spec")]
    wanted = {"endpoints": list, "selector": dict}
    return [
        required(f"spec.{name}") for name, type_ in wanted.items() if not isinstance(spec.get(name), type_)
    ]


def check_data(obj: Object) -> list[Problem]:
    """The keys and size of a ConfigMap or Secret."""
    data = {**obj.get("data", {}), **obj.get("binaryData", {})}
    problems = [invalid_value(f"data[{key}]", key, why) for key in data if (why := _key_fault(key))]
    if sum(len(value.encode()) for value in data.values()) > _DATA_MAX_BYTES:
        problems.append(
            Problem("FieldValueTooLong", "", f"Too long: may not be more than {_DATA_MAX_BYTES} bytes")
        )
    return problems


def _key_fault(key: str) -> str:
    """Why it names no file in a volume, where `..data` and the like are the kubelet's; "" when it does."""
    if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key):
        return "must consist of alphanumeric characters, '-', '_' or '.'"
    if key in (".", ".."):
        return f"must not be '{key}'"
    return "must not start with '..'" if key.startswith("..") else ""


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
        problems.append(invalid_value("type", new.get("type"), IMMUTABLE))
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
