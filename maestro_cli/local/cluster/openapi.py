"""OpenAPI v3, as far as `kubectl apply`, `create -f`, `edit` and `explain` read it.

Invariant: every field that a write takes is in it with its type. It says that fields are validated here,
and not how to merge lists, so that kubectl merges by what it has built in, which is the same.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import msgspec

from maestro_cli.local.cluster.discovery import LISTED
from maestro_cli.local.cluster.kinds import Kind
from maestro_cli.local.cluster.shapes import MESSAGES, item_of
from maestro_cli.local.cluster.status import REAL_CLUSTER, Object

_ABOUT = f"The light cluster has no descriptions; {REAL_CLUSTER} has."
_SCALARS: dict[str, Object] = {
    "text": {"type": "string"}, "int": {"type": "integer"}, "bool": {"type": "boolean"},
    "number": {"type": "number"}, "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int-or-text": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}  # fmt: skip


def index() -> Object:
    """The answer of `/openapi/v3`: where the document of each group and version is."""
    paths = dict.fromkeys(_path(kind) for kind in LISTED)
    urls = {path: f"/openapi/v3/{path}?hash={hashlib.sha256(document(path)).hexdigest()}" for path in paths}
    return {"paths": {path: {"serverRelativeURL": url} for path, url in urls.items()}}


def _path(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


@cache
def document(path: str) -> bytes:
    """The document of `apis/apps/v1` or `api/v1`; empty when there is none."""
    kinds = [kind for kind in LISTED if _path(kind) == path]
    if not kinds:
        return b""
    schemas: Object = {}
    for kind in kinds:
        if kind.verbs:
            _add(kind.message, schemas)
        reference = [{"group": kind.group, "version": kind.version, "kind": kind.kind}]
        schema = schemas.setdefault(kind.message, {"type": "object", "description": _ABOUT})
        schema |= {"x-kubernetes-group-version-kind": reference}
    return msgspec.json.encode(
        {
            "openapi": "3.0.0",
            "info": {"title": "maestro", "version": "v1"},
            "paths": {f"/{path}/{_place(kind)}": _operations(kind) for kind in kinds},
            "components": {"schemas": schemas},
        }
    )


def _place(kind: Kind) -> str:
    return (f"namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else kind.plural) + "/{name}"


def _operations(kind: Kind) -> Object:
    about = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    validation = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    write = {
        "x-kubernetes-group-version-kind": about,
        "parameters": [validation],
        "responses": {"200": {"description": "OK"}},
    }
    return dict.fromkeys(("post", "put", "patch"), write)


def _add(message: str, schemas: Object) -> None:
    """The schema of a message and of all that it names."""
    if message in schemas:
        return
    schemas[message] = {"type": "object", "description": _ABOUT}
    fields = MESSAGES[message]
    schemas[message]["properties"] = {name: _schema(form, schemas) for name, form in fields.items()}


def _schema(form: str, schemas: Object) -> Any:
    if form.startswith("@"):
        _add(form[1:], schemas)
        return {"allOf": [{"$ref": f"#/components/schemas/{form[1:]}"}], "description": _ABOUT}
    if form.startswith("["):
        return {"type": "array", "items": _schema(item_of(form), schemas)}
    if form.startswith("{"):
        return {"type": "object", "additionalProperties": _schema(item_of(form), schemas)}
    return _SCALARS[form]
