"""Right-sizing as files: commands of kubectl, a Kustomize patch, objects of the Vertical Pod Autoscaler.

Invariant: names come from metrics and may be anything: one that no Kubernetes object can have is left out,
and said so in a comment. A workload of which nothing changes is not in it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.rightsizing.amounts import cores, size

if TYPE_CHECKING:
    from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice
    from maestro_cli.cost.rightsizing.model import Size
    from maestro_cli.cost.rightsizing.report import Rightsizing

FORMATS = ("kubectl", "kustomize", "vpa")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_API = {
    "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1",
    "CronJob": "batch/v1", "Job": "batch/v1",
}  # fmt: skip


def check_format(word: str) -> None:
    """Raises UsageError."""
    if word not in FORMATS:
        raise UsageError(
            f"{word!r} is no format of changes",
            why="reports are formatted by -o, changes by --format",
            fix=f"--format {'|'.join(FORMATS)}",
        )


def changes_as(word: str, found: Rightsizing) -> str:
    """All that may be set next, in that format."""
    from maestro_cli.config.strict import dump_yaml  # loads PyYAML

    changed = [one for one in found.items if one.changes or (word == "vpa" and _has_figure(one))]
    known = [one for one in changed if _can_be_written(one)]
    left_out = [
        f"# left out, for nothing has such a name: {_told(one)}" for one in changed if one not in known
    ]
    if word == "kubectl":
        return "\n".join([*left_out, *(_with_target(one, _kubectl(one)) for one in known)])
    written = _kustomize if word == "kustomize" else _vpa
    documents = "---\n".join(_with_target(one, dump_yaml(written(one))) for one in known)
    return "\n".join([*left_out, documents])


def _has_figure(one: Advice) -> bool:
    return any(of.vpa.cpu.request is not None for of in one.containers)


def _can_be_written(one: Advice) -> bool:
    names = (one.workload.namespace, one.workload.name, *(of.container.container for of in one.containers))
    return one.workload.kind in _API and all(_NAME.fullmatch(name) for name in names)


def _told(one: Advice) -> str:
    return visible(str(one.workload), 200)


def _with_target(one: Advice, text: str) -> str:
    """Metrics of an autoscaler are one list, which a patch would replace: that is left to a person."""
    scaler = one.autoscaler
    if scaler is None:
        return text
    name = visible(scaler.name, 100)
    target = f"{scaler.next} % with it, from {scaler.now:g} %"
    return f"# set the CPU target of the autoscaler {name} to {target}\n{text}"


def _kubectl(one: Advice) -> str:
    """A strategic merge patch: containers are found by their names, and nothing else is touched."""
    of = one.workload
    patch = json.dumps(_in_template(one, list(_resources(one))), separators=(",", ":"))
    words = [
        "kubectl",
        "-n",
        of.namespace,
        "patch",
        of.kind.lower(),
        of.name,
        "--type",
        "strategic",
        "-p",
        patch,
    ]
    return shlex.join(words)


def _kustomize(one: Advice) -> dict[str, Any]:
    of = one.workload
    return {
        "apiVersion": _API[of.kind],
        "kind": of.kind,
        "metadata": {"name": of.name, "namespace": of.namespace},
        **_in_template(one, list(_resources(one))),
    }


def _in_template(one: Advice, containers: list[dict[str, Any]]) -> dict[str, Any]:
    template = {"template": {"spec": {"containers": containers}}}
    return {"spec": {"jobTemplate": {"spec": template}} if one.workload.kind == "CronJob" else template}


def _resources(one: Advice) -> Iterator[dict[str, Any]]:
    for of in one.containers:
        if of.changes:
            yield {"name": of.container.container, "resources": resources_of(of.next)}


def resources_of(amounts: Size) -> dict[str, dict[str, str]]:
    """`resources` of a container; what is not set is not in it."""
    found: dict[str, dict[str, str]] = {}
    for side, cpu, memory in (
        ("requests", amounts.cpu_request, amounts.memory_request),
        ("limits", amounts.cpu_limit, amounts.memory_limit),
    ):
        told = {"cpu": cores(cpu), "memory": size(memory)}
        known = {name: text for name, text in told.items() if text is not None}
        if known:
            found[side] = known
    return found


def _vpa(one: Advice) -> dict[str, Any]:
    """It only recommends, within what our own guards let through next."""
    of = one.workload
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": of.name, "namespace": of.namespace},
        "spec": {
            "targetRef": {"apiVersion": _API[of.kind], "kind": of.kind, "name": of.name},
            "updatePolicy": {"updateMode": "Off"},
            "resourcePolicy": {"containerPolicies": list(map(_policy, _recommended(one.containers)))},
        },
    }


def _recommended(containers: Iterable[ContainerAdvice]) -> Iterator[ContainerAdvice]:
    return (one for one in containers if one.next.cpu_request or one.next.memory_request)


def _policy(one: ContainerAdvice) -> dict[str, Any]:
    least = {"cpu": cores(one.next.cpu_request), "memory": size(one.next.memory_request)}
    return {
        "containerName": one.container.container,
        "minAllowed": {name: text for name, text in least.items() if text is not None},
        "controlledValues": "RequestsOnly",
    }
