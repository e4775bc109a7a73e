"""What the parts of a pod must have, and which of them the light cluster has not.

Invariant: as for `validation`. A rule is of a message of `shapes`, wherever in a pod it stands; what would
hold a pod back on a real cluster and is not heeded on this one is refused, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.cluster.shapes import MESSAGES, item_of
from maestro_cli.local.cluster.status import (
    REAL_CLUSTER,
    Object,
    Problem,
    forbidden_field,
    invalid_value,
    required,
    unsupported,
)
from maestro_cli.local.cluster.validation import check_port, check_selector, not_negative

_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*")
_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_RESOURCE_FIELD = re.compile(rf"(?:limits|requests)\.(?:{'|'.join(_RESOURCES)}|hugepages-.+)")
_UNHEEDED = f"the light cluster's scheduler does not heed it; {REAL_CLUSTER} has one that does"


def _nothing(path: str, part: Object) -> list[Problem]:
    return []


@dataclass(frozen=True, slots=True)
class Rule:
    """`needs`: none may be absent or empty (`a.b`: b of a, where there is an a). `one_of`: any of them is
    there. `lacks`: the light cluster has none of them. `check`: anything else.
    """

    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    check: Callable[[str, Object], list[Problem]] = _nothing


def _check_target(path: str, action: Object) -> list[Problem]:
    """The port of a probe or hook: a number, or the name of one."""
    port = action.get("port", 0)
    if isinstance(port, int):
        return check_port(f"{path}.port", port)
    if len(port) <= 15 and _PORT_NAME.fullmatch(port):
        return []
    why = "must be at most 15 lower case letters, digits and single '-' between them, with a letter"
    return [invalid_value(f"{path}.port", port, why)]


def _check_container_port(path: str, port: Object) -> list[Problem]:
    return check_port(f"{path}.containerPort", port.get("containerPort"))


def _check_probe(path: str, probe: Object) -> list[Problem]:
    numbers = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold")
    return not_negative(probe, path, *numbers, "failureThreshold", "terminationGracePeriodSeconds")


def _check_sleep(path: str, action: Object) -> list[Problem]:
    return not_negative(action, path, "seconds")


def _check_node_requirement(path: str, requirement: Object) -> list[Problem]:
    operator, values = requirement.get("operator", ""), requirement.get("values", [])
    if operator in ("In", "NotIn"):
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        return [] if values else [required(f"{path}.values", why)]
    if operator in ("Gt", "Lt"):
        why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        return [] if len(values) == 1 else [required(f"{path}.values", why)]
    if operator in ("Exists", "DoesNotExist"):
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [forbidden_field(f"{path}.values", why)] if values else []
    return [invalid_value(f"{path}.operator", operator, "not a valid selector operator")]


def _check_spread(path: str, constraint: Object) -> list[Problem]:
    if constraint.get("maxSkew", 0) <= 0:
        why = "must be greater than zero"
        return [invalid_value(f"{path}.maxSkew", constraint.get("maxSkew", 0), why)]
    otherwise = constraint.get("whenUnsatisfiable", "")
    if otherwise == "DoNotSchedule":
        return [forbidden_field(f"{path}.whenUnsatisfiable", f"DoNotSchedule: {_UNHEEDED}")]
    supported = ("DoNotSchedule", "ScheduleAnyway")
    return [] if otherwise in supported else [unsupported(f"{path}.whenUnsatisfiable", otherwise, supported)]


def _check_quantity(path: str, value: int | float | str) -> list[Problem]:
    try:
        negative = parse_quantity(value) < 0
    except ValueError:
        why = "quantities must match '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        return [invalid_value(path, str(value), why)]
    return [invalid_value(path, str(value), "must be greater than or equal to 0")] if negative else []


def _check_resources(path: str, resources: Object) -> list[Problem]:
    return [
        problem
        for side in ("limits", "requests")
        for name, value in resources.get(side, {}).items()
        for problem in _check_quantity(f"{path}.{side}[{name}]", value)
    ]


def _check_scratch(path: str, volume: Object) -> list[Problem]:
    return _check_quantity(f"{path}.sizeLimit", volume.get("sizeLimit", 0))


def _check_resource_field(path: str, selector: Object) -> list[Problem]:
    problems = _check_quantity(f"{path}.divisor", selector.get("divisor", 0))
    resource = selector.get("resource", "")
    if resource and not _RESOURCE_FIELD.fullmatch(resource):
        known = [f"{side}.{name}" for side in ("limits", "requests") for name in _RESOURCES]
        problems.append(unsupported(f"{path}.resource", resource, known))
    return problems


_KEY = Rule(needs=("name", "key"))
_NAMED = Rule(needs=("name",))
_PATH = Rule(needs=("path",))
_TARGET = Rule(check=_check_target)
_NEIGHBOURS = Rule(lacks=("requiredDuringSchedulingIgnoredDuringExecution",))

RULES: dict[str, Rule] = {
    "PodSpec": Rule(needs=("containers",), lacks=("resourceClaims", "resources", "schedulingGroup")),
    "Container": Rule(needs=("name", "image")),
    "ContainerPort": Rule(check=_check_container_port, lacks=("hostPort",)),
    "EnvVar": _NAMED,
    "EnvVarSource": Rule(
        one_of=("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
    ),
    "EnvFromSource": Rule(one_of=("configMapRef", "secretRef")),
    "ConfigMapEnvSource": _NAMED,
    "SecretEnvSource": _NAMED,
    "ConfigMapKeySelector": _KEY,
    "SecretKeySelector": _KEY,
    "FileKeySelector": Rule(needs=("volumeName", "path", "key")),
    "ObjectFieldSelector": Rule(needs=("fieldPath",)),
    "ResourceFieldSelector": Rule(needs=("resource",), check=_check_resource_field),
    "ResourceRequirements": Rule(check=_check_resources),
    "EmptyDirVolumeSource": Rule(check=_check_scratch),
    "Probe": Rule(one_of=("httpGet", "tcpSocket", "exec", "grpc"), check=_check_probe),
    "LifecycleHandler": Rule(one_of=("httpGet", "tcpSocket", "exec", "sleep")),
    "ExecAction": Rule(needs=("command",)),
    "HTTPGetAction": _TARGET,
    "TCPSocketAction": _TARGET,
    "GRPCAction": _TARGET,
    "HTTPHeader": _NAMED,
    "SleepAction": Rule(check=_check_sleep),
    "VolumeMount": Rule(needs=("name", "mountPath")),
    "Volume": _NAMED,
    "HostPathVolumeSource": _PATH,
    "ConfigMapVolumeSource": _NAMED,
    "SecretVolumeSource": Rule(needs=("secretName",)),
    "ConfigMapProjection": _NAMED,
    "SecretProjection": _NAMED,
    "ServiceAccountTokenProjection": _PATH,
    "KeyToPath": Rule(needs=("key", "path")),
    "DownwardAPIVolumeFile": Rule(
        needs=("path", "resourceFieldRef.containerName"), one_of=("fieldRef", "resourceFieldRef")
    ),
    "PodReadinessGate": Rule(needs=("conditionType",)),
    "NodeSelector": Rule(needs=("nodeSelectorTerms",)),
    "NodeSelectorRequirement": Rule(needs=("key",), check=_check_node_requirement),
    "PodAffinity": _NEIGHBOURS,
    "PodAntiAffinity": _NEIGHBOURS,
    "PodAffinityTerm": Rule(needs=("topologyKey",)),
    "TopologySpreadConstraint": Rule(needs=("topologyKey",), check=_check_spread),
    "LabelSelector": Rule(check=check_selector),
}
_NO_RULE = Rule()
_INNER = {
    message: [(field, form) for field, form in fields.items() if "@" in form]
    for message, fields in MESSAGES.items()
}


def check_part(path: str, part: Object, message: str) -> list[Problem]:
    """What is wrong with a message at that path, and with those within it."""
    rule = RULES.get(message, _NO_RULE)
    problems = [required(f"{path}.{field}") for field in rule.needs if not _is_there(part, field)]
    if rule.one_of and not part.keys() & set(rule.one_of):
        problems.append(required(path, f"must specify one of: {', '.join(rule.one_of)}"))
    problems += [forbidden_field(f"{path}.{field}", _UNHEEDED) for field in rule.lacks if part.get(field)]
    problems += rule.check(path, part)
    for field, form in _INNER[message]:
        if field in part:
            problems += _check_inner(f"{path}.{field}", part[field], form)
    return problems


def _check_inner(path: str, value: Any, form: str) -> list[Problem]:
    if form.startswith("["):
        inner = item_of(form)
        parts = (_check_inner(f"{path}[{index}]", one, inner) for index, one in enumerate(value))
        return [problem for found in parts for problem in found]
    return check_part(path, value, form[1:])


def _is_there(part: Object, field: str) -> bool:
    head, _, tail = field.partition(".")
    if tail:
        return head not in part or bool(part[head].get(tail))
    return bool(part.get(head))
