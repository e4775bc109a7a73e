"""Objectives of files, folders and texts, in the format of OpenSLO, Sloth or Pyrra.

Invariant: no two that are read together have one name; documents that are read together know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from maestro_cli.config.strict import Document, parse_yaml_all, read_text, suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.slo.files import openslo, pyrra, sloth
from maestro_cli.slo.files.found import Found, Place, Reading, without_twins
from maestro_cli.slo.objectives import Objective

ENDINGS = (".yaml", ".yml")
# every type of a file, for its schema
FILES = (
    openslo.SloFile, openslo.SliFile, openslo.SourceFile, openslo.OtherFile, sloth.SlothFile,
    sloth.SlothResource, pyrra.PyrraFile,
)  # fmt: skip
_Reader = Callable[[Place, Reading], Iterable[Objective]]
_SAYS = ("openslo/v1", "sloth.slok.dev/v1", "pyrra.dev/v1alpha1")


def read_objectives(path: Path) -> tuple[Objective, ...]:
    """Read one file, or every `*.yaml` of a folder; raises InvalidFile naming file, line and key."""
    found = find_objectives(path)
    for error in found.broken:
        raise error
    return found.objectives


def find_objectives(path: Path) -> Found:
    """The same, with what is broken beside what is not. Raises InvalidFile for a folder it cannot read."""
    try:
        files = sorted(f for f in path.iterdir() if f.suffix in ENDINGS) if path.is_dir() else [path]
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(path), why=error.strerror or "") from error
    documents: list[Document] = []
    broken: list[InvalidFile] = []
    for file in files:
        try:
            documents += parse_yaml_all(read_text(file), str(file))
        except InvalidFile as error:
            broken.append(error)
    return Found(broken=tuple(broken)).and_(of_documents(documents))


def find_in_text(text: str, file: str) -> Found:
    """The objectives of a text that was found in `file`."""
    try:
        return of_documents(list(parse_yaml_all(text, file)))
    except InvalidFile as error:
        return Found(broken=(error,))


def of_documents(documents: Iterable[Document]) -> Found:
    """The objectives of documents that are read together, in their order."""
    reading, broken, objectives = Reading(), [], []  # type: Reading, list[InvalidFile], list[Objective]
    readers: list[tuple[Place, _Reader]] = []
    for document in documents:
        if document.data is None:
            continue
        if isinstance(document.data, dict) and document.data.get("kind") == "AlertWindows":
            reading.notes.append(
                Place(document).note("AlertWindows are ignored: windows are those of maestro")
            )
            continue
        try:
            reader = _reader(document)
            if reader is None:
                openslo.prepare(Place(document, queries=reading.queries), reading)
            else:
                readers.append((Place(document, queries=reading.queries), reader))
        except InvalidFile as error:
            broken.append(error)
    for place, read in readers:
        try:
            objectives += list(read(place, reading))
        except InvalidFile as error:
            broken.append(error)
    alone, twins = without_twins(objectives)
    return Found(tuple(alone), tuple(reading.notes), (*broken, *twins), tuple(reading.queries))


def _reader(document: Document) -> _Reader | None:
    """Who reads it; None for what others refer to. Raises InvalidFile for what is no objective."""
    data = document.data
    if not isinstance(data, dict):
        raise document.fail("is no objective", fix="write one as OpenSLO, Sloth or Pyrra have them")
    if "version" in data:
        return sloth.read_file
    version, kind = (str(data.get(key, "")) for key in ("apiVersion", "kind"))
    if version == "openslo/v1":
        if kind not in openslo.KINDS:
            what = f"{visible(kind, 60)!r} is not one of the choices"
            raise document.fail(what, ("kind",), fix=suggestion(kind, openslo.KINDS))
        return openslo.read if kind == "SLO" else None
    if version.startswith("openslo/"):
        fix = "write it as openslo/v1"
        raise document.fail(f"{visible(version, 60)!r} is another format", ("apiVersion",), fix=fix)
    if (version, kind) == ("sloth.slok.dev/v1", "PrometheusServiceLevel"):
        return sloth.read_resource
    if (version, kind) == ("pyrra.dev/v1alpha1", "ServiceLevelObjective"):
        return _pyrra
    what = f"{visible(f'{version} {kind}'.strip(), 120)!r} is no objective"
    raise document.fail(what, ("apiVersion",), fix=suggestion(version, _SAYS))


def _pyrra(place: Place, reading: Reading) -> Iterator[Objective]:
    yield pyrra.read(place, reading)
