"""Which config maps a pod template refers to. Invariant: pure; what is no reference is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def config_maps_of(template: Mapping[str, Any]) -> frozenset[str]:
    """The names of the config maps in its volumes, its environment and its variables."""
    spec = template.get("spec")
    return frozenset(_names(spec if isinstance(spec, Mapping) else {}))


def _names(spec: Mapping[str, Any]) -> Iterator[str]:
    for volume in _maps(spec.get("volumes")):
        yield from _named(volume.get("configMap"))
        for source in _maps(_map(volume.get("projected")).get("sources")):
            yield from _named(source.get("configMap"))
    for place in ("containers", "initContainers"):
        for container in _maps(spec.get(place)):
            for source in _maps(container.get("envFrom")):
                yield from _named(source.get("configMapRef"))
            for variable in _maps(container.get("env")):
                yield from _named(_map(variable.get("valueFrom")).get("configMapKeyRef"))


def _named(reference: object) -> Iterator[str]:
    name = _map(reference).get("name")
    if isinstance(name, str) and name:
        yield name


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()
