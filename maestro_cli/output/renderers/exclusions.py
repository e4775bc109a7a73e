"""Maintenance that reports take out, as a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.slo.recorded import Shown


def exclusions_view(found: Sequence[Shown]) -> Listing[Shown]:
    """A row each, those of files first; whether it counts is in words."""
    columns: tuple[Column[Shown], ...] = (
        Column("exclusion", lambda one: one.maintenance.id),
        Column("standing", lambda one: one.standing, tone=_tone, priority=1, folds=True),
        Column("start", _start, priority=1),
        Column("lasts", lambda one: format_duration(one.maintenance.duration.total_seconds()), priority=2),
        Column("again", lambda one: one.maintenance.rrule, priority=2),
        Column("owner", lambda one: one.maintenance.owner, priority=2),
        Column("approved by", lambda one: one.maintenance.approved_by, priority=2),
        Column("objectives", lambda one: ", ".join(one.maintenance.objectives) or "all", priority=3),
        Column("reason", lambda one: one.maintenance.reason, priority=3, folds=True),
        Column("declared", lambda one: one.maintenance.declared_at, wide=True),
        Column("said in", lambda one: one.maintenance.origin, wide=True),
    )
    return Listing(
        "slo-exclusions/v1", columns, found, document=exclusion_document, empty="nothing is excluded"
    )


def exclusion_document(one: Shown) -> dict[str, Any]:
    """`start` is a time on the wall of `zone`; `journal` is the place and hash of the event that says so."""
    found = one.maintenance
    return {
        "id": found.id,
        "standing": one.standing,
        "owner": found.owner,
        "reason": found.reason,
        "start": found.start.isoformat(),
        "zone": found.zone,
        "duration_seconds": found.duration.total_seconds(),
        "rrule": found.rrule or None,
        "objectives": list(found.objectives),
        "declared_at": found.declared_at,
        "approved_by": found.approved_by or None,
        "origin": found.origin,
        "journal": found.journal or None,
    }


def _start(one: Shown) -> str:
    return f"{one.maintenance.start:%Y-%m-%d %H:%M} {one.maintenance.zone}"


def _tone(one: Shown) -> str:
    return {"counts": "good"}.get(one.standing, "warn")
