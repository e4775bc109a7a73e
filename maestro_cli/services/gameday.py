"""Game days: read, carried out step by step, written to the journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.chaos.ci.outcome import Outcome, not_run
from maestro_cli.chaos.gameday.plan import GameDay, Step, read_gameday
from maestro_cli.chaos.gameday.score import DayResult, Taken, day_result
from maestro_cli.chaos.running import Wanted
from maestro_cli.core.errors import Interrupted
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.pages import write_page
from maestro_cli.output.renderers.chaos_gameday import gameday_view
from maestro_cli.services.gating import is_last, outcome_of_run

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


def run_gameday(
    services: Services, path: Path, *, yes: bool, typed_context: str, progress: Progress
) -> tuple[GameDay, DayResult]:
    """Every file is read before anything is begun; after 13, 14 and an interruption nothing more is.

    Raises InvalidFile, NotFound and UsageError; what becomes of a run is in its outcome.
    """
    day = read_gameday(path)
    entries = [(step, _wanted(services, step, yes, typed_context)) for step in day.steps]
    subject = f"gameday/{new_id('day', services.clock.now())}"
    services.journal.append(
        "gameday.started", subject, services.actor,
        {"title": day.title, "file": day.file, "roles": dict(day.roles)},
    )  # fmt: skip
    result = day_result(_carried_out(services, entries, progress))
    told = [
        {"run": one.outcome.run, "name": one.outcome.name, "exit_code": int(one.outcome.exit_code)}
        for one in result.taken
    ]
    services.journal.append(
        "gameday.finished", subject, services.actor,
        {"verdict": result.verdict.value, "exit_code": int(result.exit_code), "experiments": told},
    )  # fmt: skip
    return day, result


def _wanted(services: Services, step: Step, yes: bool, typed_context: str) -> Wanted | None:
    if step.pause_seconds is not None:
        return None
    return services.wanted_experiment(step.experiment, seed=step.seed, yes=yes, typed_context=typed_context)


def _carried_out(
    services: Services, entries: Sequence[tuple[Step, Wanted | None]], progress: Progress
) -> list[Taken]:
    taken: list[Taken] = []
    over = ""
    for step, wanted in entries:
        if wanted is None:
            if not over and step.pause_seconds:
                over = _rest(services, step.pause_seconds, progress)
            continue
        outcome: Outcome
        if over:
            outcome = not_run(wanted.experiment, over)
        else:
            outcome = outcome_of_run(services, wanted, progress)
            if is_last(outcome):
                over = f"{outcome.title} ended with {int(outcome.exit_code)}, and nothing more was begun"
        taken.append(Taken(outcome, step.expect, step.watch))
    return taken


def _rest(services: Services, seconds: float, progress: Progress) -> str:
    """Why the day is over after a break, "" when it is not."""
    progress.phase("break", format_duration(seconds))
    try:
        services.cancellation.pause(seconds)
    except Interrupted:
        return "it was interrupted in a break"
    return ""


def write_report(day: GameDay, result: DayResult, path: Path) -> None:
    """As one page (.html) or Markdown (.md). Raises UsageError, ActionFailed."""
    write_page(gameday_view(day, result), day.title, path)
