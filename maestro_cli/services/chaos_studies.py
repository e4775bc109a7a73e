"""Experiments looked at before and after they run: what could be broken, imports, reports, comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.comparing import RunComparison, compare
from maestro_cli.chaos.discovery import Breakable, discover
from maestro_cli.chaos.experiments.catalog import path_of
from maestro_cli.chaos.experiments.importing import Proposed, propose
from maestro_cli.chaos.experiments.reading import experiment_of, read_document
from maestro_cli.config.strict import dump_yaml
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.output.evidence import write_files
from maestro_cli.output.pages import check_form, write_page
from maestro_cli.output.renderers.experiment_reports import report_view

if TYPE_CHECKING:
    from maestro_cli.chaos.history import ExperimentRun
    from maestro_cli.services.root import Services


def breakable(services: Services, namespace: str) -> tuple[Breakable, ...]:
    """In one namespace, or in those that the context allows, else its own. Raises NotFound."""
    rules = services.context.experiments
    allowed = [] if rules is None else rules.namespaces
    where = [namespace] if namespace else [*allowed] or [services.context.namespace or "default"]
    lines = [line for one in where for line in services.cluster.inventory.workloads(one)]
    refs: list[WorkloadRef] = sorted((line.ref for line in lines), key=str)
    return discover(services, refs, allowed)


def proposed(services: Services, reference: str) -> tuple[str, Proposed]:
    """A plain file with the extension that is proposed, as YAML. Raises InvalidFile, UsageError."""
    document = read_document(path_of(reference, services.experiment_folders()))
    experiment_of(document)
    found = propose(document.data)
    return dump_yaml(found.document), found


def write_new(path: Path, text: str) -> None:
    """A file that is not there yet. Raises UsageError, ActionFailed."""
    if path.exists():
        raise UsageError(f"{path} is there already", fix="give another name")
    write_files(path.parent, {path.name: text})


def write_report(services: Services, reference: str, path: Path) -> None:
    """How a run ended, as one page (.html) or Markdown (.md). Raises UsageError, NotFound, ActionFailed."""
    check_form(path)
    journal = services.experiment_journal(reference)
    title = str((journal.get("experiment") or {}).get("title") or "experiment")
    write_page(report_view(journal), title, path)


def compared(
    services: Services, reference: str, other: str, tolerated: float
) -> tuple[ExperimentRun, ExperimentRun, RunComparison]:
    """A run against another, by default the last before it that passed. Raises NotFound."""
    now = services.ended_experiment_run(reference)
    was = services.experiment_run(other) if other else _last_passing(services, now)
    found = compare(
        _journal(services, was),
        _journal(services, now),
        tolerated,
        is_same_file=was.digest == now.digest,
    )
    return was, now, found


def _journal(services: Services, run: ExperimentRun) -> Mapping[str, Any]:
    return services.experiment_journal(run.id)


def _last_passing(services: Services, now: ExperimentRun) -> ExperimentRun:
    runs = services.experiment_runs(now.name, 10_000)
    earlier = [one for one in runs if one.started_at < now.started_at and one.verdict == "PASS"]
    if not earlier:
        raise NotFound(f"no run of {now.name} before {now.id} passed", fix="maestro chaos compare RUN OTHER")
    return earlier[0]
