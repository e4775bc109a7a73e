"""What runs of the platform, and what it costs the machine.

Invariant: a pid counts only while its process carries the marker of this platform, so a pid that the system
gave to somebody else is never reported, let alone signalled.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from maestro_cli.core.clock import Clock, from_rfc3339, seconds_between
from maestro_cli.local.instance import PartRecord, Record, id_prefix, read_record
from maestro_cli.local.supervisor.model import CLUSTER
from maestro_cli.local.sweep import marker_of, survivors

_ASK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part. `state` is ready, starting, failed, stopped, or failing: it runs, but says that it cannot do
    its work. `reason` says why that is, or why it last ended.

    `cpu_seconds` and `memory_bytes` (resident) are of its own process, not of the pods of a kubelet.
    """

    name: str
    state: str
    pid: int | None = None
    url: str | None = None
    port: int | None = None
    uptime_seconds: float | None = None
    restarts: int = 0
    reason: str = ""
    cpu_seconds: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """The platform of a state folder. `state` is down, starting, up, degraded, failed, stopping or abandoned.

    Degraded means that it came up and a part of it is not ready now.
    Abandoned means that the supervisor is gone and something of it is left: `down` clears it.
    `endpoints` maps cluster, prometheus, alertmanager, serving, load, metrics and watch to URLs.
    """

    state: str
    id: str | None = None
    profile: str | None = None
    cluster: str | None = None
    supervisor_pid: int | None = None
    started_at: datetime | None = None
    ready_after_seconds: float | None = None
    waiting_for: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[PartStatus, ...] = ()
    survivors: int = 0
    already_up: bool = False


@dataclass(frozen=True, slots=True)
class DownReport:
    """How many processes there were and are no more, and how many of them only SIGKILL ended."""

    was_up: bool
    ended: int
    killed: int
    seconds: float


def supervisor_lives(record: Record) -> bool:
    """True while the pid of the record is a process of this very platform."""
    return marker_of(record.supervisor_pid) == record.id


def signal_supervisor(record: Record, *, force: bool) -> None:
    """SIGTERM, or SIGKILL by force, if it is still the supervisor."""
    if not supervisor_lives(record):
        return
    try:
        os.kill(record.supervisor_pid, signal.SIGKILL if force else signal.SIGTERM)
        if not force:
            os.kill(record.supervisor_pid, signal.SIGCONT)  # a stopped one must see SIGTERM
    except ProcessLookupError:
        return


def platform_status(state: Path, clock: Clock) -> PlatformStatus:
    """Read the record and look at the processes; never raises for what is missing or broken."""
    record = read_record(state)
    if record is None:
        left = len(survivors(id_prefix(state)))
        return PlatformStatus("abandoned" if left else "down", survivors=left)
    alive = supervisor_lives(record)
    left = 0 if alive else len(survivors(id_prefix(state)))
    parts = (
        _supervisor(record, clock, alive=alive),
        *(_asked(_part(part, record, clock)) for part in record.parts),
    )
    return PlatformStatus(
        state=_word(record, parts) if alive else "abandoned",
        id=record.id,
        profile=record.profile,
        cluster=record.cluster,
        supervisor_pid=record.supervisor_pid if alive else None,
        started_at=from_rfc3339(record.started_at),
        ready_after_seconds=record.ready_after_seconds,
        waiting_for=record.waiting_for,
        endpoints=dict(record.endpoints),
        parts=parts,
        survivors=left,
    )


def _word(record: Record, parts: Sequence[PartStatus]) -> str:
    """The state of a platform whose supervisor lives."""
    if record.state != "ready":
        return record.state
    return "up" if all(part.state == "ready" for part in parts) else "degraded"


def _supervisor(record: Record, clock: Clock, *, alive: bool) -> PartStatus:
    pid = record.supervisor_pid if alive else None
    part = PartRecord("supervisor", "ready" if alive else "stopped", pid, record.started_at)
    return _part(part, record, clock)


def _part(part: PartRecord, record: Record, clock: Clock) -> PartStatus:
    pid = part.pid if part.pid is not None and marker_of(part.pid) == record.id else None
    uptime = seconds_between(from_rfc3339(part.started_at), clock.now()) if pid and part.started_at else None
    cpu, memory = _usage(pid)
    ended = part.pid is not None and pid is None
    return PartStatus(
        name=part.name,
        state="stopped" if ended else part.state,
        pid=pid,
        url=_text(part.facts.get("url")),
        port=port if isinstance(port := part.facts.get("port"), int) else None,
        uptime_seconds=uptime,
        restarts=part.restarts,
        reason=part.reason,
        cpu_seconds=cpu,
        memory_bytes=memory,
    )


def _asked(part: PartStatus) -> PartStatus:
    """The API server's own word for whether it can do its work; the record may be older, or not writable."""
    if part.name != CLUSTER or part.state != "ready" or part.url is None:
        return part
    complaint = _complaint(part.url)
    return replace(part, state="failing", reason=complaint) if complaint else part


def _complaint(url: str) -> str:
    """What a server that is not ready says; "" when it is, or does not answer."""
    import http.client

    from maestro_cli.local.supervisor.pulse import any_server

    place = urlsplit(url)
    connection = http.client.HTTPSConnection(place.netloc, timeout=_ASK_SECONDS, context=any_server())
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read(2000).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
    return text if answer.status == http.client.INTERNAL_SERVER_ERROR else ""


def _usage(pid: int | None) -> tuple[float | None, int | None]:
    if pid is None:
        return None, None
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return times.user + times.system, int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None, None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
