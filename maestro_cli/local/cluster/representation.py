"""How objects are shown: as themselves, as a Table, or by their metadata alone.

Invariant: the first form of the Accept header that is served is the one that is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from maestro_cli.local.cluster.columns import table_row
from maestro_cli.local.cluster.kinds import Kind
from maestro_cli.local.cluster.status import Object, bad_request, not_acceptable
from maestro_cli.local.cluster.store import Version

encode = msgspec.json.Encoder().encode
_META = "meta.k8s.io/v1"
_INITIAL_END = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class MediaType:
    """One entry of an Accept header."""

    name: str
    parameters: dict[str, str]


def parse_accept(header: str) -> list[MediaType]:
    """The entries in order of preference; nothing at all means JSON."""
    entries = []
    for part in header.split(","):
        name, *rest = (piece.strip() for piece in part.split(";"))
        if name:
            pairs = (piece.partition("=") for piece in rest)
            entries.append(MediaType(name.lower(), {key.lower(): value for key, _, value in pairs}))
    entries.sort(key=lambda entry: -_quality(entry.parameters.get("q", "1")))
    return entries or [MediaType("application/json", {})]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


_JSON_TYPES = ("application/json", "*/*", "application/*")


def choose_form(accept: str) -> str:
    """`""` for the object itself, else Table, PartialObjectMetadata(List). Raises ApiError 406."""
    for entry in parse_accept(accept):
        if entry.name not in _JSON_TYPES or entry.parameters.get("stream", "watch") != "watch":
            continue
        form = entry.parameters.get("as", "")
        if not form:
            return ""
        group, version = entry.parameters.get("g", "meta.k8s.io"), entry.parameters.get("v", "v1")
        known = form in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
        if known and group == "meta.k8s.io" and version == "v1":
            return form.removesuffix("List")
    raise not_acceptable()


def partial(version: Version) -> Object:
    """The PartialObjectMetadata of an object."""
    metadata = version.object["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": metadata}


@dataclass(frozen=True, slots=True)
class View:
    """Shows the objects of one kind to one request."""

    kind: Kind
    form: str
    include_object: str

    @classmethod
    def of(cls, kind: Kind, accept: str, include_object: str) -> View:
        if include_object not in ("", "None", "Metadata", "Object"):
            raise bad_request(f"unrecognized includeObject value: {include_object!r}")
        return cls(kind, choose_form(accept), include_object or "Metadata")

    def raw(self, version: Version) -> bytes:
        """The object itself in the kind's version."""
        if self.kind.stored_as:
            return encode(self.kind.outward(version.object))
        return version.raw

    def one(self, version: Version) -> bytes:
        """A single object in the form asked for."""
        if self.form == "Table":
            return self._table([version], {"resourceVersion": str(version.revision)}, columns=True)
        return self.raw(version) if not self.form else encode(partial(version))

    def many(self, versions: list[Version], metadata: Object) -> bytes:
        """A list in the form asked for; `metadata` is its ListMeta."""
        if self.form == "Table":
            return self._table(versions, metadata, columns=True)
        if self.form:
            kind, api_version = "PartialObjectMetadataList", _META
            items = b",".join(encode(partial(version)) for version in versions)
        else:
            kind, api_version = f"{self.kind.kind}List", self.kind.api_version
            items = b",".join(map(self.raw, versions))
        head = encode({"kind": kind, "apiVersion": api_version, "metadata": metadata})
        return head[:-1] + b',"items":[' + items + b"]}"

    def stream(self) -> Callable[[Version], bytes]:
        """Shows the objects of a watch: a Table of one row each, its columns only the first time."""
        if self.form != "Table":
            return self.one
        first = True

        def show(version: Version) -> bytes:
            nonlocal first
            columns, first = first, False
            return self._table([version], {"resourceVersion": str(version.revision)}, columns=columns)

        return show

    def bookmark(self, revision: int, initial_end: bool) -> bytes:
        """The object of a BOOKMARK event."""
        metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if initial_end:
            metadata["annotations"] = {_INITIAL_END: "true"}
        shown: Object = {"kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": metadata}
        if self.form == "PartialObjectMetadata":
            shown |= {"kind": self.form, "apiVersion": _META}
        if self.form == "Table":
            row = {"cells": [None] * len(self.kind.columns), "object": shown | {
                "kind": "PartialObjectMetadata", "apiVersion": _META}}  # fmt: skip
            shown = {
                "kind": "Table",
                "apiVersion": _META,
                "metadata": {"resourceVersion": str(revision)},
                "columnDefinitions": [],
                "rows": [row],
            }
        return encode(shown)

    def _table(self, versions: list[Version], metadata: Object, *, columns: bool) -> bytes:
        now = datetime.now(UTC)
        rows = [table_row(one.object, self.kind.columns, self._row_object(one), now) for one in versions]
        table = {
            "kind": "Table",
            "apiVersion": _META,
            "metadata": metadata,
            "columnDefinitions": [one.definition() for one in self.kind.columns] if columns else [],
            "rows": rows,
        }
        return encode(table)

    def _row_object(self, version: Version) -> Object | None:
        if self.include_object == "None":
            return None
        if self.include_object == "Object":
            return self.kind.outward(version.object)
        return partial(version)
