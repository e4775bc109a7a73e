"""What was found in files of objectives, and what they say that a reader should know.

Invariant: what is broken names itself, and nothing that is there is left out without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from maestro_cli.config.strict import Document, Path_, dotted
from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.objectives import Objective

NAME = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,251}[a-zA-Z0-9_])?")
_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")
Labels = dict[str, str | bool | int | float | list[str]]


class Named(msgspec.Struct, frozen=True):
    """The metadata of a resource; a cluster adds to it what it likes."""

    name: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a file that is no mistake."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL of a file, with `$window` for the range."""

    file: str
    line: int
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    objectives: tuple[Objective, ...] = ()
    notes: tuple[Note, ...] = ()
    broken: tuple[InvalidFile, ...] = ()
    queries: tuple[Query, ...] = ()

    def and_(self, other: Found) -> Found:
        return Found(
            (*self.objectives, *other.objectives),
            (*self.notes, *other.notes),
            (*self.broken, *other.broken),
            (*self.queries, *other.queries),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is in a document; `queries` are those that were met in all that is read with it."""

    document: Document
    path: Path_ = ()
    queries: list[Query] = field(default_factory=list, compare=False)

    def at(self, *more: str | int) -> Place:
        return Place(self.document, (*self.path, *more), self.queries)

    def met(self, query: str) -> str:
        """The query, which is now known to be here."""
        line = self.document.line_of(self.path)
        self.queries.append(Query(self.document.file, line, dotted(self.path), query))
        return query

    @property
    def origin(self) -> str:
        return f"{self.document.file}:{self.document.line_of(self.path)}"

    def fail(self, what: str, *, why: str = "", fix: str = "") -> InvalidFile:
        """The error for this place; the caller raises it."""
        return self.document.fail(what, self.path, why=why, fix=fix)

    def note(self, text: str) -> Note:
        return Note(self.document.file, self.document.line_of(self.path), text)


@dataclass(slots=True)
class Reading:
    """What documents that are read together know of each other; `notes` grow while they are read."""

    indicators: dict[str, tuple[Place, Any]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # the type of a data source by its name
    notes: list[Note] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)


def checked_name(place: Place, name: str) -> str:
    """A name that can be a label's value and part of a command; raises InvalidFile."""
    if not NAME.fullmatch(name):
        raise place.fail("is not a name", fix="use letters, digits, '-', '_' and '.'")
    return name


def prometheus_labels(place: Place, labels: Mapping[str, Any]) -> dict[str, str]:
    """Labels that Prometheus takes: other characters in their names become '_', several values one text.

    Raises InvalidFile for names that are reserved, and for two that become one.
    """
    found: dict[str, str] = {}
    for name, value in labels.items():
        label = _NO_LABEL.sub("_", name)
        if label.startswith("__") or not label or label[0].isdigit():
            raise place.at(name).fail("is not a Prometheus label name", fix="use a-z, 0-9 and '_'")
        if label in found:
            raise place.at(name).fail(f"becomes the label {label!r}, which is there already", fix="rename it")
        found[label] = _text(value)
    return found


def without_twins(objectives: Iterable[Objective]) -> tuple[list[Objective], list[InvalidFile]]:
    """Those whose name no other has, and an error for each name that several have."""
    by_name: dict[str, list[Objective]] = {}
    for one in objectives:
        by_name.setdefault(one.name, []).append(one)
    alone = [several[0] for several in by_name.values() if len(several) == 1]
    errors = []
    for name, several in by_name.items():
        if len(several) > 1:
            first, last = several[0], several[-1]
            file, _, line = last.origin.rpartition(":")
            what = f"the objective {name!r} is also in {first.origin}"
            errors.append(InvalidFile(what, file=file, line=int(line), fix="rename one of them"))
    return alone, errors


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)
