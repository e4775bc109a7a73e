"""What `maestro doctor` looks at. Invariant: looks, never repairs; a failing look is a finding."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from importlib import metadata, util
from itertools import filterfalse
from pathlib import Path
from typing import NamedTuple

from maestro_cli import __version__
from maestro_cli.config.locations import cache_dir, config_dir, shipped, state_dir
from maestro_cli.config.settings import Settings, settings_files
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.files import unusable
from maestro_cli.core.quantities import counted
from maestro_cli.journal.store import SAFE_WAL_SINCE, journal_mode
from maestro_cli.output.renderers.contexts import Finding
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks import PlaybookCatalog, read_playbook
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.services.doctor_kubernetes import control_plane
from maestro_cli.services.objectives import is_of_cluster
from maestro_cli.slo.files.reading import read_objectives

_YAML = (".yaml", ".yml")
_PARTS = {"state": ("journal", "keys", "local", "postmortems"), "cache": ("slo",)}
_NEEDED_BYTES = 1 << 20
_LIBRARIES = ("typer", "rich", "kubernetes", "prometheus-api-client", "httpx", "msgspec", "PyYAML")
_SERVING = ("onnxruntime", "uvicorn", "numpy")
_PROGRAMS = (
    ("prometheus", ("prometheus",), "MAESTRO_PROMETHEUS"),
    ("alertmanager", ("prometheus-alertmanager", "alertmanager"), "MAESTRO_ALERTMANAGER"),
)


def examine(load: Callable[[], Settings], journal: Callable[[], Path | None]) -> list[Finding]:
    """Versions, paths, programs, settings, the files they name and the journal's state, in that order."""
    return [
        *_versions(),
        *_paths(),
        *_programs(),
        *control_plane(),
        _settings(load),
        *_files(load),
        _journal(journal),
    ]


def _versions() -> list[Finding]:
    findings = [
        Finding("version", "maestro", True, __version__),
        Finding("version", "python", sys.version_info >= (3, 11), platform.python_version()),
    ]
    for name in _LIBRARIES:
        findings.append(Finding("version", name, True, metadata.version(name)))
    missing = [name for name in _SERVING if util.find_spec(name) is None]
    detail = "installed" if not missing else f"without {', '.join(missing)}"
    fix = "" if not missing else "pip install 'maestro-cli[local]' for the embedded platform"
    findings.append(Finding("version", "extra local", None if missing else True, detail, fix))
    sqlite = f"SQLite {sqlite3.sqlite_version}, {journal_mode()} journal"
    safe = ".".join(map(str, SAFE_WAL_SINCE))
    note = "" if journal_mode() == "WAL" else f"; WAL is used from {safe} on, older ones can corrupt it"
    findings.append(Finding("version", "sqlite", True, sqlite + note))
    return findings


def _paths() -> list[Finding]:
    findings = []
    for name, path in (("config", config_dir()), ("state", state_dir()), ("cache", cache_dir())):
        below = [path / part for part in _PARTS.get(name, ())]
        problem = next(filter(None, map(_unusable, (path, *below))), "")
        fix = f"make it a folder that you may write, or set XDG_{name.upper()}_HOME" if problem else ""
        findings.append(Finding("path", name, not problem, problem or str(path), fix))
    for kind in ("runbooks", "playbooks", "deploy"):
        found = shipped(kind).is_dir()
        fix = "" if found else "reinstall maestro-cli"
        findings.append(Finding("path", kind, found, str(shipped(kind)), fix))
    return findings


def _unusable(folder: Path) -> str:
    """Why the folder cannot be used or made, in words; empty when it can."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not os.path.isdir(there):
        return unusable(folder, FileExistsError())
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} may not be written by you"
    free = shutil.disk_usage(there).free
    return f"the disk under {there} is full" if free < _NEEDED_BYTES else ""


def _programs() -> list[Finding]:
    findings = []
    for name, commands, variable in _PROGRAMS:
        path = os.environ.get(variable) or next(filter(None, map(shutil.which, commands)), None)
        fix = "" if path else f"apt-get install prometheus prometheus-alertmanager, or set {variable}"
        detail = path or "not found; the embedded platform needs it"
        findings.append(Finding("program", name, True if path else None, detail, fix))
    return findings


def _settings(load: Callable[[], Settings]) -> Finding:
    read = ", ".join(str(path) for path in settings_files(Path.cwd()) if path.exists()) or "no file"
    try:
        settings = load()
    except MaestroError as error:
        return Finding("config", "settings", False, error.what, error.fix)
    current = settings.current_context or "none"
    by = f", by {settings.current_from}" if settings.current_from else ""
    return Finding("config", "settings", True, f"{read}; current context {current}{by}")


class _Place(NamedTuple):
    """A folder (or file) that the settings name, and what reads one file of it, and all together."""

    name: str
    path: Path
    endings: tuple[str, ...]
    read: Callable[[Path], object]
    together: Callable[[Path], object]


def _files(load: Callable[[], Settings]) -> list[Finding]:
    """What the settings name, of every context: folders that can be read, and each file that is broken."""
    try:
        settings = load()
    except MaestroError:
        return []  # the finding before says it
    return [finding for place in _places(settings) for finding in _look(place)]


def _places(settings: Settings) -> Iterator[_Place]:
    for folder in settings.runbook_dirs:
        yield _Place("runbooks", Path(folder), (".md",), read_runbook, _distinct_runbooks)
    for folder in settings.playbook_dirs:
        yield _Place("playbooks", Path(folder), _YAML, read_playbook, lambda at: PlaybookCatalog([at]).all())
    for name, context in sorted(settings.contexts.items()):
        for item in filterfalse(is_of_cluster, context.objectives):
            path = Path(settings.origins[name]).parent / item
            yield _Place(f"objectives of {name}", path, _YAML, read_objectives, read_objectives)


def _distinct_runbooks(folder: Path) -> None:
    catalog = RunbookCatalog([folder])
    catalog.all()
    for error in catalog.broken.values():
        raise error


def _look(place: _Place) -> list[Finding]:
    try:
        files = [place.path] if place.path.is_file() else sorted(place.path.iterdir())
    except OSError as error:
        problem = f"{place.path}: {unusable(place.path, error)}"
        return [
            Finding("files", place.name, False, problem, "make the folder, or take it out of the settings")
        ]
    files = [file for file in files if file.suffix in place.endings]
    broken = [finding for file in files for finding in _reading(place, place.read, file)]
    broken = broken or _reading(place, place.together, place.path)
    return broken or [
        Finding("files", place.name, True if files else None, f"{place.path}: {counted(len(files), 'file')}")
    ]


def _reading(place: _Place, read: Callable[[Path], object], path: Path) -> list[Finding]:
    """The finding when it cannot be read; none when it can."""
    try:
        read(path)
    except MaestroError as error:
        said = f"{error.what} ({error.why})" if error.why else error.what
        return [Finding("files", place.name, False, said, error.fix)]
    return []


def _journal(journal: Callable[[], Path | None]) -> Finding:
    from maestro_cli.journal.verification import verify

    try:
        path = journal()
        if path is None:
            return Finding("journal", "journal", None, "no context is chosen")
        if not path.exists():
            return Finding("journal", "journal", None, f"{path}: nothing recorded yet")
        result = verify(path)
    except MaestroError as error:
        return Finding("journal", "journal", False, error.what, error.fix)
    fix = "" if result.intact else "maestro journal verify"
    return Finding("journal", "journal", result.intact, f"{path}: {counted(result.events, 'event')}", fix)
