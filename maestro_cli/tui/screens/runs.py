"""Runs of runbooks: where each stands, one with its steps, and how to go on with it or end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maestro_cli.output.tones import OPEN_RUNS
from maestro_cli.output.views import Lines, Report
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Target
from maestro_cli.tui.feeds.journal import journal_feed
from maestro_cli.tui.screens.incident_runs import CANCEL, CONSIDER, live_blocks, live_key
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.output.views import Listing
    from maestro_cli.runbooks.model import RunRecord
    from maestro_cli.services.root import Services

MOST = 200


def read_runs(services: Services, argument: str) -> tuple[RunRecord, ...]:
    """Those that have not ended first, then the newest."""
    found = services.run_history.list(limit=MOST)
    return tuple(sorted(found, key=lambda run: run.status.value not in OPEN_RUNS))


def read_run(services: Services, run_id: str) -> RunRecord:
    return services.run_history.get(run_id)


RUNS = journal_feed("runs", read_runs)
RUN = journal_feed("run", read_run)


def runs_listing(runs: Sequence[RunRecord], moment: Moment) -> Listing[RunRecord]:
    from maestro_cli.output.renderers.runbooks import runs_view

    return runs_view(runs)


def run_report(run: RunRecord, moment: Moment) -> Report:
    """What is at work here, then the run, and how to go on with it in one line."""
    from maestro_cli.output.renderers.runbooks import next_command, run_view

    found, advice = run_view(run), next_command(run)
    at_work = live_blocks(moment.live) if moment.live is not None else []
    return replace(found, blocks=(*at_work, *found.blocks, *([Lines(advice)] if advice else [])))


def run_target(run: RunRecord, place: Place) -> Target:
    return Target(place.context, "Run", run.id, run.id, run)


def why_no_answer(target: Target) -> str:
    return "" if target.item.waiting_for else f"it asks nothing: it is {target.item.status.value}"


def answer(services: Services, target: Target, answers: Answers) -> str:
    """What it asks is answered in the journal; going on with it is another word."""
    run = services.answer_run(target.id, answers["step"], answers["said"])
    return f"recorded; {run.id} is {run.status.value}: Go on goes on with it"


def export(services: Services, target: Target, answers: Answers) -> str:
    from pathlib import Path

    path, text = Path(answers["path"]), services.export_run(target.id)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return str(path.resolve())


ANSWER = Action(
    "runs.answer", "Answer", "Say yes, no or what is asked to a run that waits.", Danger.RECORD,
    lambda target, answers: ("runbook", "answer", target.id, answers["step"], answers["said"]), key="a",
    asks=(
        Ask("step", "which step", lambda target: target.item.waiting_for),
        Ask("said", "yes, no, or what it asks for"),
    ),
    records=answer,
    refuses=why_no_answer,
)  # fmt: skip
EXPORT = Action(
    "runs.export", "Export", "Write it as Markdown: its runbook with what came of each step.", Danger.RECORD,
    lambda target, answers: ("runbook", "export", target.id), key="E",
    asks=(Ask("path", "into which new file", lambda target: f"{target.id}.md"),),
    records=export,
)  # fmt: skip
ACTIONS = (
    ANSWER,
    EXPORT,
    replace(CONSIDER, id="runs.go-on"),
    replace(CANCEL, id="runs.stop"),
)

SCREENS = (
    TableScreen(
        id="runs",
        title="Runs",
        help="Runs of runbooks: what waits, was interrupted or is at work first.",
        feed=RUNS,
        rows=tuple,
        listing=runs_listing,
        key=lambda run: run.id,
        target=run_target,
        opens=lambda target: Place("run", target.id, target.context),
        has_namespace=False,
        aliases=("rr",),
        digit="8",
        actions=ACTIONS,
    ),
    ReportScreen(
        id="run",
        title="Run",
        help="One run: each step with its attempts, and how to go on.",
        feed=RUN,
        report=run_report,
        target=lambda place, run: run_target(run, place),
        live=live_key,
        actions=ACTIONS,
    ),
)
