"""Which alerts have a runbook, and which runbooks are known to work.

Invariant: an alert without a runbook is never left out; a runbook counts as green only for a run that
succeeded, and without one it was never green.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.runbooks.alerts import AlertRule
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.model import RunRecord

LastGreen = Callable[[str], RunRecord | None]


@dataclass(frozen=True, slots=True)
class CoveredAlert:
    """An alert and the id of its runbook, or nothing, and why."""

    alert: AlertRule
    runbook: str
    why: str


@dataclass(frozen=True, slots=True)
class Rot:
    """A runbook and its newest run that succeeded; `is_fresh` says whether that is recent enough."""

    runbook: str
    run: str
    green_at: str
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    alerts: tuple[CoveredAlert, ...]
    runbooks: tuple[Rot, ...]
    within_seconds: float | None

    @property
    def is_met(self) -> bool:
        """Whether every alert has a runbook and, where that is asked, every runbook was green lately."""
        fresh = self.within_seconds is None or all(rot.is_fresh for rot in self.runbooks)
        return fresh and all(one.runbook for one in self.alerts)


def cover(
    alerts: Sequence[AlertRule],
    catalog: RunbookCatalog,
    last_green: LastGreen,
    now: datetime,
    within_seconds: float | None,
) -> Coverage:
    """Bind every alert as an incident would; raises InvalidFile when two runbooks claim one."""
    covered = []
    for alert in alerts:
        binding = catalog.for_alert({**alert.labels, "alertname": alert.name}, alert.annotations)
        covered.append(CoveredAlert(alert, binding.runbook.id if binding.runbook else "", binding.why))
    oldest = now - timedelta(seconds=within_seconds) if within_seconds is not None else None
    return Coverage(
        tuple(covered),
        tuple(_rot(book.id, last_green(book.id), oldest) for book in catalog.all()),
        within_seconds,
    )


def _rot(runbook: str, run: RunRecord | None, oldest: datetime | None) -> Rot:
    if run is None:
        return Rot(runbook, "", "", False)
    is_fresh = oldest is None or from_rfc3339(run.finished_at) >= oldest
    return Rot(runbook, run.id, run.finished_at, is_fresh)
