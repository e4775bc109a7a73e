"""What completion offers beside names of commands: runbooks, runs, steps, incidents, workloads.

Invariant: nothing is created, changed or asked over the network for it, and what goes wrong offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from maestro_cli.core.errors import MaestroError, NotFound

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.services import Services

Offered = list[tuple[str, str]]
MAX_RUNS = 100
MAX_CHANGES = 200
MAX_INCIDENTS = 50


def runbook_ids(ctx: typer.Context, incomplete: str) -> Offered:
    """The names of the files; what cannot be read is offered too, and says so when it is run."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        from maestro_cli.config.locations import shipped

        for folder in (*map(Path, services.settings.runbook_dirs), shipped("runbooks")):
            yield from ((path.stem, str(folder)) for path in sorted(folder.glob("*.md")))

    return _offered(ctx, incomplete, found)


def experiment_drills(ctx: typer.Context, incomplete: str) -> Offered:
    """The experiments that are drills; no file is read before their prefix is begun."""
    from maestro_cli.chaos.drills.model import EXPERIMENTS

    if not (incomplete and (EXPERIMENTS.startswith(incomplete) or incomplete.startswith(EXPERIMENTS))):
        return []
    return _offered(
        ctx, incomplete, lambda services: ((one.name, one.title) for one in services.experiment_drills())
    )


def channels(ctx: typer.Context, incomplete: str) -> Offered:
    """The channels of the context."""
    return _offered(ctx, incomplete, lambda services: ((name, "") for name in services.channels))


def contexts(ctx: typer.Context, incomplete: str) -> Offered:
    """The contexts of the settings."""
    return _offered(ctx, incomplete, _contexts)


def _contexts(services: Services) -> Iterator[tuple[str, str]]:
    return ((name, services.settings.origins.get(name, "")) for name in services.settings.contexts)


def screens(ctx: typer.Context, incomplete: str) -> Offered:
    """The screens of the console."""
    from maestro_cli.tui.screens.table import every_screen

    return [(one.id, one.title) for one in every_screen().values() if one.id.startswith(incomplete)]


def runs(ctx: typer.Context, incomplete: str) -> Offered:
    """Every run, the newest first."""
    return _runs(ctx, incomplete, lambda run: True)


def open_runs(ctx: typer.Context, incomplete: str) -> Offered:
    """The runs that can be gone on with, or cancelled."""
    return _runs(ctx, incomplete, lambda run: not run.status.final)


def waiting_runs(ctx: typer.Context, incomplete: str) -> Offered:
    """The runs that wait for a person."""
    return _runs(ctx, incomplete, lambda run: bool(run.waiting_for))


def running_runs(ctx: typer.Context, incomplete: str) -> Offered:
    """The runs that somebody works on."""
    return _runs(ctx, incomplete, lambda run: run.status.value == "running")


def waiting_steps(ctx: typer.Context, incomplete: str) -> Offered:
    """The step that the run before it on the command line waits for."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        run = services.run_history.get(services.run_id(str(ctx.params.get("run_id"))))
        yield run.waiting_for, run.reason

    return _offered(ctx, incomplete, found)


def messages(ctx: typer.Context, incomplete: str) -> Offered:
    """The messages that are not delivered."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        for one in services.outbox.messages():
            yield one.id, f"{one.channel}: {one.content.get('text', '')}"

    return _offered(ctx, incomplete, found)


def people(ctx: typer.Context, incomplete: str) -> Offered:
    """Names that roles, tasks and incidents had before."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        yield from ((name, "") for name in services.people_seen())

    return _offered(ctx, incomplete, found)


def incidents(ctx: typer.Context, incomplete: str) -> Offered:
    """Their numbers, the open ones first, and `latest`."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        yield "latest", "the newest"
        listed = services.desk.list(limit=MAX_INCIDENTS)
        for one in sorted(listed, key=lambda one: not one.state.is_open):
            yield str(one.number), f"{one.severity.value} {one.state.value}: {one.title}"

    return _offered(ctx, incomplete, found)


def changed_workloads(ctx: typer.Context, incomplete: str) -> Offered:
    """Workloads that changes were made to, the latest first: the journal knows them, no cluster is asked."""
    from maestro_cli.core.refs import WorkloadRef

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        changes = [one for one in services.list_changes(MAX_CHANGES) if isinstance(one.ref, WorkloadRef)]
        yield from {str(one.ref): f"{one.kind} {one.state.value}" for one in reversed(changes)}.items()

    return _offered(ctx, incomplete, found)


def measured_workloads(ctx: typer.Context, incomplete: str) -> Offered:
    """Those that right-sizing measured last, then those that were changed; no backend is asked."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        from maestro_cli.services.costs.measured import measured

        return ((name, f"measured until {at}") for name, at in measured(services.context_name))

    offered = _offered(ctx, incomplete, found)
    there = {name for name, _ in offered}
    return [*offered, *(one for one in changed_workloads(ctx, incomplete) if one[0] not in there)]


def oncall_schedules(ctx: typer.Context, incomplete: str) -> Offered:
    """The schedules of the context's on-call file."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        oncall = services.oncall
        yield from ((name, one.zone.key) for name, one in (oncall.schedules if oncall else {}).items())

    return _offered(ctx, incomplete, found)


def objectives(ctx: typer.Context, incomplete: str) -> Offered:
    """The objectives of the context's files; those of its cluster are not asked for."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        from maestro_cli.services.objectives import objectives_in_files

        yield from ((one.name, one.echo) for one in objectives_in_files(services))

    return _offered(ctx, incomplete, found)


def experiments(ctx: typer.Context, incomplete: str) -> Offered:
    """The names of the files."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        return ((path.stem, str(path.parent)) for path in services.experiment_files())

    return _offered(ctx, incomplete, found)


def experiment_runs(ctx: typer.Context, incomplete: str) -> Offered:
    """Runs of experiments, the newest first."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        runs = services.experiment_runs("", MAX_RUNS)
        return ((run.id, f"{run.name} {run.status} {run.verdict}".strip()) for run in runs)

    return _offered(ctx, incomplete, found)


def tasks(ctx: typer.Context, incomplete: str) -> Offered:
    """The tasks that are open."""

    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        for task in services.tasks("all", ended=False):
            yield str(task.number), task.text

    return _offered(ctx, incomplete, found)


def _runs(ctx: typer.Context, incomplete: str, wanted: Callable[[RunRecord], bool]) -> Offered:
    def found(services: Services) -> Iterator[tuple[str, str]]:
        _need_journal(services)
        for run in services.run_history.list(limit=MAX_RUNS):
            if wanted(run):
                yield run.id, f"{run.runbook} {run.status.value}"

    return _offered(ctx, incomplete, found)


def _need_journal(services: Services) -> None:
    """Raises NotFound where there is none: it must not be made to complete a word."""
    if not services.journal_path.exists():
        raise NotFound("there is no journal yet")


def _offered(
    ctx: typer.Context, incomplete: str, find: Callable[[Services], Iterable[tuple[str, str]]]
) -> Offered:
    from maestro_cli.cli.signals import Signals
    from maestro_cli.core.untrusted import visible
    from maestro_cli.services import GlobalOptions, Services

    offered: Offered = []
    with suppress(MaestroError, OSError):
        options = GlobalOptions(context=ctx.find_root().params.get("context"))
        with Services(options, Signals()) as services:
            if find.__closure__ is None or services.journal_path.exists():
                offered += [
                    (value, visible(meaning, 60))
                    for value, meaning in find(services)
                    if value.startswith(incomplete)
                ]
    return offered
