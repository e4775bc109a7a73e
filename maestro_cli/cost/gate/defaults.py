"""What others add to pods: a LimitRange to containers without requests, a RuntimeClass to each of its own.

    defaultRequest, else default, else max, else min, of those of type Container, as the API server completes
    them (Kubernetes, pkg/apis/core/v1, SetDefaults_LimitRangeItem)

Invariant: of several in a namespace, which Kubernetes takes is not said: the largest, which is never too
cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from maestro_cli.cost.gate.objects import ManifestObject
from maestro_cli.cost.gate.pods import PodReader

_KEYS = ("min", "max", "default", "defaultRequest")  # the last that says it


def container_defaults(objects: Iterable[ManifestObject]) -> dict[str, dict[str, float]]:
    """By namespace, requests by resource."""
    found: dict[str, dict[str, float]] = {}
    for one in objects:
        if one.ref.kind != "LimitRange":
            continue
        reader = PodReader(one.document)
        for path in one.items(("spec", "limits")):
            if one.text((*path, "type")) != "Container":
                continue
            given: dict[str, float] = {}
            for key in _KEYS:
                for name, value in one.mapping((*path, key)).items():
                    given[name] = reader.quantity(value, one.at((*path, key, name)))
            here = found.setdefault(one.ref.namespace, {})
            for name, amount in given.items():
                here[name] = max(amount, here.get(name, 0.0))
    return found


def runtime_overheads(objects: Iterable[ManifestObject]) -> dict[str, Mapping[str, Any]]:
    """By the name of a RuntimeClass, what each pod of it needs besides."""
    return {
        one.ref.name: one.mapping(("overhead", "podFixed"))
        for one in objects
        if one.ref.kind == "RuntimeClass"
    }
