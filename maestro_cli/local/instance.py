"""Which platform a state folder holds: its record, its lock, its marker.

Invariant: the lock is held from the moment `up` looks until the supervisor ends (the descriptor is handed
on), so two platforms never share a folder; the kernel releases it however its holder dies. Instance ids
begin with a digest of the folder, so survivors are found even when every file is gone or wrong.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from maestro_cli.config.locations import make_private
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import write_atomically
from maestro_cli.core.ids import new_id

SCHEMA = "maestro.local.platform/1"
_RECORD = "platform.json"
NEEDED_MEBIBYTES = 64
_LOCK = "platform.lock"
# Everything a platform writes and that must not outlive it; logs stay for whoever asks afterwards.
_RUN_FILES = (
    "run", "pki", "pods", "config", "backups", "prometheus", "alertmanager", "etcd", "serving",
    "context.json", "webhook.token", "stopped",
)  # fmt: skip
_RUN_PATTERNS = (
    "cluster.sqlite*", "pki.*", "*.kubeconfig", "*.key", "*.crt", "*.pem", "*.csr", "*.tokens", "*.tmp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One part as the supervisor last saw it. `state` is starting, ready, failed or stopped."""

    name: str
    state: str
    pid: int | None = None
    started_at: str | None = None
    restarts: int = 0
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the platform did not come up: the three lines of a MaestroError."""

    what: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What the supervisor publishes. `state` is starting, ready, failed or stopping."""

    id: str
    supervisor_pid: int
    state: str
    started_at: str
    profile: str
    cluster: str
    load_seed: int
    ready_after_seconds: float | None = None
    waiting_for: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[PartRecord, ...] = ()
    failure: Failure | None = None


def id_prefix(state: Path) -> str:
    """What the id of every platform of this folder begins with: `local-<8 hex digits>`."""
    return f"local-{hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:8]}"


def instance_id(state: Path, now: datetime) -> str:
    """The id of a new platform in this folder, the value of its environment marker."""
    return new_id(id_prefix(state), now)


def write_record(state: Path, record: Record) -> None:
    """Replace `platform.json` in one step."""
    write_atomically(state / _RECORD, json.dumps({"schema": SCHEMA, **plain(record)}, indent=1))


def read_record(state: Path) -> Record | None:
    """The record of the platform; None when there is none or it cannot be understood."""
    try:
        data = json.loads((state / _RECORD).read_text(encoding="utf-8"))
        if data.pop("schema") != SCHEMA:
            return None
        data["parts"] = tuple(PartRecord(**part) for part in data["parts"])
        data["failure"] = Failure(**data["failure"]) if data["failure"] else None
        return Record(**data)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def remove_run_files(state: Path) -> None:
    """Remove what a platform left in its folder, except its logs and the lock."""
    (state / _RECORD).unlink(missing_ok=True)
    names = [state / name for name in _RUN_FILES]
    for pattern in _RUN_PATTERNS:
        names += [*state.glob(pattern), *state.glob(f".{pattern}")]
    for path in names:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def free_mebibytes(state: Path) -> int:
    """What the disk under the folder still takes, in MiB."""
    return shutil.disk_usage(state).free >> 20


def require_space(state: Path) -> None:
    """Raises ActionFailed where the disk is too full for a platform: it would die without a word."""
    free = free_mebibytes(state)
    if free < NEEDED_MEBIBYTES:
        raise ActionFailed(
            f"{free} MiB are free under {state}, and the platform needs {NEEDED_MEBIBYTES} MiB",
            why="records, logs and metrics go there",
            fix="free disk space, or set XDG_STATE_HOME",
        )


class StateLock:
    """The lock of a folder; a child that inherits the descriptor holds it on."""

    def __init__(self, state: Path, name: str = _LOCK) -> None:
        self._path = state / name
        self.descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting; False when another process holds it.

        Raises ActionFailed when the folder cannot be made.
        """
        make_private(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self.descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go here; a process that inherited the descriptor keeps the lock."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
