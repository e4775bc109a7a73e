"""What Chaos Mesh's own webhooks say against a manifest that its tables have nothing against.

Invariant: rules of its v2.8.3, between fields; each concerns a spec whose shape is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maestro_cli.chaos.mesh.kinds import KEY_OF, OTHERS, STEPS
from maestro_cli.chaos.mesh.validation import Violation
from maestro_cli.config.explanation import suggestion
from maestro_cli.config.strict import Path_

Spec = Mapping[str, Any]
_HTTP_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT")
_NEEDS = {"netem": ""}  # of a NetworkChaos: an action and the key that says how much
_NEEDS |= {name: name for name in ("delay", "loss", "duplicate", "corrupt", "bandwidth")}
_CHAOS_STEPS = (*KEY_OF, *OTHERS)


def rejections(kind: str, spec: Spec, at: Path_ = ("spec",)) -> Iterator[Violation]:
    """Of one spec of that kind, at that place."""
    if kind in KEY_OF:
        yield from _choice(spec, at)
    yield from {
        "PodChaos": _pod,
        "NetworkChaos": _network,
        "StressChaos": _stress,
        "IOChaos": _io,
        "HTTPChaos": _http,
        "Schedule": _schedule,
        "Workflow": _workflow,
    }.get(kind, _nothing)(spec, at)


def _nothing(spec: Spec, at: Path_) -> Iterator[Violation]:
    yield from ()


def _choice(spec: Spec, at: Path_) -> Iterator[Violation]:
    mode, value = spec.get("mode"), str(spec.get("value") or "")
    if mode not in ("fixed", "fixed-percent", "random-max-percent"):
        return
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    if mode == "fixed" and number < 1:
        yield Violation((*at, "value"), f"mode {mode} needs a number of pods", 'value: "1"')
    elif mode != "fixed" and not 0 < number <= 100:
        yield Violation((*at, "value"), f"mode {mode} needs a share from 1 to 100", 'value: "25"')


def _pod(spec: Spec, at: Path_) -> Iterator[Violation]:
    if spec.get("action") == "container-kill" and not spec.get("containerNames"):
        yield Violation(at, "container-kill needs the names of containers", "containerNames: [NAME]")


def _network(spec: Spec, at: Path_) -> Iterator[Violation]:
    action, direction = spec.get("action"), spec.get("direction", "to")
    if spec.get("target"):
        yield from _choice(spec["target"], (*at, "target"))
    key = _NEEDS.get(str(action), "")
    if key and not spec.get(key):
        yield Violation(at, f"the action {action} does nothing without {key}", f"{key}: …")
    if action != "partition" and direction != "to":
        if spec.get("externalTargets"):
            text = f"externalTargets of {action} go with direction `to` alone"
            yield Violation((*at, "direction"), text, "direction: to")
        if not spec.get("target"):
            yield Violation((*at, "direction"), f"direction {direction} needs a target", "direction: to")


def _stress(spec: Spec, at: Path_) -> Iterator[Violation]:
    stressors = spec.get("stressors") or {}
    if not spec.get("stressngStressors") and not stressors:
        yield Violation(at, "there is no stressor", "stressors: {cpu: {workers: 1}}")
    for name in ("cpu", "memory"):
        one = stressors.get(name)
        if one is not None and one.get("workers", 0) < 1:
            yield Violation((*at, "stressors", name, "workers"), "is less than one worker", "workers: 1")


def _io(spec: Spec, at: Path_) -> Iterator[Violation]:
    needed = {"latency": "delay", "fault": "errno", "attrOverride": "attr", "mistake": "mistake"}
    key = needed.get(str(spec.get("action")), "")
    if key and not spec.get(key):
        yield Violation(at, f"the action {spec['action']} does nothing without {key}", f"{key}: …")


def _http(spec: Spec, at: Path_) -> Iterator[Violation]:
    method = spec.get("method")
    if method is not None and spec.get("target") == "Request" and method not in _HTTP_METHODS:
        yield Violation((*at, "method"), f"there is no method {method!r}", suggestion(method, _HTTP_METHODS))
    if not any(spec.get(key) for key in ("abort", "delay", "replace", "patch")):
        yield Violation(at, "does nothing: no abort, delay, replace or patch", "delay: 100ms")


def _schedule(spec: Spec, at: Path_) -> Iterator[Violation]:
    kind = str(spec.get("type"))
    if kind == "Workflow":
        yield from _embedded(spec, "workflow", kind, at)
    else:
        yield from _chaos_of(spec, "type", at)


def _workflow(spec: Spec, at: Path_) -> Iterator[Violation]:
    templates: Sequence[Spec] = spec.get("templates") or ()
    names = [str(one.get("name")) for one in templates]
    if spec.get("entry") not in names:
        yield Violation(
            (*at, "entry"), "there is no such template", suggestion(str(spec.get("entry")), names)
        )
    doubles = {name for name, count in Counter(names).items() if count > 1}
    for index, template in enumerate(templates):
        place = (*at, "templates", index)
        if names[index] in doubles:
            yield Violation((*place, "name"), f"there are two templates {names[index]!r}")
        yield from _template(template, names, place)


def _template(template: Spec, names: Sequence[str], at: Path_) -> Iterator[Violation]:
    step = str(template.get("templateType"))
    for index, child in enumerate(template.get("children") or ()):
        if child not in names:
            yield Violation((*at, "children", index), "there is no such template", suggestion(child, names))
    if step in _CHAOS_STEPS:
        key = KEY_OF.get(step, "")
        if "duration" in (template.get(key) or {}):
            text = "a step of a workflow ends by its template's deadline"
            yield Violation((*at, key, "duration"), text, "deadline: 60s beside templateType")
        yield from _chaos_of(template, "templateType", at)
    elif step not in STEPS:
        fix = suggestion(step, (*STEPS, *_CHAOS_STEPS))
        yield Violation((*at, "templateType"), f"there is no step {step!r}", fix)
    elif step == "Suspend" and not template.get("deadline"):
        yield Violation(at, "a step that suspends needs an end", "deadline: 30s")
    elif step == "Schedule":
        inner = template.get("schedule")
        if not inner:
            yield Violation(at, "there is no schedule", "schedule: {schedule: …, type: …}")
        else:
            yield from _schedule(inner, (*at, "schedule"))


def _chaos_of(holder: Spec, word: str, at: Path_) -> Iterator[Violation]:
    """The one chaos that a Schedule or a template holds, as its own word says."""
    kind = str(holder.get(word))
    if kind in OTHERS:
        return
    if kind not in KEY_OF:
        yield Violation((*at, word), f"there is no kind {kind!r}", suggestion(kind, (*KEY_OF, *OTHERS)))
        return
    yield from _embedded(holder, KEY_OF[kind], kind, at)


def _embedded(holder: Spec, key: str, kind: str, at: Path_) -> Iterator[Violation]:
    if not isinstance(holder.get(key), Mapping):
        yield Violation(at, f"is a {kind} without {key}", f"{key}: …")
    else:
        yield from rejections(kind, holder[key], (*at, key))
