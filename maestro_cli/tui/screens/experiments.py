"""Experiments: what there is to break, how each came out last, and one run while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from maestro_cli.core.clock import from_rfc3339
from maestro_cli.output.strips import strip
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.experiments import (
    EXPERIMENT,
    EXPERIMENT_RUN,
    EXPERIMENT_RUNS,
    EXPERIMENTS,
    FollowedRun,
    Staged,
)
from maestro_cli.tui.screens.drill_actions import PLAY
from maestro_cli.tui.screens.experiment_actions import (
    ABORT,
    HISTORY,
    PLAN,
    SWEEP,
    LiveExperiment,
    live_key,
)
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.chaos.history import ExperimentRun, FaultRecord

STRIP_WIDTH = 60  # the newest samples of the steady state
ARMS = ("treated", "left alone")  # as a run tells them, in this order
LEVELS = {"met": 1, "missed": 4}  # of a strip; whatever else is no data


def experiments_listing(staged: Sequence[Staged], moment: Moment) -> Listing[Staged]:
    """The columns of `chaos list`, with how each came out last."""
    from maestro_cli.output.renderers.experiments import experiments_view

    shown = experiments_view([(one.name, one.found) for one in staged])
    name, title, *others = (column.of(lambda one: (one.name, one.found)) for column in shown.columns)
    columns: tuple[Column[Any], ...] = (
        replace(name, title="experiment"),
        Column("state", lambda one: one.status, tone=lambda one: _state_tone(one.status), priority=1),
        Column("last verdict", verdict_words, tone=_verdict_tone, priority=1),
        Column("drill", drill_words, tone=_drill_tone, priority=2),
        replace(title, priority=2),
        *others,
        Column("why", lambda one: one.last.reasons[0] if one.last and one.last.reasons else None, folds=True),
    )
    return Listing(
        shown.schema, columns, staged, lambda one: shown.document((one.name, one.found)), shown.empty
    )


def verdict_words(staged: Staged) -> str | None:
    """`FAIL (10)`, of the newest run that is over."""
    over = next((run for run in staged.runs if run.is_over), None)
    return f"{over.verdict} ({over.exit_code})" if over is not None else None


def drill_words(staged: Staged) -> str | None:
    """How its last drill came out, where it is one."""
    if not staged.is_drill:
        return None
    return "not played yet" if staged.score is None else str(staged.score)


def _drill_tone(staged: Staged) -> str:
    passed = None if staged.score is None else staged.score.passed
    return "" if passed is None else ("good" if passed else "bad")


def _verdict_tone(staged: Staged) -> str:
    over = next((run for run in staged.runs if run.is_over), None)
    return verdict_tone(over.verdict) if over is not None else ""


def _state_tone(status: str) -> str:
    return {"running": "warn", "interrupted": "bad"}.get(status, "")


def experiment_report(staged: Staged, moment: Moment) -> Report:
    """How it came out, then the file as it is shown."""
    from maestro_cli.core.errors import InvalidFile
    from maestro_cli.output.renderers.experiment_runs import runs_view
    from maestro_cli.output.renderers.experiments import experiment_view

    runs = (Heading("Runs"), runs_view(staged.runs[:10]))
    if isinstance(staged.found, InvalidFile):
        rows: list[tuple[str, object]] = [("file", staged.found.file), ("refused", staged.found.what)]
        return Report("chaos-experiment/v1", {}, (Heading(staged.name), Fields(rows), *runs))
    view = experiment_view(staged.found)
    return replace(view, blocks=(*view.blocks, *runs))


def runs_listing(runs: Sequence[ExperimentRun], moment: Moment) -> Listing[ExperimentRun]:
    from maestro_cli.output.renderers.experiment_runs import runs_view

    return runs_view(runs)


def run_report(followed: FollowedRun, moment: Moment) -> Report:
    """What is at work, where the run stands, its faults in force, and its verdict once there is one."""
    from maestro_cli.output.renderers.experiment_reports import report_view
    from maestro_cli.output.renderers.experiment_runs import run_view

    view = run_view(followed.run, partial(_clock_time, began=followed.run.started_at))
    live = work_blocks(followed.run, moment.live)
    ended = () if followed.journal is None else report_view(followed.journal).blocks
    return replace(view, blocks=(*live, *view.blocks, *ended))


def work_blocks(run: ExperimentRun, live: LiveExperiment | None) -> Sequence[Any]:
    """Of a run at work: how it goes, when each fault ends, and the key that ends it, before all the rest."""
    if run.status != "running":
        return ()
    rows = [] if live is None else live_rows(live)
    rows += [("in force", _in_force(one)) for one in run.faults if one.in_force]
    rows.append(("ends it now", "F8: its faults are taken back at once"))
    said = () if live is None else (Lines("\n".join(live.said)),)
    where = "At work" if live is None else "At work here"
    return (Heading(f"{where}: {run.id}"), Fields(rows), *said)


def _clock_time(text: str, began: str) -> str | None:
    """The time of the day, so that all of a fault has room beside its names; with the date on another one."""
    if not text:
        return None
    at, day = (from_rfc3339(one).astimezone() for one in (text, began))
    return at.strftime("%H:%M:%S %Z" if at.date() == day.date() else "%Y-%m-%d %H:%M:%S %Z")


def _in_force(one: FaultRecord) -> str:
    ends = _clock_time(one.ends_at, one.ends_at)
    return f"until {ends}: {one.name} ({one.fault})"


def live_rows(live: LiveExperiment) -> list[tuple[str, object]]:
    """The steady state so far as a strip, its figures in words, and both arms beside one another."""
    newest = live.samples[-STRIP_WIDTH:]
    drawn = strip(LEVELS.get(word) for _, word in newest)
    counts = {word: sum(one == word for _, one in live.samples) for _, word in live.samples}
    words = ", ".join(f"{count} {word}" for word, count in counts.items()) or "not looked at yet"
    latest = f"{newest[-1][0]}: {newest[-1][1]}" if newest else None
    arms = [(name, arm.removeprefix(f"{name} ")) for name, arm in zip(ARMS, live.arms, strict=False)]
    return [("steady state", drawn or None), ("samples", words), ("latest", latest), *arms]


def experiment_target(staged: Staged, place: Place) -> Target:
    return Target(place.context, "Experiment", staged.name, staged.name, staged)


def run_target(run: ExperimentRun, place: Place) -> Target:
    return Target(place.context, "ExperimentRun", run.id, run.id, run)


def to_experiment(target: Target) -> Place:
    """To the run that is at work, else to the experiment."""
    last = target.item.last
    if last is not None and last.status == "running":
        return Place("experiment-run", last.id, target.context)
    return Place("experiment", target.id, target.context)


ABOUT_EXPERIMENT = (PLAN, PLAY, HISTORY, ABORT, SWEEP)
ABOUT_RUN = (ABORT, SWEEP)

SCREENS = (
    TableScreen(
        id="experiments",
        title="Experiments",
        help="What there is to break on purpose, what is under way, and how each came out last.",
        feed=EXPERIMENTS,
        rows=tuple,
        listing=experiments_listing,
        key=lambda one: one.name,
        target=experiment_target,
        opens=to_experiment,
        has_namespace=False,
        aliases=("chaos", "exp"),
        actions=ABOUT_EXPERIMENT,
    ),
    ReportScreen(
        id="experiment",
        title="Experiment",
        help="One experiment: its hypothesis, its method, what bounds it, and its runs.",
        feed=EXPERIMENT,
        report=experiment_report,
        target=lambda place, staged: experiment_target(staged, place),
        actions=ABOUT_EXPERIMENT,
    ),
    TableScreen(
        id="experiment-runs",
        title="Runs of experiments",
        help="Runs of experiments with their verdicts, the newest first.",
        feed=EXPERIMENT_RUNS,
        rows=tuple,
        listing=runs_listing,
        key=lambda run: run.id,
        target=run_target,
        opens=lambda target: Place("experiment-run", target.id, target.context),
        has_namespace=False,
        aliases=("chaos-history",),
        actions=ABOUT_RUN,
    ),
    ReportScreen(
        id="experiment-run",
        title="Run of an experiment",
        help="One run: the steady state, faults in force and when they end, and the verdict.",
        feed=EXPERIMENT_RUN,
        report=run_report,
        target=lambda place, followed: replace(run_target(followed.run, place), item=followed),
        live=live_key,
        actions=ABOUT_RUN,
    ),
)
