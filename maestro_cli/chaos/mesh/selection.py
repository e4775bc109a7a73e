"""Whom a selector of Chaos Mesh matches, and how many of them a mode takes.

Invariant: a selector that cannot be told from what maestro sees raises; it never matches nobody in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from maestro_cli.chaos.mesh.demands import named_pods
from maestro_cli.chaos.mesh.kinds import KEY_OF
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Node, Pod

Spec = Mapping[str, Any]
Pods = Mapping[str, Sequence[str]]  # names, by namespace
_UNSEEN = ("annotationSelectors", "fieldSelectors")


def matched(spec: Spec, namespace: str, pods: Sequence[Pod], nodes: Sequence[Node]) -> list[Pod]:
    """Those of `pods` that the selector of a spec in that namespace matches. Raises UsageError."""
    selector: Spec = spec["selector"]
    named = named_pods(selector)
    if named:  # then Chaos Mesh looks at nothing else
        return [pod for pod in pods if (pod.namespace, pod.name) in named]
    for key in _UNSEEN:
        if selector.get(key):
            raise UsageError(f"whom {key} match cannot be told from here", fix="select by labels")
    labels = {node.name: node.labels for node in nodes}
    return [pod for pod in pods if _matches(pod, selector, namespace, labels.get(pod.node, {}))]


def most(spec: Spec, matching: int) -> int:
    """How many of so many its mode takes at most."""
    mode, value = spec["mode"], int(spec.get("value") or 0)
    if mode == "one":
        return min(1, matching)
    if mode == "fixed":
        return min(value, matching)
    return matching if mode == "all" else matching * value // 100


def far_ends(kind: str, spec: Spec) -> Iterator[Spec]:
    """The other ends of connections that are altered too: of a partition always, else by its direction.

    Chaos Mesh puts rules into those pods as into the ones that the selector matches.
    """
    for one in specs_of(kind, spec):
        if isinstance(one.get("target"), Mapping) and _alters_both(one):
            yield one["target"]


def namespaces_of(spec: Spec, namespace: str) -> set[str]:
    """Where the selector of a spec in that namespace looks for pods."""
    selector: Spec = spec["selector"]
    return {*(selector.get("namespaces") or ()), *(selector.get("pods") or ())} or {namespace}


def specs_of(kind: str, spec: Spec) -> Iterator[Spec]:
    """The specs that select pods: of a chaos its own, of a Schedule or Workflow those that it holds."""
    if kind in KEY_OF:
        yield spec
        return
    for key in KEY_OF.values():
        if key in spec:
            yield spec[key]
    if "workflow" in spec:
        yield from specs_of("Workflow", spec["workflow"])
    for template in spec.get("templates") or ():
        yield from specs_of("Template", template)
    if isinstance(spec.get("schedule"), Mapping):  # of a template; in a Schedule that key is its times
        yield from specs_of("Schedule", spec["schedule"])


def narrowed(kind: str, spec: Spec, pods: Pods) -> dict[str, Any]:
    """The same, but for these pods and no others, by namespace, wherever it selects some."""
    if kind in KEY_OF:
        return _exactly(spec, pods)
    made = dict(spec)
    for key in spec.keys() & _KIND_OF.keys():
        made[key] = narrowed(_KIND_OF[key], spec[key], pods)
    if isinstance(spec.get("templates"), list):
        made["templates"] = [narrowed("Template", one, pods) for one in spec["templates"]]
    if isinstance(spec.get("schedule"), Mapping):
        made["schedule"] = narrowed("Schedule", spec["schedule"], pods)
    return made


def with_far_ends(kind: str, spec: Spec, found: Callable[[Spec], Pods]) -> dict[str, Any]:
    """The same, but for its far ends: they are the pods that `found` says of each, by namespace; those of
    what a Schedule holds stay.
    """
    if kind in KEY_OF:
        if not any(True for _ in far_ends(kind, spec)):
            return dict(spec)
        return {**spec, "target": _exactly(spec["target"], found(spec["target"]))}
    made = dict(spec)
    for key in spec.keys() & _KIND_OF.keys():
        made[key] = with_far_ends(_KIND_OF[key], spec[key], found)
    if isinstance(spec.get("templates"), list):
        made["templates"] = [with_far_ends("Template", one, found) for one in spec["templates"]]
    return made


_KIND_OF = {**{key: kind for kind, key in KEY_OF.items()}, "workflow": "Workflow"}


def _alters_both(spec: Spec) -> bool:
    return spec.get("action") == "partition" or spec.get("direction", "to") != "to"


def _exactly(spec: Spec, pods: Pods) -> dict[str, Any]:
    exact = {"selector": {"pods": {name: list(names) for name, names in pods.items()}}, "mode": "all"}
    return {**{key: value for key, value in spec.items() if key != "value"}, **exact}


def _matches(pod: Pod, selector: Spec, namespace: str, node: Mapping[str, str]) -> bool:
    phases = [str(one).lower() for one in selector.get("podPhaseSelectors") or ()]
    return (
        pod.namespace in (selector.get("namespaces") or [namespace])
        and _has(pod.labels, selector.get("labelSelectors") or {})
        and all(_meets(pod.labels, one) for one in selector.get("expressionSelectors") or ())
        and (not selector.get("nodes") or pod.node in selector["nodes"])
        and _has(node, selector.get("nodeSelectors") or {})
        and (not phases or pod.phase.lower() in phases)
    )


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _meets(labels: Mapping[str, str], requirement: Spec) -> bool:
    """One of `metav1.LabelSelectorRequirement`."""
    key, values = requirement["key"], requirement.get("values") or ()
    operator = requirement["operator"]
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) is (operator == "Exists")
    raise UsageError(f"{operator!r} is no operator of a selector", fix="In, NotIn, Exists, DoesNotExist")
