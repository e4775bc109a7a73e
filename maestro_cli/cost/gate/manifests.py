"""Manifests as what they ask for.

Workloads are told by their kind, of Kubernetes or of an operator; an autoscaler gives its target a range.
Anything else of Kubernetes costs nothing by itself, but claims and load balancers; any other custom resource
starts what is not in the file, which is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from maestro_cli.config.strict import Document
from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.autoscalers import Autoscaler, autoscaler_of, is_autoscaler, scaled
from maestro_cli.cost.gate.defaults import container_defaults, runtime_overheads
from maestro_cli.cost.gate.kinds import is_built_in, is_free, is_meant
from maestro_cli.cost.gate.model import Asked, Assumed, Manifests, Span
from maestro_cli.cost.gate.objects import ManifestObject, objects_of
from maestro_cli.cost.gate.operators import custom
from maestro_cli.cost.gate.reading import Reading
from maestro_cli.cost.gate.workloads import POD, built_in

_TEMPLATE_ELSEWHERE = ("spec", "workloadRef")  # of a Rollout of Argo


def read_manifests(
    documents: Iterable[Document],
    assumed: Assumed,
    *,
    standing: Mapping[ObjectRef, Span] | None = None,
    kept: Iterable[Document] = (),
    applied: Mapping[ObjectRef, ManifestObject] | None = None,
) -> Manifests:
    """What all of them ask for; raises InvalidFile for what is no manifest, or is there twice.

    `standing` are the replicas of objects whose manifests say none; `kept` are autoscalers that stay as they
    are where no document names them; `applied` stand in for manifests that change nothing of them.
    """
    found = [(applied or {}).get(one.ref, one) for one in objects_of(documents, assumed.namespace)]
    named = {one.ref for one in found}
    found += [one for one in objects_of(kept, assumed.namespace) if one.ref not in named]
    asked: dict[ObjectRef, Asked] = {}
    autoscalers: list[Autoscaler] = []
    defaults, overheads = container_defaults(found), runtime_overheads(found)
    for one in found:
        if is_autoscaler(one.ref):
            scaler = autoscaler_of(one)
            if scaler is not None and not (scaler.span is None and is_meant(one.ref.kind, assumed.ignored)):
                autoscalers.append(scaler)
            continue
        reading = Reading(one, assumed, defaults.get(one.ref.namespace, {}), standing or {}, overheads)
        costs = _asked(reading, found)
        if costs is not None:
            asked[one.ref] = _ignored(costs, one.ref, assumed)
    return Manifests(*scaled(asked, autoscalers))


def _asked(reading: Reading, all_of_them: Iterable[ManifestObject]) -> Asked | None:
    one = reading.one
    if is_built_in(one.ref.kind):
        return built_in(reading)
    if is_free(one.ref.kind):
        return None
    if not reading.has_pod(POD) and one.value(_TEMPLATE_ELSEWHERE) is not None:
        return _of_another(reading, all_of_them)
    return custom(reading)


def _of_another(reading: Reading, all_of_them: Iterable[ManifestObject]) -> Asked:
    """Pods of a template that another object has."""
    one = reading.one
    kind, name = (one.text((*_TEMPLATE_ELSEWHERE, key)) for key in ("kind", "name"))
    wanted = ref_of(kind, one.ref.namespace, name)
    for other in all_of_them:
        if other.ref == wanted:
            template = replace(reading, one=other).pod(POD)
            return reading.replicated(template)
    lacks = f"{visible(str(wanted), 120)}, whose pods it starts, is not there"
    return Asked(least=0.0, most=0.0, unknown=(lacks,), content=one.content)


def _ignored(asked: Asked, ref: ObjectRef, assumed: Assumed) -> Asked:
    """Without what is not known of it, where somebody says that this is nothing."""
    if not is_meant(ref.kind, assumed.ignored):
        return asked
    whole = _unknown(asked)
    told = (f"taken for nothing, as asked: {one}" for one in dict.fromkeys(whole))
    return replace(_known(asked), notes=(*asked.notes, *told))


def _unknown(asked: Asked) -> list[str]:
    return [*asked.unknown, *(text for one in asked.parts for text in _unknown(one))]


def _known(asked: Asked) -> Asked:
    return replace(asked, unknown=(), parts=tuple(map(_known, asked.parts)))
