"""Which playbook an alert would start, with which values, and why not each other.

Invariant: it asks what a response asks, of the same catalog, and starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maestro_cli.core.errors import MaestroError
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog
from maestro_cli.runbooks.playbooks.matching import PlaybookMatch
from maestro_cli.runbooks.playbooks.model import Playbook, PlaybookStep
from maestro_cli.runbooks.playbooks.template import Facts


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One runbook that would be run: its values, or in `fault` why it cannot have them."""

    runbook: str
    values: Mapping[str, str]
    fault: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one alert."""

    labels: Mapping[str, str]
    firing: bool
    match: PlaybookMatch
    title: str
    runs: tuple[PlannedRun, ...]


def explain(
    playbooks: PlaybookCatalog,
    runbooks: RunbookCatalog,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    *,
    firing: bool,
    more: Facts | None = None,
) -> Explanation:
    """What this alert would start; `more` are facts about its incident. Raises what the catalog does."""
    match = playbooks.match(labels, firing=firing)
    if match.playbook is None:
        return Explanation(labels, firing, match, "", ())
    runs = tuple(_planned(step, runbooks, labels, annotations, more or {}) for step in match.playbook.steps)
    return Explanation(labels, firing, match, match.playbook.title_for(labels, more), runs)


def _planned(
    step: PlaybookStep,
    runbooks: RunbookCatalog,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    more: Facts,
) -> PlannedRun:
    try:
        book = step.inline or runbooks.get(step.runbook)
        given = step.parameters(labels, more)
        values = runbooks.values(book, given=given, labels=labels, annotations=annotations)
    except MaestroError as error:
        return PlannedRun(step.runbook, {}, error.what)
    return PlannedRun(book.id, values, "")


def gravest(found: Sequence[tuple[Playbook, int]]) -> int | None:
    """Of playbooks that several signals chose, the place of the most severe; the first of equals."""
    best = min(found, key=lambda one: (one[0].severity, one[1]), default=None)
    return None if best is None else best[1]
