"""The objects of files of manifests, one by one, each with its place for what is wrong with it.

Invariant: an object is there once; several that only begin alike (`generateName`) are told apart by their
order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.config.strict import Document, Path_
from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.kinds import qualified

_MOST_REPLICAS = 2**31 - 1  # an int32 of the API
_NAMES = ("apiVersion", "kind", "metadata", "status")


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """One object of a document, which is at `root` of it. Its reference has the qualified kind."""

    document: Document
    body: Mapping[str, Any]
    root: Path_
    ref: ObjectRef

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.mapping(("spec",))

    @property
    def annotations(self) -> Mapping[str, Any]:
        return self.mapping(("metadata", "annotations"))

    @property
    def content(self) -> str:
        """A digest of all but its names and its state."""
        told = {key: value for key, value in self.body.items() if key not in _NAMES}
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()

    def at(self, path: Path_) -> Path_:
        """A place in it as one of the document."""
        return (*self.root, *path)

    def value(self, path: Path_) -> Any:
        """What is at a place, None where there is nothing; raises InvalidFile where a parent holds none."""
        found: Any = self.body
        for index, key in enumerate(path):
            if isinstance(key, int):
                found = found[key]
                continue
            if found is not None and not isinstance(found, Mapping):
                raise self.document.fail("is no mapping", self.at(path[:index]))
            found = None if found is None else found.get(key)
        return found

    def mapping(self, path: Path_) -> Mapping[str, Any]:
        """The mapping at a place, empty where there is none."""
        found = self.value(path)
        if found is not None and not isinstance(found, Mapping):
            raise self.document.fail("is no mapping", self.at(path))
        return found or {}

    def items(self, path: Path_) -> Iterator[Path_]:
        """The places of the mappings in the sequence at a place, none where there is none."""
        found = self.value(path)
        if found is not None and not isinstance(found, list):
            raise self.document.fail("is no sequence", self.at(path))
        for index, one in enumerate(found or ()):
            if not isinstance(one, Mapping):
                raise self.document.fail("is no mapping", self.at((*path, index)))
            yield (*path, index)

    def count(self, path: Path_, default: int | None = None) -> float | None:
        """A number of replicas."""
        found = self.value(path)
        if found is None:
            return None if default is None else float(default)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= _MOST_REPLICAS:
            raise self.document.fail(
                "is no number of replicas", self.at(path), fix="a whole number, such as 3"
            )
        return float(found)

    def text(self, path: Path_) -> str:
        found = self.value(path)
        return found if isinstance(found, str) else ""


def objects_of(documents: Iterable[Document], namespace: str) -> Iterator[ManifestObject]:
    """Each object, those of lists too; `namespace` is that of those that name none.

    Raises InvalidFile for what is no manifest, or is there twice.
    """
    seen: set[ObjectRef] = set()
    for document in documents:
        for body, root in _bodies(document, document.data, ()):
            ref, is_new = _ref(document, body, root, namespace)
            if is_new and ref in seen:
                more = sum(1 for one in seen if one.name.partition("#")[0] == ref.name) + 1
                ref = ref_of(ref.kind, ref.namespace, f"{ref.name}#{more}")
            if ref in seen:
                raise document.fail(f"{visible(str(ref), 120)} is there twice", root)
            seen.add(ref)
            yield ManifestObject(document, body, root, ref)


def _bodies(document: Document, data: Any, root: Path_) -> Iterator[tuple[Mapping[str, Any], Path_]]:
    """The objects of a document, with their place. Whatever has `items` is a list, as kubectl has it: its own
    kind says nothing.
    """
    if data is None and not root:
        return
    if not isinstance(data, Mapping):
        raise document.fail("is no manifest", root, why="it is no mapping with apiVersion and kind")
    items = data.get("items")
    if items is None:
        yield data, root
        return
    if not isinstance(items, list):
        raise document.fail("is no sequence", (*root, "items"))
    for index, item in enumerate(items):
        yield from _bodies(document, item, (*root, "items", index))


def _ref(document: Document, body: Mapping[str, Any], root: Path_, namespace: str) -> tuple[ObjectRef, bool]:
    """How it is named, and whether the cluster is to complete that name."""
    meta = body.get("metadata")
    api, kind = body.get("apiVersion"), body.get("kind")
    if not isinstance(api, str) or not isinstance(kind, str):
        raise document.fail("is no manifest", root, why="apiVersion or kind is missing")
    if not kind[:1].isupper():
        raise document.fail("is no kind", (*root, "kind"), why="kinds begin with a capital letter")
    given = meta if isinstance(meta, Mapping) else {}
    is_new = given.get("name") is None
    name = given.get("generateName") if is_new else given.get("name")
    if not isinstance(name, str) or not name:
        fix = "give the folder that it builds, by itself" if kind == "Kustomization" else ""
        raise document.fail("has no name", (*root, "metadata", "name"), fix=fix)
    where = given.get("namespace")
    return ref_of(
        qualified(api, kind), where if isinstance(where, str) and where else namespace, name
    ), is_new
