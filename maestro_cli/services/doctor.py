"""What `maestro doctor` looks at. Invariant: looks, never repairs; a failing look is a finding."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path

from maestro_cli import __version__
from maestro_cli.config.locations import cache_dir, config_dir, shipped, state_dir
from maestro_cli.config.settings import Settings, settings_files
from maestro_cli.core.errors import MaestroError
from maestro_cli.journal.store import SAFE_WAL_SINCE, journal_mode
from maestro_cli.output.renderers.contexts import Finding

_LIBRARIES = ("typer", "rich", "kubernetes", "prometheus-api-client", "httpx", "msgspec", "PyYAML")
_SERVING = ("onnxruntime", "uvicorn", "numpy")
_PROGRAMS = (
    ("prometheus", ("prometheus",), "MAESTRO_PROMETHEUS"),
    ("alertmanager", ("prometheus-alertmanager", "alertmanager"), "MAESTRO_ALERTMANAGER"),
)


def examine(load: Callable[[], Settings], journal: Callable[[], Path | None]) -> list[Finding]:
    """Versions, paths, programs, settings and the journal's state, in that order."""
    return [
        *_versions(),
        *_paths(),
        *_programs(),
        _settings(load),
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
        parent = next(p for p in (path, *path.parents) if p.exists())
        writable = os.access(parent, os.W_OK)
        fix = "" if writable else f"make {parent} writable, or set XDG_{name.upper()}_HOME"
        findings.append(Finding("path", name, writable, str(path), fix))
    for kind in ("runbooks", "playbooks", "deploy"):
        found = shipped(kind).is_dir()
        fix = "" if found else "reinstall maestro-cli"
        findings.append(Finding("path", kind, found, str(shipped(kind)), fix))
    return findings


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
    return Finding("journal", "journal", result.intact, f"{path}: {result.events} events", fix)
