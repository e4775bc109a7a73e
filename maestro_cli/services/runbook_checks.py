"""Runbooks looked at without running them: lint and coverage.

Invariant: no endpoint of a context is asked, so both can be gates of a repository that has no cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile, NotFound
from maestro_cli.output.diagnostics import warn
from maestro_cli.runbooks.alerts import AlertRule, read_alerts
from maestro_cli.runbooks.coverage import Coverage, cover
from maestro_cli.runbooks.lint import Finding, lint, lint_file
from maestro_cli.runbooks.model import Runbook, RunRecord
from maestro_cli.runbooks.promtool import faults_of
from maestro_cli.runbooks.rehearsal import CaseResult, rehearsal_file, rehearse

if TYPE_CHECKING:
    from maestro_cli.services.running import RunServices


def lint_runbooks(services: RunServices, names: Sequence[str], places: Sequence[str]) -> tuple[Finding, ...]:
    """The findings in these runbooks, or in all; raises NotFound for one that is not there."""
    books, found = _books(services, names)
    known = {alert.name for alert in alerts_of(places)}
    for book in books:
        found += lint(book, known, _check_queries)
    return tuple(found)


def rehearse_runbooks(services: RunServices, names: Sequence[str]) -> tuple[CaseResult, ...]:
    """Every case of the rehearsals of these runbooks; of all that have one when none is named."""
    catalog = services.runbooks
    books = [catalog.get(name) for name in names] or [
        book for book in catalog.all() if rehearsal_file(book).exists()
    ]
    return tuple(result for book in books for result in rehearse(book, services.clock))


def coverage_of(services: RunServices, places: Sequence[str], within_seconds: float | None) -> Coverage:
    """Which alerts have a runbook, and which runbooks were green, by the journal of the context if any."""
    return cover(
        alerts_of(places), services.runbooks, lambda name: _green(services, name),
        services.clock.now(), within_seconds,
    )  # fmt: skip


def alerts_of(places: Sequence[str]) -> tuple[AlertRule, ...]:
    """The alerts that these files define; without any, the shipped ones."""
    return read_alerts([Path(place) for place in places] or [shipped("deploy")])


def _books(services: RunServices, names: Sequence[str]) -> tuple[list[Runbook], list[Finding]]:
    catalog = services.runbooks
    if not names:
        books = catalog.all()
        return books, [lint_file(error) for error in catalog.broken.values()]
    books, found = [], []
    for name in names:
        try:
            books.append(catalog.get(name))
        except InvalidFile as error:
            found.append(lint_file(error))
    return books, found


def _check_queries(queries: Sequence[str]) -> Mapping[int, str]:
    faults = faults_of(queries)
    if faults is None:
        warn("the queries were not parsed: promtool is not on the path (it comes with Prometheus)")
        return {}
    return faults


def _green(services: RunServices, runbook: str) -> RunRecord | None:
    try:
        return services.run_history.last_green(runbook)
    except NotFound:
        return None  # no context is chosen: nothing is known to have run
