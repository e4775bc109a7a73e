"""What sets replicas or requests by itself: the range it permits, what of its target is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.kinds import qualified
from maestro_cli.cost.gate.model import Asked, Span
from maestro_cli.cost.gate.objects import ManifestObject

LEFT_OUT = "says no replicas and is counted as 1: more may run"
HORIZONTAL, KEDA = "HorizontalPodAutoscaler", "ScaledObject.keda.sh"
KEDA_PREFIX = "keda-hpa-"  # of the HorizontalPodAutoscaler that KEDA keeps for one
_VERTICAL = "VerticalPodAutoscaler.autoscaling.k8s.io"
_KEDA_MOST = 100  # maxReplicaCount that is left out
_KEYS = {
    HORIZONTAL: ("scaleTargetRef", "minReplicas", 1, "maxReplicas", None),
    KEDA: ("scaleTargetRef", "minReplicaCount", 0, "maxReplicaCount", _KEDA_MOST),
}
_PAUSED = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")
_IDLE = ("spec", "idleReplicaCount")  # of KEDA, where nothing is to be done


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """What one permits its target: a `span` of replicas, or requests that are its own affair."""

    ref: ObjectRef
    target: ObjectRef
    span: Span | None
    unknown: tuple[str, ...] = ()
    content: str = ""


def autoscaler_of(one: ManifestObject) -> Autoscaler | None:
    """Of a HorizontalPodAutoscaler, KEDA's ScaledObject or a VerticalPodAutoscaler; None of others."""
    if one.ref.kind == _VERTICAL:
        if one.text(("spec", "updatePolicy", "updateMode")) == "Off":
            return None
        target = _target(one, "targetRef")
        return Autoscaler(
            one.ref, target, None, ("a VerticalPodAutoscaler sets what it asks for",), one.content
        )
    keys = _KEYS.get(one.ref.kind)
    if keys is None:
        return None
    where, low, low_default, high, high_default = keys
    least, most = one.count(("spec", low), low_default), one.count(("spec", high), high_default)
    if most is None or least is None:
        raise one.document.fail("is missing", one.at(("spec", high)))
    if most < least:
        raise one.document.fail(f"is below {low}", one.at(("spec", high)))
    is_paused = any(key in one.annotations for key in _PAUSED)
    unknown = ("at how many replicas its autoscaler is paused",) if is_paused else ()
    idle = one.count(_IDLE) if one.ref.kind == KEDA else None
    least = least if idle is None else min(idle, least)
    return Autoscaler(one.ref, _target(one, where), Span(least, most), unknown)


def is_autoscaler(ref: ObjectRef) -> bool:
    return ref.kind in (*_KEYS, _VERTICAL)


def scaled(
    asked: Mapping[ObjectRef, Asked], autoscalers: Iterable[Autoscaler]
) -> tuple[dict[ObjectRef, Asked], frozenset[ObjectRef]]:
    """Targets with what all their autoscalers permit, and the targets that are not there.

    An autoscaler whose target is not there stands for itself.
    """
    found, spans, elsewhere = dict(asked), dict[ObjectRef, Span](), set[ObjectRef]()
    for one in autoscalers:
        named = _found(one.target, asked)
        target = found.get(named)
        if target is None:
            elsewhere.add(one.target)
            lacks = f"{visible(str(one.target), 120)}, which it scales, is not there"
            span = one.span or Span(0.0, 0.0)
            found[one.ref] = Asked(least=span.least, most=span.most, unknown=(lacks,), content=one.content)
            continue
        if one.span is not None:
            before = spans.get(named, one.span)
            span = Span(min(before.least, one.span.least), max(before.most, one.span.most))
            spans[named] = span
            notes = tuple(note for note in target.notes if note != LEFT_OUT)
            target = replace(target, least=span.least, most=span.most, notes=notes)
            if target.parts:
                target = replace(target, unknown=(*target.unknown, "how its autoscaler scales its parts"))
        found[named] = replace(
            target, unknown=(*target.unknown, *one.unknown), content=target.content + one.content
        )
    return found, frozenset(elsewhere)


def _target(one: ManifestObject, where: str) -> ObjectRef:
    """What it scales; without an API version the kind alone is known, or KEDA's own default."""
    kind = one.text(("spec", where, "kind")) or "Deployment"
    api = one.text(("spec", where, "apiVersion"))
    return ref_of(qualified(api, kind) if api else kind, one.ref.namespace, one.text(("spec", where, "name")))


def _found(target: ObjectRef, asked: Mapping[ObjectRef, Asked]) -> ObjectRef:
    """The target by its qualified kind, else the one of its kind in any group."""
    if target in asked or "." in target.kind:
        return target
    alike = (
        ref
        for ref in asked
        if (ref.kind.partition(".")[0], ref.namespace, ref.name)
        == (target.kind, target.namespace, target.name)
    )
    return next(alike, target)
