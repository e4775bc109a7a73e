"""The embedded platform as views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from maestro_cli.local.kubernetes.build_cache import Binary
    from maestro_cli.local.platform_status import DownReport, PartStatus, PlatformStatus


def _tone(part: PartStatus) -> str:
    return {"ready": "good", "failed": "bad", "failing": "bad", "starting": "warn"}.get(part.state, "dim")


def platform_view(status: PlatformStatus) -> Report:
    """Its parts and endpoints; JSON has `state`, `endpoints` and `parts`."""
    rows: list[tuple[str, object]] = [("platform", status.state)]
    if status.state != "down":
        ready = status.ready_after_seconds
        rows += [
            ("profile", status.profile),
            ("cluster", status.cluster),
            ("started", status.started_at),
            ("ready after", None if ready is None else format_duration(ready)),
            *sorted(status.endpoints.items()),
        ]
    if status.survivors:
        rows.append(("left behind", f"{status.survivors} processes; maestro local down ends them"))
    rows += [(f"{part.name} fails", part.reason) for part in status.parts if part.state == "failing"]
    if status.state == "degraded":
        unwell = [part for part in status.parts if part.state not in ("ready", "failing")]
        rows += [(f"{part.name} is {part.state}", part.reason) for part in unwell]
    columns: tuple[Column[PartStatus], ...] = (
        Column("part", lambda part: part.name),
        Column("state", lambda part: part.state, tone=_tone, priority=1),
        Column("pid", lambda part: part.pid, right=True, priority=3),
        Column("uptime", lambda part: _seconds(part.uptime_seconds), right=True),
        Column("restarts", lambda part: str(part.restarts), right=True, priority=1),
        Column("memory", lambda part: _mebibytes(part.memory_bytes), right=True, priority=3),
        Column("cpu", lambda part: _seconds(part.cpu_seconds), right=True, wide=True),
        Column("url", lambda part: part.url, wide=True),
        Column("reason", lambda part: part.reason, wide=True),
    )
    parts = Listing("platform-parts/v1", columns, status.parts, empty="nothing runs; maestro local up")
    return Report("platform/v1", {**_document(status)}, (Fields(rows), parts))


def _document(status: PlatformStatus) -> dict[str, object]:
    from maestro_cli.core.canonical import plain

    return dict(plain(status))


def prune_view(removed: Sequence[Path]) -> Report:
    """The binaries of other versions that went."""
    rows: list[tuple[str, object]] = [("removed", str(folder)) for folder in removed]
    nothing = "nothing: no binary of another version is there that may go"
    document = {"removed": [str(folder) for folder in removed]}
    return Report("local-prune/v1", document, (Fields(rows or [("removed", nothing)]),))


def build_view(binary: Binary) -> Report:
    """Where the control plane is; JSON adds its sources."""
    origin = {"environment": "MAESTRO_KUBERNETES_BINARY", "cache": "the cache", "built": "built now"}
    took = None if binary.build_seconds is None else format_duration(binary.build_seconds)
    rows: list[tuple[str, object]] = [
        ("kubernetes", binary.kubernetes),
        ("etcd", binary.etcd),
        ("target", str(binary.target)),
        ("from", origin[binary.origin]),
        ("building took", took),
        ("size", _mebibytes(binary.size_bytes)),
        ("path", str(binary.path)),
    ]
    document = {
        "path": str(binary.path),
        "kubernetes": binary.kubernetes,
        "etcd": binary.etcd,
        "go": binary.go,
        "sources": binary.sources,
        "target": str(binary.target),
        "origin": binary.origin,
        "size_bytes": binary.size_bytes,
        "build_seconds": binary.build_seconds,
    }
    return Report("local-build/v1", document, (Fields(rows),))


def down_view(report: DownReport) -> Report:
    if not report.was_up:
        text = "was not up"
    else:
        text = f"is down; {report.ended} processes ended in {format_duration(report.seconds)}"
    rows: list[tuple[str, object]] = [("platform", text)]
    if report.killed:
        rows.append(("killed", f"{report.killed} that did not end by themselves"))
    return Report(
        "platform-down/v1",
        {
            "was_up": report.was_up,
            "ended": report.ended,
            "killed": report.killed,
            "seconds": round(report.seconds, 3),
        },
        (Fields(rows),),
    )


def _seconds(value: float | None) -> str | None:
    return None if value is None else format_duration(value)


def _mebibytes(value: int | None) -> str | None:
    return None if value is None else f"{value / 2**20:.0f}Mi"
