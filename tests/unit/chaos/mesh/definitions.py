"""Resource definitions of Chaos Mesh, made from maestro's tables: what a real API server gets in tests."""

from __future__ import annotations

from typing import Any

from maestro_cli.chaos.mesh.fields import GROUP, NETEM_TIME, VERSION
from maestro_cli.chaos.mesh.kinds import KINDS, MeshKind
from maestro_cli.chaos.mesh.notation import TEXTS, Type, fields_of

_FORMATS = {"int32": "int32", "port": "int32", "int64": "int64", "byte": "byte", "time": "date-time"}
_OPAQUE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_TOP = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def definition(kind: MeshKind) -> dict[str, Any]:
    """Its CustomResourceDefinition."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": root(kind)},
        **({"subresources": {"status": {}}} if kind.status_apart else {}),
    }
    singular = kind.name.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {"kind": kind.name, "listKind": f"{kind.name}List", "plural": kind.plural,
                      "singular": singular},
            "scope": "Namespaced",
            "versions": [version],
        },
    }  # fmt: skip


def definitions() -> list[dict[str, Any]]:
    return [definition(kind) for kind in KINDS.values()]


def root(kind: MeshKind) -> dict[str, Any]:
    """The schema of the whole object."""
    made = {
        "type": "object",
        "properties": {**_TOP, "spec": _shape(kind.spec), "status": _shape(kind.status)},
    }
    return {**made, "required": ["spec"]} if kind.needs_spec else made


def _shape(name: str) -> dict[str, Any]:
    fields = fields_of(name)
    made: dict[str, Any] = {
        "type": "object",
        "properties": {key: _schema(type_) for key, type_ in fields.types.items()},
    }
    return {**made, "required": sorted(fields.required)} if fields.required else made


def _schema(type_: Type) -> dict[str, Any]:
    made = _bare(type_)
    if type_.low is not None or type_.above is not None:
        made["minimum"] = type_.low if type_.low is not None else type_.above
    if type_.above is not None:
        made["exclusiveMinimum"] = True
    if type_.high is not None:
        made["maximum"] = type_.high
    if type_.default is not None:
        made["default"] = int(type_.default) if made["type"] == "integer" else type_.default
    if type_.may_be_null:
        made["nullable"] = True
    if type_.atomic == "list":
        made["x-kubernetes-list-type"] = "atomic"
    if type_.atomic == "map":
        made["items"]["x-kubernetes-map-type"] = "atomic"
    return made


def _bare(type_: Type) -> dict[str, Any]:
    if type_.name == "list":
        assert type_.inner is not None
        return {"type": "array", "items": _schema(type_.inner)}
    if type_.name == "map":
        assert type_.inner is not None
        return {"type": "object", "additionalProperties": _schema(type_.inner)}
    if type_.name == "words":
        return {"type": "string", "enum": list(type_.words)}
    if type_.name == "object":
        return dict(_OPAQUE)
    if type_.name == "bool":
        return {"type": "boolean"}
    if type_.name == "netem":
        return {"type": "string", "pattern": NETEM_TIME}
    if type_.name in TEXTS or type_.name in (*_FORMATS, "int", "percent"):
        made = {"type": "string" if type_.name in TEXTS else "integer"}
        return {**made, "format": _FORMATS[type_.name]} if type_.name in _FORMATS else made
    return _shape(type_.name)
