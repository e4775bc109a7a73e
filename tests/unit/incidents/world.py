"""A clock that tests set, alerts, and journals to put them into."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maestro_cli.core.facts.alerts import Alert, fingerprint_of
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.model import Projection
from maestro_cli.journal.store import Journal

T0 = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)


class SetClock:
    """Time moves only when a test says so."""

    def __init__(self, now: datetime = T0) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


LABELS: Mapping[str, str] = {
    "alertname": "ErrorBudgetBurn",
    "severity": "page",
    "namespace": "ml",
    "deployment": "fraud",
    "service": "fraud",
}


def alert(
    *,
    firing: bool = True,
    starts_at: datetime = T0,
    ends_at: datetime | None = None,
    source: str = "alertmanager-api",
    annotations: Mapping[str, str] | None = None,
    suppressed_by: tuple[str, ...] = (),
    fingerprint: str | None = None,
    **labels: str,
) -> Alert:
    every = {**LABELS, **labels}
    return Alert(
        fingerprint=fingerprint_of(every) if fingerprint is None else fingerprint,
        firing=firing,
        labels={name: value for name, value in every.items() if value},
        annotations=annotations or {"summary": "too many errors"},
        starts_at=starts_at,
        ends_at=ends_at,
        suppressed_by=suppressed_by,
        source=source,
    )


def open_journal(folder: Path, clock: SetClock, *others: Projection) -> Journal:
    return Journal(folder / "journal.db", projections=[IncidentProjection(), *others], clock=clock)


class Room:
    """A journal with a detector; `others` are projections of other rooms."""

    def __init__(self, folder: Path, *others: Projection) -> None:
        self.clock = SetClock()
        self.journal = open_journal(folder, self.clock, *others)
        self.detector = Detector(self.journal, self.clock, "watch")

    @property
    def length(self) -> int:
        return self.journal.head().seq
