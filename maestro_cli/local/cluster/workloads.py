"""What pods, and the workloads that make them, must satisfy.

Invariant: as for `validation`.
"""

from __future__ import annotations

from collections.abc import Container

from maestro_cli.local.cluster.pod_rules import check_part
from maestro_cli.local.cluster.selectors import selector_of
from maestro_cli.local.cluster.status import (
    REAL_CLUSTER,
    Object,
    Problem,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
    unsupported,
)
from maestro_cli.local.cluster.validation import (
    IMMUTABLE,
    check_labels,
    check_selector,
    label_name,
    not_negative,
    share_of,
)


def _check_container(path: str, container: Object) -> list[Problem]:
    problems = []
    if (name := container.get("name")) and (fault := label_name(name)):
        problems.append(invalid_value(f"{path}.name", name, fault))
    if container["imagePullPolicy"] not in ("Always", "IfNotPresent", "Never"):
        supported = ("Always", "IfNotPresent", "Never")
        problems.append(unsupported(f"{path}.imagePullPolicy", container["imagePullPolicy"], supported))
    return problems


def _check_pod_spec(path: str, spec: Object) -> list[Problem]:
    problems = check_part(path, spec, "PodSpec")
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
        if name and (fault := label_name(name)):
            problems.append(invalid_value(f"{path}.volumes[{index}].name", name, fault))
        elif name in volumes:
            problems.append(duplicate(f"{path}.volumes[{index}].name", name))
        volumes.add(name)
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, [])):
            problems += _check_mounts(f"{path}.{field}[{index}]", container, volumes)
    if spec["restartPolicy"] not in ("Always", "OnFailure", "Never"):
        supported = ("Always", "OnFailure", "Never")
        problems.append(unsupported(f"{path}.restartPolicy", spec["restartPolicy"], supported))
    return problems + not_negative(spec, path, "terminationGracePeriodSeconds")


def _check_mounts(path: str, container: Object, volumes: Container[str]) -> list[Problem]:
    return [
        Problem("FieldValueNotFound", f"{path}.volumeMounts[{index}].name", f'Not found: "{name}"')
        for index, mount in enumerate(container.get("volumeMounts", []))
        if (name := mount.get("name", "")) not in volumes
    ]


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


_RESTART_POLICY = "spec.template.spec.restartPolicy"


def _check_replicas(spec: Object) -> list[Problem]:
    problems = not_negative(spec, "spec", "replicas", "minReadySeconds") + _check_template(spec)
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy != "Always":
        problems.append(unsupported(_RESTART_POLICY, policy, ("Always",)))
    selector = spec.get("selector")
    bad_selector = check_selector("spec.selector", selector)
    if not selector:
        problems.append(required("spec.selector"))
    elif bad_selector:
        problems += bad_selector
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        why = "empty selector is invalid for deployment"
        problems.append(invalid_value("spec.selector", "{}", why))
    return problems


def _check_template(spec: Object) -> list[Problem]:
    """The pod template of a workload, and that its selector, if it is a good one, selects it."""
    problems = []
    selector, labels = spec.get("selector"), spec["template"]["metadata"].get("labels", {})
    if selector and not check_selector("", selector) and not selector_of(selector).matches(labels):
        why = "`selector` does not match template `labels`"
        problems.append(invalid_value("spec.template.metadata.labels", _go_map(labels), why))
    problems += check_labels("spec.template.metadata.labels", labels)
    return problems + _check_pod_spec("spec.template.spec", spec["template"]["spec"])


_JOB_LACKING = (
    "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes", "managedBy",
    "scheduling",
)  # fmt: skip


def check_job(job: Object) -> list[Problem]:
    spec = job["spec"]
    numbers = (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    )
    problems = not_negative(spec, "spec", *numbers) + check_selector("spec.selector", spec.get("selector"))
    if not spec.get("selector"):
        problems.append(required("spec.selector"))
    lacking = f"the light cluster has no such jobs; {REAL_CLUSTER} has"
    problems += [forbidden_field(f"spec.{field}", lacking) for field in _JOB_LACKING if field in spec]
    if spec["completionMode"] != "NonIndexed":
        problems.append(forbidden_field("spec.completionMode", lacking))
    if spec["podReplacementPolicy"] != "TerminatingOrFailed":
        problems.append(forbidden_field("spec.podReplacementPolicy", lacking))
    if spec["template"]["spec"]["restartPolicy"] not in ("OnFailure", "Never"):
        problems.append(required(_RESTART_POLICY, 'valid values: "OnFailure", "Never"'))
    return problems + _check_template(spec)


def check_job_change(new: Object, old: Object) -> list[Problem]:
    fixed = ("completions", "selector", "template", "completionMode", "manualSelector")
    return [
        invalid_value(f"spec.{field}", str(new["spec"].get(field)), IMMUTABLE)
        for field in fixed
        if new["spec"].get(field) != old["spec"].get(field)
    ]


def _go_map(labels: dict[str, str]) -> str:
    return "map[string]string{" + ", ".join(f'"{key}":"{value}"' for key, value in labels.items()) + "}"


def check_replica_set(replica_set: Object) -> list[Problem]:
    return _check_replicas(replica_set["spec"])


def check_deployment(deployment: Object) -> list[Problem]:
    spec = deployment["spec"]
    problems = _check_replicas(spec)
    problems += not_negative(spec, "spec", "revisionHistoryLimit", "progressDeadlineSeconds")
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
        problems.append(unsupported(at, strategy["type"], ("Recreate", "RollingUpdate")))
    elif strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        why = "may not be specified when strategy `type` is 'Recreate'"
        problems.append(forbidden_field(f"{at}.rollingUpdate", why))
    elif strategy["type"] == "RollingUpdate":
        problems += _check_rolling(f"{at}.rollingUpdate", strategy["rollingUpdate"])
    return problems


def _check_rolling(path: str, rolling: Object) -> list[Problem]:
    problems = []
    for field in ("maxUnavailable", "maxSurge"):
        share = share_of(rolling[field])
        if share is None:
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            problems.append(invalid_value(f"{path}.{field}", rolling[field], why))
        elif share < 0:
            why = "must be greater than or equal to 0"
            problems.append(invalid_value(f"{path}.{field}", rolling[field], why))
    if not problems and not share_of(rolling["maxUnavailable"]) and not share_of(rolling["maxSurge"]):
        why = "may not be 0 when `maxSurge` is 0"
        problems.append(invalid_value(f"{path}.maxUnavailable", rolling["maxUnavailable"], why))
    return problems


def check_selector_change(new: Object, old: Object) -> list[Problem]:
    selector = new["spec"].get("selector")
    if selector == old["spec"].get("selector"):
        return []
    return [invalid_value("spec.selector", str(selector), IMMUTABLE)]
