"""The objectives of a context: from folders and files, from config maps, from resources of its cluster.

Invariant: what a cluster holds is not trusted as files are: one that is broken there is told and hides no
other, and none there takes the name of one of a file. A cluster that does not answer is an error,
not an empty list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.explanation import choice
from maestro_cli.config.strict import Document, parse_yaml_all
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.slo.files.contract import Contract, read_contract
from maestro_cli.slo.files.exclusions import read_exclusions
from maestro_cli.slo.files.found import Found, Note, without_twins
from maestro_cli.slo.files.reading import ENDINGS, find_objectives, of_documents
from maestro_cli.slo.files.syntax import Parser, broken_queries
from maestro_cli.slo.objectives import Objective

if TYPE_CHECKING:
    from maestro_cli.runbooks.lint import Finding
    from maestro_cli.services.changing import ChangeServices

CONFIG_MAP, CLUSTER = "configmap:", "cluster:"
RULES = {
    "invalid": "The file cannot be read, or promises what cannot be measured",
    "ignored": "What a file says and is not obeyed here",
    "nowhere": "There is no objective at all",
}
# what a cluster may hold: its API group and version, the resource, its kind
_RESOURCES = (
    ("sloth.slok.dev/v1", "prometheusservicelevels", "PrometheusServiceLevel"),
    ("pyrra.dev/v1alpha1", "servicelevelobjectives", "ServiceLevelObjective"),
)


def is_of_cluster(entry: str) -> bool:
    """Whether an entry of the setting `objectives` names what a cluster holds, and no file."""
    return entry.startswith((CONFIG_MAP, CLUSTER))


def objectives_of(services: ChangeServices) -> dict[str, Objective]:
    """Those that can be read, by name. Raises InvalidFile for a broken file, and what the cluster raises."""
    return objectives_with(services, whole_files(services))


def whole_files(services: ChangeServices) -> Found:
    """What files have, none of them broken: raises InvalidFile."""
    files = _of_files(services)
    for error in files.broken:
        raise error
    return files


def objectives_with(services: ChangeServices, files: Found) -> dict[str, Objective]:
    """Those of files and of the cluster, by name; raises what the cluster raises."""
    return {one.name: one for one in _with_cluster(services, files).objectives}


def objectives_in_files(services: ChangeServices) -> tuple[Objective, ...]:
    """Those of files that can be read; nothing is asked over the network."""
    return _of_files(services).objectives


def find_context_objectives(services: ChangeServices) -> Found:
    """All there is to say of them. Raises what the cluster raises."""
    return _with_cluster(services, _of_files(services))


def find_objective(services: ChangeServices, name: str) -> tuple[Objective, tuple[Note, ...]]:
    """One by its name, and what of its file is not obeyed.

    Raises NotFound, InvalidFile where what is broken may be the one, and what the cluster raises.
    """
    found = find_context_objectives(services)
    for one in found.objectives:
        if one.name == name:
            file = one.origin.rpartition(":")[0]
            return one, tuple(note for note in found.notes if note.file == file)
    for error in found.broken:
        raise error
    raise NotFound(f"there is no objective {name!r}", **choice(name, (one.name for one in found.objectives)))


def lint_objectives(services: ChangeServices, path: str | None, parser: Parser) -> tuple[Finding, ...]:
    """What is wrong with a file or a folder, by default with what the context names; then what is ignored."""
    from maestro_cli.runbooks.lint import Finding, lint_file

    found = _found(services, path)
    broken = [*found.broken, *broken_queries(found.queries, parser)]
    if not path:
        broken += _broken_terms(services, found)
    findings = [lint_file(error) for error in broken]
    findings += [Finding("ignored", "warning", note.file, note.line, note.text) for note in found.notes]
    if not findings and not found.objectives:
        place = path or f"context {services.context_name}"
        findings.append(Finding("nowhere", "warning", place, 1, "there is no objective"))
    return tuple(sorted(findings, key=lambda one: (one.file, one.line)))


def check_queries(services: ChangeServices, path: str | None, parser: Parser) -> None:
    """Raises InvalidFile for the first query that is no PromQL."""
    for error in broken_queries(_found(services, path).queries, parser):
        raise error


def _found(services: ChangeServices, path: str | None) -> Found:
    return find_objectives(_existing(path)) if path else find_context_objectives(services)


def contract_of(services: ChangeServices) -> Contract | None:
    """The contract of the context, None where it has none. Raises InvalidFile, and as `objectives_of`."""
    path = services.context.contract
    return read_contract(Path(path), services.objectives) if path else None


def _broken_terms(services: ChangeServices, found: Found) -> Iterator[InvalidFile]:
    """What is wrong with the context's exclusions and its contract, each of which names objectives."""
    known = {one.name for one in found.objectives}
    try:
        read_exclusions(map(Path, services.context.exclusions), known)
    except InvalidFile as error:
        yield error
    if services.context.contract:
        try:
            read_contract(Path(services.context.contract), known)
        except InvalidFile as error:
            yield error


def _existing(path: str) -> Path:
    if not Path(path).exists():
        raise NotFound(f"{path} is not there", fix="name a file of objectives, or a folder of them")
    return Path(path)


def _of_files(services: ChangeServices) -> Found:
    entries = services.context.objectives
    origin = Path(services.settings.origins[services.context_name]).parent
    found = Found()
    for entry in entries:
        if not is_of_cluster(entry):
            found = found.and_(find_objectives(origin / entry))
    alone, twins = without_twins(found.objectives)
    return replace(found, objectives=tuple(alone), broken=(*found.broken, *twins))


def _with_cluster(services: ChangeServices, files: Found) -> Found:
    found = Found()
    for entry in services.context.objectives:
        if entry.startswith(CONFIG_MAP):
            found = found.and_(_of_config_map(services, entry.removeprefix(CONFIG_MAP)))
        elif entry.startswith(CLUSTER):
            found = found.and_(_of_cluster(services, entry.removeprefix(CLUSTER)))
    known = {one.name: one for one in files.objectives}
    alone, twins = without_twins(found.objectives)
    for one in alone:
        if one.name in known:
            file, _, line = one.origin.rpartition(":")
            what = f"the objective {one.name!r} is that of {known[one.name].origin}"
            twins.append(InvalidFile(what, file=file, line=int(line), fix="rename one of them"))
    own = tuple(one for one in alone if one.name not in known)
    return files.and_(replace(found, objectives=own, broken=(*found.broken, *twins)))


def _of_config_map(services: ChangeServices, place: str) -> Found:
    """Its keys that end as files of YAML do, read together."""
    namespace, _, name = place.partition("/")
    if not namespace or not name or "/" in name:
        raise UsageError(f"{CONFIG_MAP}{place} names no config map", fix=f"{CONFIG_MAP}NAMESPACE/NAME")
    held = services.cluster.get_config_map(namespace, name)
    where = f"configmap {namespace}/{name}"
    documents: list[Document] = []
    broken: list[InvalidFile] = []
    notes: list[Note] = []
    for key, text in sorted(held.data.items()):
        if not key.endswith(ENDINGS):
            notes.append(Note(f"{where} {key}", 1, f"{key} is ignored: its name does not end in .yaml"))
            continue
        try:
            documents += parse_yaml_all(str(text), f"{where} {key}")  # which wants plain text
        except InvalidFile as error:
            broken.append(error)
    return Found((), tuple(notes), tuple(broken)).and_(of_documents(documents))


def _of_cluster(services: ChangeServices, namespace: str) -> Found:
    """The resources of Sloth and of Pyrra in a namespace, or in all (`*`)."""
    if not namespace:
        raise UsageError(f"{CLUSTER} names no namespace", fix=f"{CLUSTER}NAMESPACE, or {CLUSTER}* for all")
    found = Found()
    for version, resource, kind in _RESOURCES:
        try:
            documents = list(_documents(services, namespace, version, resource, kind))
        except NotFound:
            text = f"the cluster has no {resource} ({version} is not installed)"
            found = found.and_(Found(notes=(Note(f"cluster {services.context_name}", 1, text),)))
            continue
        found = found.and_(of_documents(documents))
    return found


def _documents(
    services: ChangeServices, namespace: str, version: str, resource: str, kind: str
) -> Iterator[Document]:
    from maestro_cli.sources.kube.paths import scoped

    path = scoped(f"/apis/{version}", None if namespace == "*" else namespace, resource)
    for item in services.cluster.get_object(path).get("items") or []:
        metadata = item.get("metadata") or {}
        where = f"{resource} {metadata.get('namespace', '')}/{metadata.get('name', '')}"
        yield Document(where, {"apiVersion": version, "kind": kind, **item})
