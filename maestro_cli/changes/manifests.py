"""Manifests of Helm releases compared, object by object.

Invariant: no value of a Secret is shown, nor one that looks like a secret; that it differs is. What is not
plain YAML is compared as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.changes.model import DiffLine
from maestro_cli.changes.template import diff_objects
from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.core.untrusted import Untrusted, visible

MAX_LINES = 2000
_SEPARATOR = re.compile(r"^---[^\n]*$", re.MULTILINE)
_COMMENT = re.compile(r"\A(?:\s*#[^\n]*\n?)*")
Objects = Mapping[ObjectRef, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """What a rollback alters: objects by verb, and the lines that differ."""

    created: tuple[ObjectRef, ...]
    deleted: tuple[ObjectRef, ...]
    patched: tuple[ObjectRef, ...]
    lines: tuple[DiffLine, ...]
    before: Objects
    after: Objects

    @property
    def touched(self) -> tuple[ObjectRef, ...]:
        return (*self.created, *self.deleted, *self.patched)


def diff_manifests(before: str, after: str, namespace: str) -> ManifestDiff:
    """The objects that differ; both are what Helm rendered for a release in that namespace."""
    old, new = _documents(before), _documents(after)
    left = _objects([text for text in old if text not in set(new)], namespace)
    right = _objects([text for text in new if text not in set(old)], namespace)
    created = tuple(sorted(set(right) - set(left), key=str))
    deleted = tuple(sorted(set(left) - set(right), key=str))
    lines = [DiffLine(Untrusted(str(ref)), None, Untrusted("created")) for ref in created]
    lines += [DiffLine(Untrusted(str(ref)), Untrusted("there"), Untrusted("deleted")) for ref in deleted]
    patched = []
    for ref in sorted(set(left) & set(right), key=str):
        found = diff_objects(str(ref), left[ref], right[ref], secret=ref.kind == "Secret")
        if found:
            patched.append(ref)
            lines += found
    return ManifestDiff(created, deleted, tuple(patched), tuple(lines[:MAX_LINES]), left, right)


def _documents(manifest: str) -> list[str]:
    found = (_COMMENT.sub("", text, count=1).strip() for text in _SEPARATOR.split(manifest))
    return [text for text in found if text]


def _objects(documents: list[str], namespace: str) -> Objects:
    objects: dict[ObjectRef, Mapping[str, Any]] = {}
    for text in documents:
        try:
            data = parse_yaml(text, "manifest").data
        except InvalidFile:
            data = None
        if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
            objects[ObjectRef("Document", "", digest(text)[:12])] = {}
            continue
        meta = data.get("metadata")
        meta = meta if isinstance(meta, Mapping) else {}
        where, name = str(meta.get("namespace") or namespace), str(meta.get("name") or "")
        objects[ref_of(visible(data["kind"], 60), visible(where, 63), visible(name, 253))] = data
    return objects
