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
from maestro_cli.cost.rightsizing.advice import AutoscalerMove, Decision, Place
from maestro_cli.cost.rightsizing.amounts import cores, size
from maestro_cli.output.renderers.cost_autoscalers import kubectl_commands, target_document

if TYPE_CHECKING:
    from maestro_cli.cost.rightsizing.advice import Advice, AutoscalerStep, ContainerAdvice
    from maestro_cli.cost.rightsizing.model import Size
    from maestro_cli.cost.rightsizing.report import Rightsizing

FORMATS = ("kubectl", "kustomize", "vpa", "resize")
_IN_PLACE = (
    "# pods that run now are resized in place (Kubernetes 1.33 and later); the next one has the size of its",
    "# template: set that too. A memory limit that falls needs 1.34, or a resizePolicy that restarts.",
)
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
    why = {one.workload: _why_not(one, word) for one in changed}
    known = [one for one in changed if not why[one.workload]]
    left_out = [
        *(f"# left out, {why[one.workload]}: {_told(one)}" for one in changed if why[one.workload]),
        *(f"# left out, for it is injected and in no template: {name}" for name in _injected(found)),
    ]
    if word != "vpa" and not all(one.is_read for one in known):
        left_out.append("# pod templates were not read: what is injected into pods may be among it")
    suggested = list(_suggested(found)) if word == "kubectl" else []
    if not known and not left_out:
        counts = found.decisions
        told = ", ".join(f"{counts[one]} {one.value}" for one in Decision if counts[one])
        return "\n".join([f"# nothing may be set next: {told or 'no container was seen'}", *suggested])
    if word == "resize":
        return "\n".join([*left_out, *_IN_PLACE, *(line for one in known for line in _resized(one))])
    if word == "kubectl":
        commands = (_with_target(one, _kubectl(one)) for one in known)
        return "\n".join([*left_out, *commands, *suggested])
    written = _kustomize if word == "kustomize" else _vpa
    documents = [_with_target(one, dump_yaml(written(one))) for one in known]
    if word == "kustomize":
        documents += [dump_yaml(of) for one in known for of in _targets(one)]
    return "\n".join([*left_out, "---\n".join(documents)])


def _has_figure(one: Advice) -> bool:
    return any(of.vpa.cpu.request is not None for of in one.containers)


def _why_not(one: Advice, word: str) -> str:
    """Why nothing is written of a workload; empty where something is."""
    names = (one.workload.namespace, one.workload.name, *(of.container.container for of in one.containers))
    scaler = () if one.autoscaler is None else (one.autoscaler.name,)
    if not all(_NAME.fullmatch(name) for name in (*names, *one.pods, *scaler)):
        return "for nothing has such a name"
    if word == "resize":
        return "" if one.pods else "for no pod of it runs"
    if one.workload.kind not in _API:
        return f"for how a {visible(one.workload.kind, 60)} is written is not known"
    if one.workload.kind == "Job" and word != "vpa":
        return "for the template of a Job that is made cannot be changed, only what makes the next one"
    return ""


def _injected(found: Rightsizing) -> Iterator[str]:
    """What the rules would change and no template has."""
    for one in found.items:
        for of in one.containers:
            steps = (of.cpu, of.memory)
            if of.place is Place.INJECTED and any(step.decision is Decision.REFUSED for step in steps):
                yield visible(f"{one.workload}/{of.container.container}", 200)


def _told(one: Advice) -> str:
    return visible(str(one.workload), 200)


def _with_target(one: Advice, text: str) -> str:
    """With what is to be set of its autoscaler, first in words."""
    scaler = one.autoscaler
    if scaler is None:
        return text
    name = visible(scaler.name, 100)
    target = f"{scaler.next} % with it, from {scaler.now:g} %"
    told = f"# set the CPU target of the autoscaler {name} to {target}\n{text}"
    if not text.startswith("kubectl"):
        return told
    return "\n".join([told, *kubectl_commands(one.workload.namespace, _move(scaler))])


def _move(scaler: AutoscalerStep) -> AutoscalerMove:
    return AutoscalerMove(scaler.name, cpu=scaler.next, is_alone=scaler.is_alone)


def _targets(one: Advice) -> Iterator[dict[str, Any]]:
    """The autoscaler's patch that goes with the workload's, where all of its metrics are known."""
    scaler = one.autoscaler
    if scaler is not None and scaler.is_alone:
        yield target_document(one.workload.namespace, scaler.name, scaler.next)


def _suggested(found: Rightsizing) -> Iterator[str]:
    """What is suggested of autoscalers: in comments, for none of it goes with a size."""
    for one in found.items:
        for told in one.suggestions:
            names = (one.workload.namespace, "" if told.move is None else told.move.name)
            if told.move is not None and all(_NAME.fullmatch(name) for name in names):
                yield f"# suggested: {visible(told.text, 400)}"
                yield from (f"# {of}" for of in kubectl_commands(one.workload.namespace, told.move))


def _resized(one: Advice) -> Iterator[str]:
    patch = json.dumps({"spec": _parts(one)}, separators=(",", ":"))
    for pod in one.pods:
        words = ["kubectl", "-n", one.workload.namespace, "patch", "pod", pod, "--subresource", "resize"]
        yield shlex.join([*words, "--type", "strategic", "-p", patch])
    if one.autoscaler is not None:
        yield from kubectl_commands(one.workload.namespace, _move(one.autoscaler))


def _kubectl(one: Advice) -> str:
    """A strategic merge patch: containers are found by their names, and nothing else is touched."""
    of = one.workload
    patch = json.dumps(_in_template(one), separators=(",", ":"))
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
        **_in_template(one),
    }


def _in_template(one: Advice) -> dict[str, Any]:
    """Only of containers that are in it: another name would be a container without an image."""
    template = {"template": {"spec": _parts(one)}}
    return {"spec": {"jobTemplate": {"spec": template}} if one.workload.kind == "CronJob" else template}


def _parts(one: Advice) -> dict[str, list[dict[str, Any]]]:
    parts = {of.value: list(_resources(one, of)) for of in (Place.CONTAINER, Place.SIDECAR)}
    return {name: of for name, of in parts.items() if of}


def _resources(one: Advice, place: Place) -> Iterator[dict[str, Any]]:
    for of in one.containers:
        if of.changes and of.place is place:
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
    return (
        one
        for one in containers
        if (one.next.cpu_request or one.next.memory_request) and one.place is not Place.INJECTED
    )


def _policy(one: ContainerAdvice) -> dict[str, Any]:
    least = {"cpu": cores(one.next.cpu_request), "memory": size(one.next.memory_request)}
    return {
        "containerName": one.container.container,
        "minAllowed": {name: text for name, text in least.items() if text is not None},
        "controlledValues": "RequestsOnly",
    }
