"""Contexts, endpoints and the doctor's findings as views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from maestro_cli.config.colours import colour_of
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.config.settings import Context, Settings
    from maestro_cli.core.facts.endpoints import EndpointCheck


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at."""

    area: str
    name: str
    ok: bool | None
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    context: Context
    is_current: bool
    origin: str


def contexts_view(settings: Settings) -> Listing[_Row]:
    rows = [
        _Row(name, context, name == settings.current_context, settings.origins[name])
        for name, context in sorted(settings.contexts.items())
    ]
    columns: tuple[Column[_Row], ...] = (
        Column("current", lambda row: "*" if row.is_current else " "),
        Column("name", lambda row: row.name, priority=0),
        Column("color", lambda row: colour_of(row.name, row.context.color), priority=3),
        Column("guard", lambda row: _guard(row.context), priority=1),
        Column("namespace", lambda row: row.context.namespace),
        Column("prometheus", lambda row: _url(row.context, "prometheus"), priority=3),
        Column("alertmanager", lambda row: _url(row.context, "alertmanager"), wide=True),
        Column("serving", lambda row: _url(row.context, "serving"), wide=True),
        Column("from", lambda row: row.origin, wide=True),
    )
    return Listing(
        "context-list/v1",
        columns,
        rows,
        document=lambda row: {
            "name": row.name,
            "current": row.is_current,
            "from": row.origin,
            **_builtins(row.name, row.context),
        },
        empty="no context is configured; maestro local up makes one, docs/contexts.md tells how to add yours",
    )


def context_view(name: str, context: Context, origin: str, checks: Sequence[EndpointCheck]) -> Report:
    rows: list[tuple[str, object]] = [
        ("context", name),
        ("from", origin),
        ("color", colour_of(name, context.color)),
        ("guard", _guard(context)),
        ("namespace", context.namespace),
    ]
    document = {"name": name, "from": origin, **_builtins(name, context), "checks": list(checks)}
    return Report("context/v1", document, (Fields(rows), checks_view(checks)))


def checks_view(checks: Sequence[EndpointCheck]) -> Listing[EndpointCheck]:
    columns: tuple[Column[EndpointCheck], ...] = (
        Column("endpoint", lambda check: check.system),
        Column(
            "state",
            lambda c: "ok" if c.ok else "failed",
            tone=lambda c: "good" if c.ok else "bad",
            priority=1,
        ),
        Column("version", lambda check: check.version, priority=3),
        Column("ms", lambda check: f"{check.seconds * 1000:.0f}", right=True, priority=3),
        Column("url", lambda check: check.url, priority=3),
        Column("error", lambda check: check.error, priority=1, folds=True),
    )
    return Listing("endpoint-checks/v1", columns, checks, empty="no endpoint is configured")


def doctor_view(findings: Sequence[Finding], checks: Sequence[EndpointCheck]) -> Report:
    """Everything looked at; JSON has `ok`, `findings` and `endpoints`."""
    columns: tuple[Column[Finding], ...] = (
        Column("area", lambda finding: finding.area),
        Column("what", lambda finding: finding.name, priority=0),
        Column("state", _state, tone=_tone, priority=1),
        Column("detail", lambda finding: finding.detail, priority=1, folds=True),
        Column("fix", lambda finding: finding.fix or "", priority=1, folds=True),
    )
    ok = all(finding.ok is not False for finding in findings) and all(check.ok for check in checks)
    return Report(
        "doctor/v1",
        {"ok": ok, "findings": findings, "endpoints": checks},
        (
            Heading("maestro"),
            Listing("doctor-findings/v1", columns, findings),
            Heading("endpoints"),
            checks_view(checks),
        ),
    )


def _state(finding: Finding) -> str:
    return {True: "ok", False: "failed", None: "note"}[finding.ok]


def _tone(finding: Finding) -> str:
    return {True: "good", False: "bad", None: "dim"}[finding.ok]


def _guard(context: Context) -> str:
    words = [w for w, on in (("read-only", context.read_only), ("protected", context.protected)) if on]
    return ", ".join(words) or "none"


def _url(context: Context, key: str) -> str | None:
    endpoint = getattr(context, key)
    return None if endpoint is None else str(endpoint.url)


def _builtins(name: str, context: Context) -> dict[str, Any]:
    """Plain data, with the colour that it has; secrets are references here, never values."""
    document: dict[str, Any] = msgspec.to_builtins(context)
    return {**document, "color": colour_of(name, context.color)}
