"""What maestro demands of a manifest that Chaos Mesh would take.

Invariant: what it lets pass ends by itself (of a Schedule, what it makes each time), names whom it meets, and
never means everybody. How many a selector matches is not known from a file: that is counted before a run, by
the guard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maestro_cli.chaos.mesh.kinds import KEY_OF, OTHERS
from maestro_cli.chaos.mesh.scalars import go_seconds
from maestro_cli.chaos.mesh.validation import Violation
from maestro_cli.config.strict import Path_

Spec = Mapping[str, Any]
ONE_SHOT = {("PodChaos", "pod-kill"), ("PodChaos", "container-kill")}
_PLACES = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region", "kubernetes.io/hostname")
_NARROWING = (
    "labelSelectors",
    "expressionSelectors",
    "annotationSelectors",
    "fieldSelectors",
    "nodes",
    "nodeSelectors",
)


def is_one_shot(kind: str, spec: Spec) -> bool:
    """Whether it is done once, and has no duration."""
    return (kind, str(spec.get("action"))) in ONE_SHOT


def demands(kind: str, spec: Spec, at: Path_ = ("spec",)) -> Iterator[Violation]:
    """What is missing in one spec of that kind."""
    if kind == "Schedule":
        yield from _held(spec, "type", at)
    elif kind == "Workflow":
        for index, template in enumerate(spec.get("templates") or ()):
            yield from _template(template, (*at, "templates", index))
    else:
        if not is_one_shot(kind, spec):
            yield from _end(spec.get("duration"), "duration", at)
        yield from _bounds(spec, at)


def named_pods(selector: Spec) -> list[tuple[str, str]]:
    """The pods that a selector names, as namespace and name; then it selects no others."""
    return [(namespace, name) for namespace, names in (selector.get("pods") or {}).items() for name in names]


def _template(template: Spec, at: Path_) -> Iterator[Violation]:
    step = str(template.get("templateType"))
    if step in KEY_OF or step in OTHERS:
        yield from _held(template, "templateType", at)
    elif step == "Schedule":
        yield from _end(template.get("deadline"), "deadline", at)
        yield from _held(template.get("schedule") or {}, "type", (*at, "schedule"))
    elif step == "Task":
        yield Violation((*at, "templateType"), "a container of its own does what maestro cannot bound")


def _held(holder: Spec, word: str, at: Path_) -> Iterator[Violation]:
    """Of the chaos inside a Schedule or a template."""
    kind = str(holder.get(word))
    if kind == "Workflow":
        yield from demands(kind, holder.get("workflow") or {}, (*at, "workflow"))
        return
    if kind in OTHERS:
        yield Violation((*at, word), f"maestro cannot tell whom a {kind} meets")
        return
    spec, place = holder.get(KEY_OF.get(kind, "")), (*at, KEY_OF.get(kind, ""))
    if not isinstance(spec, Mapping):
        return  # said by others
    if word == "templateType":
        yield from _end(holder.get("deadline"), "deadline", at)
    elif not is_one_shot(kind, spec):
        yield from _end(spec.get("duration"), "duration", place)
    yield from _bounds(spec, place)


def _end(text: Any, key: str, at: Path_) -> Iterator[Violation]:
    if text in (None, ""):
        yield Violation(at, f"without {key} it lasts until somebody deletes it", f"{key}: 60s")
    elif isinstance(text, str):
        try:
            seconds = go_seconds(text)
        except ValueError:
            return  # said by the tables
        if seconds <= 0:
            yield Violation((*at, key), "is no time at all", f"{key}: 60s")


def _bounds(spec: Spec, at: Path_) -> Iterator[Violation]:
    yield from _selection(spec, at)
    if isinstance(spec.get("target"), Mapping):
        yield from _narrow(spec["target"].get("selector"), (*at, "target", "selector"))
    if spec.get("remoteCluster"):
        yield Violation(
            (*at, "remoteCluster"),
            "pods of another cluster cannot be counted from here",
            "run it in a context of that cluster",
        )


def _selection(spec: Spec, at: Path_) -> Iterator[Violation]:
    selector = spec.get("selector")
    yield from _narrow(selector, (*at, "selector"))
    mode, value = spec.get("mode"), str(spec.get("value") or "")
    if mode == "all" and not (isinstance(selector, Mapping) and _is_exact(selector)):
        text = "mode all is for pods that are named one by one, and for those of one zone or node"
        yield Violation((*at, "mode"), text, 'mode: fixed-percent, value: "25"')
    elif mode in ("fixed-percent", "random-max-percent") and value.isdigit() and int(value) > 99:
        yield Violation((*at, "value"), "means all of them", 'value: "25"')


def _is_exact(selector: Spec) -> bool:
    """Whether it names its pods, or matches in one place alone."""
    places = selector.get("nodeSelectors") or {}
    return bool(named_pods(selector) or selector.get("nodes") or any(key in places for key in _PLACES))


def _narrow(selector: Any, at: Path_) -> Iterator[Violation]:
    if not isinstance(selector, Mapping):
        return
    if not any(selector.get(key) for key in _NARROWING) and not named_pods(selector):
        text = "matches every pod" + (" of its namespaces" if selector.get("namespaces") else "")
        yield Violation(at, text, "labelSelectors: {app: …}")
