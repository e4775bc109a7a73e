"""Schedules of experiments, as a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.schedules import MAX_MISSED
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.chaos.schedules import Standing


def schedules_view(found: Sequence[Standing]) -> Listing[Standing]:
    """When each comes, came, and did not."""
    columns: tuple[Column[Standing], ...] = (
        Column("schedule", lambda one: one.schedule.name),
        Column("experiment", lambda one: one.schedule.experiment, priority=1),
        Column("cron", lambda one: f"{one.schedule.cron.text} {one.schedule.zone.key}", wide=True),
        Column("due", lambda one: "now" if one.due else None, tone=lambda one: "warn" if one.due else ""),
        Column("next", lambda one: one.next or "not within a year", priority=1),
        Column("last", lambda one: from_rfc3339(one.last) if one.last else "never"),
        Column("missed", _missed, right=True, tone=lambda one: "warn" if one.missed else ""),
        Column("blackout then", lambda one: one.blackout or None, priority=3),
    )
    return Listing("chaos-schedules/v1", columns, found, document=_document)


def _missed(one: Standing) -> str:
    count = len(one.missed)
    return f"at least {count}" if count == MAX_MISSED else str(count)


def _document(one: Standing) -> dict[str, Any]:
    schedule = one.schedule
    return {
        "name": schedule.name, "experiment": schedule.experiment, "cron": schedule.cron.text,
        "zone": schedule.zone.key, "within_seconds": schedule.within.total_seconds(), "seed": schedule.seed,
        "due": to_rfc3339(one.due) if one.due else None, "next": to_rfc3339(one.next) if one.next else None,
        "last": one.last or None, "missed": [to_rfc3339(tick) for tick in one.missed],
        "blackout": one.blackout,
    }  # fmt: skip
