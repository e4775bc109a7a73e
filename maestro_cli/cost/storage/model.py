"""Stored objects, and the versions of models that they make up.

Invariant: an object belongs to one version or to none, by its key alone: `[PREFIX/]MODEL/VERSION/…` with a
version of digits. Keys are untrusted text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

_KEY = re.compile(r"(?P<model>[^/]+)/(?P<version>[0-9]{1,18})/.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object or file; `storage_class` is empty where nobody says it."""

    key: str
    size_bytes: int
    written_at: datetime
    storage_class: str = ""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """All objects of one version of a model. `written_at` is when the newest was written."""

    model: str
    version: int
    prefix: str
    objects: int
    size_bytes: int
    small_objects_bytes: int  # of objects too small to be moved
    written_at: datetime
    storage_classes: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.model}@{self.version}"


def group_versions(
    objects: Iterable[StoredObject], prefix: str = "", least_bytes: int = 0
) -> tuple[tuple[StoredVersion, ...], tuple[StoredObject, ...]]:
    """Versions by model and number, and the objects that are of none; only keys under `prefix` count."""
    found: dict[tuple[str, int, str], list[StoredObject]] = {}
    others = []
    for one in objects:
        if not one.key.startswith(prefix):
            continue
        match = _KEY.fullmatch(one.key[len(prefix) :])
        if match is None:
            others.append(one)
            continue
        folder = f"{prefix}{match['model']}/{match['version']}/"
        found.setdefault((match["model"], int(match["version"]), folder), []).append(one)
    versions = (_version(*key, objects=kept, least_bytes=least_bytes) for key, kept in sorted(found.items()))
    return tuple(versions), tuple(others)


def _version(
    model: str, version: int, prefix: str, *, objects: list[StoredObject], least_bytes: int
) -> StoredVersion:
    return StoredVersion(
        model,
        version,
        prefix,
        len(objects),
        sum(one.size_bytes for one in objects),
        sum(one.size_bytes for one in objects if one.size_bytes < least_bytes),
        max(one.written_at for one in objects),
        tuple(sorted({one.storage_class for one in objects})),
    )
