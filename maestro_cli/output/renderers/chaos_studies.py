"""What could be broken, and what got worse, as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.comparing import Figure, RunComparison
    from maestro_cli.chaos.discovery import Breakable
    from maestro_cli.chaos.history import ExperimentRun

_TONES = {"worse": "bad", "not known": "warn", "better": "good", "same": ""}


def breakable_view(found: Sequence[Breakable]) -> Listing[Breakable]:
    """Faults by workloads."""
    columns: tuple[Column[Breakable], ...] = (
        Column("workload", lambda one: str(one.workload) if one.workload else "any", priority=1),
        Column("fault", lambda one: one.fault),
        Column("through", lambda one: one.provider, priority=3),
        Column("could meet", lambda one: one.candidates, right=True),
        Column(
            "here",
            lambda one: one.lacks or "yes",
            tone=lambda one: "warn" if one.lacks else "good",
            folds=True,
        ),
    )
    return Listing(
        "chaos-discover/v1",
        columns,
        found,
        document=lambda one: {**plain(one), "workload": str(one.workload) if one.workload else None},
        empty="there is nothing that could be broken",
    )


def comparison_view(was: ExperimentRun, now: ExperimentRun, found: RunComparison) -> Report:
    """What got worse first."""
    order = list(_TONES)
    figures: Listing[Figure] = Listing(
        "chaos-comparison/v1",
        (
            Column("figure", lambda one: one.name, priority=1, folds=True),
            Column("was", lambda one: _said(one.unit, one.was), right=True),
            Column("is", lambda one: _said(one.unit, one.now), right=True),
            Column("", lambda one: one.trend.value, tone=lambda one: _TONES[one.trend.value]),
        ),
        sorted(found.figures, key=lambda one: order.index(one.trend.value)),
    )
    rows: list[tuple[str, object]] = [
        ("verdict", found.verdict.value),
        ("experiment", f"{now.name}: {now.title}"),
        ("was", f"{was.id}: {was.verdict or was.status} ({was.exit_code}), {was.started_at}"),
        ("is", f"{now.id}: {now.verdict or now.status} ({now.exit_code}), {now.started_at}"),
        ("file", "the same" if found.is_same_file else "not the same: it was changed in between"),
    ]
    document = {
        "verdict": found.verdict.value,
        "was": was.id,
        "now": now.id,
        "same_file": found.is_same_file,
        "figures": plain(found.figures),
    }
    blocks = (Heading("What got worse"), Fields(rows), figures)
    return Report("chaos-compare/v1", document, blocks, rows=figures)


def _said(unit: str, value: float | None) -> str | None:
    if value is None:
        return None
    if unit == "seconds":
        return format_duration(value)
    return format_share(value) if unit == "share" else f"{value:g}"
