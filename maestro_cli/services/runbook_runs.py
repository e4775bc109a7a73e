"""A run of a runbook as it was asked for: what is planned, shown and then run is one and the same.

Invariant: the file is read and the values are found once; whoever runs what was shown runs exactly that, or
is refused because the file is another one now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import StalePlan

if TYPE_CHECKING:
    from maestro_cli.core.progress import Progress
    from maestro_cli.runbooks.model import Runbook, RunResult
    from maestro_cli.runbooks.planning import RunPlan
    from maestro_cli.runbooks.session import Told
    from maestro_cli.services.running import RunServices


@dataclass(frozen=True, slots=True)
class AskedRun:
    """`values` are those of every parameter; `incident` is the id of the one that it is for, or ""."""

    book: Runbook
    values: Mapping[str, str]
    incident: str


def asked_run(services: RunServices, name: str, pairs: Sequence[str], incident_ref: str | None) -> AskedRun:
    """A runbook as its file is now, with its values; the newest signal of an incident that fires, or
    fired last, fills in what is not given. Raises NotFound, InvalidFile, UsageError."""
    from maestro_cli.services.running import parse_pairs

    services.runbooks.reread()
    book = services.runbooks.get(name)
    incident = services.desk.get(incident_ref) if incident_ref else None
    signals = services.desk.signals(incident.id) if incident else ()
    newest = sorted(signals, key=lambda one: (one.firing, one.starts_at))
    signal = newest[-1] if newest else None
    values = services.runbooks.values(
        book,
        given=parse_pairs(pairs),
        labels=signal.labels if signal else {},
        annotations=signal.annotations if signal else {},
    )
    return AskedRun(book, values, incident.id if incident else "")


def plan_asked(services: RunServices, asked: AskedRun, progress: Progress) -> RunPlan:
    """What that run would do; steps that alter nothing are run for it."""
    progress.phase("plan", asked.book.id)
    return services.runner.plan(
        asked.book,
        asked.values,
        services.changes_for("", given=True),
        progress=progress,
        cancellation=services.cancellation,
    )


def run_asked(
    services: RunServices,
    asked: AskedRun,
    typed_context: str,
    yes: bool,
    progress: Progress,
    told: Told | None = None,
) -> RunResult:
    """Start exactly that run; `told` hears of each of its events. Raises StalePlan when the file changed."""
    _refuse_stale(asked.book)
    progress.phase("runbook", asked.book.id)
    services.expect(progress, asked.book, None)
    return services.runner_for(typed_context, given=yes or services.person is not None, told=told).start(
        asked.book,
        asked.values,
        incident=asked.incident or None,
        progress=progress,
        cancellation=services.cancellation,
        confirm=services.ask_step(progress),
    )


def _refuse_stale(book: Runbook) -> None:
    """Raises StalePlan, and InvalidFile where the file cannot be read any more."""
    from maestro_cli.runbooks.reader import read_runbook

    digest = read_runbook(Path(book.file)).digest
    if digest != book.digest:
        raise StalePlan(
            f"{book.file} changed since its plan was made; nothing was done",
            why=f"it was {book.digest[:12]}, it is {digest[:12]}",
            fix="look at it, and plan again",
        )
