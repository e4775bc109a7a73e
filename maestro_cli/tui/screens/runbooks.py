"""Runbooks and playbooks: what there is to run, what it says, and what starts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maestro_cli.output.views import Column, Heading, Listing, Report
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.incident_runs import REHEARSE
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.runbooks.lint import Finding
    from maestro_cli.runbooks.model import Runbook
    from maestro_cli.runbooks.playbooks.model import Playbook
    from maestro_cli.services.root import Services

FILES_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Shelved:
    """A runbook, and what is wrong with it."""

    book: Runbook
    findings: tuple[Finding, ...]


def read_runbooks(services: Services, argument: str) -> tuple[Shelved, ...]:
    """Each as its file is now, with what lint says of it."""
    services.runbooks.reread()
    books = services.readable_runbooks()
    found = services.lint_runbooks((), ())
    return tuple(Shelved(book, tuple(one for one in found if one.file == book.file)) for book in books)


def read_runbook(services: Services, name: str) -> Shelved:
    services.runbooks.reread()
    book = services.runbooks.get(name)
    return Shelved(book, services.lint_runbooks((name,), ()))


def read_playbooks(services: Services, argument: str) -> tuple[Playbook, ...]:
    services.playbooks.reread()
    return tuple(services.playbooks.all())


def read_playbook(services: Services, name: str) -> Playbook:
    services.playbooks.reread()
    return services.readiness.judged(services.playbooks.get(name))


RUNBOOKS: Feed[tuple[Shelved, ...]] = Feed("runbooks", "runbook files", FILES_SECONDS, read_runbooks)
RUNBOOK: Feed[Shelved] = Feed("runbook", "runbook files", FILES_SECONDS, read_runbook)
PLAYBOOKS: Feed[tuple[Playbook, ...]] = Feed("playbooks", "playbook files", FILES_SECONDS, read_playbooks)
PLAYBOOK: Feed[Playbook] = Feed("playbook", "playbook files", FILES_SECONDS, read_playbook)


def runbooks_listing(shelved: Sequence[Shelved], moment: Moment) -> Listing[Shelved]:
    """The columns of `runbook list`, and how many findings each has."""
    from maestro_cli.output.renderers.runbooks import runbooks_view

    view = runbooks_view([one.book for one in shelved])
    columns = tuple(column.of(lambda one: one.book) for column in view.columns)
    findings: Column[Any] = Column(
        "findings",
        lambda one: len(one.findings) or "none",
        right=True,
        tone=lambda one: "warn" if one.findings else "good",
    )
    return Listing(
        view.schema, (*columns, findings), shelved, lambda one: view.document(one.book), view.empty
    )


def runbook_report(shelved: Shelved, moment: Moment) -> Report:
    """What lint says first, then the runbook as it is shown."""
    from maestro_cli.output.renderers.runbooks import runbook_view

    view = runbook_view(shelved.book)
    if not shelved.findings:
        return view
    columns: tuple[Column[Finding], ...] = (
        Column("level", lambda one: one.level, tone=lambda one: "bad" if one.level == "error" else "warn"),
        Column("line", lambda one: one.line, right=True),
        Column("what", lambda one: one.text),
    )
    found = Listing("runbook-lint/v1", columns, shelved.findings)
    return replace(view, blocks=(Heading("Findings"), found, *view.blocks))


def playbooks_listing(playbooks: Sequence[Playbook], moment: Moment) -> Listing[Playbook]:
    from maestro_cli.output.renderers.playbooks import playbooks_view

    return playbooks_view(playbooks)


def playbook_report(playbook: Playbook, moment: Moment) -> Report:
    from maestro_cli.output.renderers.playbooks import playbook_view

    return playbook_view(playbook)


def runbook_target(shelved: Shelved, place: Place) -> Target:
    return Target(place.context, "Runbook", shelved.book.id, shelved.book.id, shelved)


def playbook_target(playbook: Playbook, place: Place) -> Target:
    return Target(place.context, "Playbook", playbook.id, playbook.id, playbook)


ACTIONS = (replace(REHEARSE, id="runbooks.rehearse"),)

SCREENS = (
    TableScreen(
        id="runbooks",
        title="Runbooks",
        help="What there is to run, for which alerts, and what lint finds in it.",
        feed=RUNBOOKS,
        rows=tuple,
        listing=runbooks_listing,
        key=lambda one: one.book.id,
        target=runbook_target,
        opens=lambda target: Place("runbook", target.id, target.context),
        has_namespace=False,
        aliases=("rb",),
        digit="9",
        actions=ACTIONS,
    ),
    ReportScreen(
        id="runbook",
        title="Runbook",
        help="One runbook: parameters, steps and text.",
        feed=RUNBOOK,
        report=runbook_report,
        target=lambda place, shelved: runbook_target(shelved, place),
        actions=ACTIONS,
    ),
    TableScreen(
        id="playbooks",
        title="Playbooks",
        help="Which alert opens which incident, and what runs for it.",
        feed=PLAYBOOKS,
        rows=tuple,
        listing=playbooks_listing,
        key=lambda one: one.id,
        target=playbook_target,
        opens=lambda target: Place("playbook", target.id, target.context),
        has_namespace=False,
        aliases=("pb",),
    ),
    ReportScreen(
        id="playbook",
        title="Playbook",
        help="One playbook: what starts it, what it runs, and why it may not run by itself.",
        feed=PLAYBOOK,
        report=playbook_report,
    ),
)
