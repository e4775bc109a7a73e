"""Chaos Mesh manifests as files: read, and everything that is wrong with one, at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maestro_cli.chaos.mesh.admission import rejections
from maestro_cli.chaos.mesh.demands import demands
from maestro_cli.chaos.mesh.fields import GROUP
from maestro_cli.chaos.mesh.validation import Violation, violations
from maestro_cli.config.strict import Document, parse_yaml_all, read_text
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.lint import Finding

RULES: Mapping[str, str] = {
    "mesh-invalid": "a field of Chaos Mesh is missing, unknown or of another type",
    "mesh-rejected": "Chaos Mesh would not take it, or do nothing",
    "mesh-unbounded": "it does not end by itself, or may meet everybody",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """One resource that maestro may create; nothing is wrong with it."""

    kind: str
    namespace: str
    name: str
    document: Mapping[str, Any] = field(repr=False)

    @property
    def spec(self) -> Mapping[str, Any]:
        spec: Mapping[str, Any] = self.document["spec"]
        return spec


def mesh_documents(path: Path) -> tuple[Document, ...] | None:
    """The documents of a file of Chaos Mesh manifests; None for a file that holds none.

    Raises InvalidFile when it cannot be read, or mixes them with others.
    """
    text = read_text(path)
    if GROUP not in text:
        return None
    documents = tuple(one for one in parse_yaml_all(text, str(path)) if one.data is not None)
    ours = [one for one in documents if _is_ours(one.data)]
    if not ours:
        return None
    if len(ours) != len(documents):
        other = next(one for one in documents if one not in ours)
        raise other.fail("is no resource of Chaos Mesh, unlike others in this file")
    return documents


def read_manifest(path: Path) -> Manifest:
    """The one manifest of a file; raises InvalidFile with the first thing that is wrong with it."""
    documents = mesh_documents(path)
    if documents is None:
        raise InvalidFile("holds no resource of Chaos Mesh", file=str(path), why=f"apiVersion: {GROUP}/…")
    if len(documents) > 1:
        raise documents[1].fail("holds a second manifest", fix="one file for each: they are run one by one")
    document = documents[0]
    for _, one in _wrong(document):
        raise document.fail(one.text, one.place, fix=one.fix)
    metadata = document.data["metadata"]
    return Manifest(document.data["kind"], metadata["namespace"], metadata["name"], document.data)


def lint_manifests(documents: Sequence[Document]) -> Iterator[Finding]:
    """Everything that is wrong with them, by line."""
    for document in documents:
        found = [(document.line_of(one.place), rule, one) for rule, one in _wrong(document)]
        for line, rule, one in sorted(found, key=lambda each: each[0]):
            where = document.fail(one.text, one.place, fix=one.fix)
            text = "; ".join(filter(None, (f"{where.key}: {one.text}" if where.key else one.text, one.fix)))
            yield Finding(rule, "error", document.file, line, text)


def _wrong(document: Document) -> Iterator[tuple[str, Violation]]:
    """What webhooks and maestro say is asked only where the tables have nothing against it."""
    shape = list(violations(document.data))
    yield from (("mesh-invalid", one) for one in shape)
    if not shape:
        kind, spec = document.data["kind"], document.data["spec"]
        yield from (("mesh-rejected", one) for one in rejections(kind, spec))
        yield from (("mesh-unbounded", one) for one in demands(kind, spec))


def _is_ours(data: Any) -> bool:
    return isinstance(data, Mapping) and str(data.get("apiVersion", "")).partition("/")[0] == GROUP
