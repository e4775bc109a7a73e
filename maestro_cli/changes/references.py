"""Config maps and secrets that a pod template refers to. Invariant: pure; what is no reference is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = {"ConfigMap": "config map", "Secret": "secret"}
# field of a template that refers: kind, and the key that holds the name
_FIELDS = {
    "configMapRef": ("ConfigMap", "name"),
    "secretRef": ("Secret", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "secretKeyRef": ("Secret", "name"),
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
}


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A config map or secret that pods read; `key` is the one that they read of it, if it is one."""

    kind: str
    name: str
    key: str = ""
    optional: bool = False

    def __str__(self) -> str:
        return f"{WORDS[self.kind]} {self.name}"


def needed_by(template: Mapping[str, Any]) -> frozenset[Reference]:
    """Those that a pod of this template cannot start without."""
    return frozenset(one for one in _walk(template.get("spec"), "") if not one.optional)


def read_by(template: Mapping[str, Any]) -> frozenset[Reference]:
    """All that a pod of this template reads, optional ones too."""
    return frozenset(_walk(template.get("spec"), ""))


def config_maps_of(template: Mapping[str, Any]) -> frozenset[str]:
    """The names of all config maps that a pod of this template reads, optional ones too."""
    return frozenset(one.name for one in _walk(template.get("spec"), "") if one.kind == "ConfigMap")


def mounted_config_maps(template: Mapping[str, Any]) -> frozenset[str]:
    """The names of the config maps that a pod of this template has as files."""
    spec = template.get("spec")
    volumes = spec.get("volumes") if isinstance(spec, Mapping) else None
    return frozenset(one.name for one in _walk(volumes, "") if one.kind == "ConfigMap")


def _walk(value: Any, field: str) -> Iterator[Reference]:
    if isinstance(value, Mapping):
        kind, key = _FIELDS.get(field, ("", ""))
        name = value.get(key) or value.get("name")  # of a projected secret it is `name` as well
        if kind and isinstance(name, str) and name:
            wanted = value.get("key") if field.endswith("KeyRef") else ""
            yield Reference(
                kind, name, wanted if isinstance(wanted, str) else "", bool(value.get("optional"))
            )
            return
        for name, item in value.items():
            yield from _walk(item, str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _walk(item, "")
