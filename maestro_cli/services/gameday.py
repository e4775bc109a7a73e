"""Game days: read, carried out step by step, written to the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.ci.outcome import not_run
from maestro_cli.chaos.drills.choice import USUAL_SEED
from maestro_cli.chaos.drills.model import EXPERIMENTS, Scenario
from maestro_cli.chaos.drills.scenarios import find_scenario
from maestro_cli.chaos.gameday.plan import GameDay, Step, read_gameday
from maestro_cli.chaos.gameday.score import (
    DayResult,
    Taken,
    day_result,
    outcome_of_drill,
    undrilled,
    unkept_day,
)
from maestro_cli.chaos.keeping import Keeper
from maestro_cli.chaos.running import Wanted
from maestro_cli.config.settings import LOCAL
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    CannotRecord,
    ExitCode,
    GateNotMet,
    Interrupted,
    MaestroError,
    NotKept,
    UsageError,
)
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress, break_off
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.pages import write_page
from maestro_cli.output.progress import left_alone
from maestro_cli.output.renderers.chaos_gameday import gameday_view
from maestro_cli.services.gating import is_last, outcome_of_run

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


@dataclass(frozen=True, slots=True)
class _Played:
    """A drill of the day, as it was found when the plan was read."""

    scenario: Scenario
    seed: int
    is_agreed: bool


GAMEDAY = "gameday"  # the lease: one game day at a time in a context
Entry = tuple[Step, Wanted | _Played | None]


def run_gameday(
    services: Services, path: Path, *, yes: bool, typed_context: str, progress: Progress
) -> tuple[GameDay, DayResult]:
    """Every file is read before anything is begun; after 13, 14 and an interruption nothing more is.

    Raises InvalidFile, NotFound and UsageError, Busy while another one is held, GateNotMet where it cannot be
    written down; what becomes of a run is in its outcome.
    """
    day = read_gameday(path)
    entries = [(step, _entry(services, step, yes, typed_context)) for step in day.steps]
    cancellation = services.cancellation  # from here on a signal ends the day in order
    with _held(services, day) as (keeper, subject):
        result = _carried_out(services, entries, progress, cancellation, keeper)
        told = [_told(one) for one in result.taken]
        try:
            services.journal.append(
                "gameday.finished", subject, services.actor,
                {
                    "verdict": result.verdict.value, "exit_code": int(result.exit_code), "experiments": told,
                    "ended_early": result.ended_early,
                },
            )  # fmt: skip
        except (CannotRecord, Busy) as error:
            return day, unkept_day(result, f"its end cannot be written down: {error.why or error.what}")
    return day, result


@contextmanager
def _held(services: Services, day: GameDay) -> Iterator[tuple[Keeper, str]]:
    """The lease of game days, one at a time in a context, and the subject of what is written of this one.

    Raises Busy and GateNotMet: then nothing was begun.
    """
    name = new_id("day", services.clock.now())
    subject = f"gameday/{name}"
    begun = {"title": day.title, "file": day.file, "roles": dict(day.roles)}
    with ExitStack() as stack:
        try:
            keeper = Keeper(services.journal, name, GAMEDAY)
            stack.callback(keeper.release)
            services.journal.append("gameday.started", subject, services.actor, begun)
        except CannotRecord as error:
            what = "the game day cannot be written down; nothing was begun"
            raise GateNotMet(what, why=error.why or error.what, fix="make room") from error
        yield keeper, subject


def _told(one: Taken) -> dict[str, Any]:
    told = {"run": one.outcome.run, "name": one.outcome.name, "exit_code": int(one.outcome.exit_code)}
    return {**told, "drill": one.card.drill} if one.card is not None else told


def _entry(services: Services, step: Step, yes: bool, typed_context: str) -> Wanted | _Played | None:
    if step.drill:
        return _drill(services, step, yes)
    if step.experiment:
        return services.wanted_experiment(
            step.experiment, seed=step.seed, yes=yes, typed_context=typed_context
        )
    return None


def _drill(services: Services, step: Step, yes: bool) -> _Played:
    """Raises NotFound, InvalidFile, and UsageError in a context whose platform maestro did not start."""
    if services.context_name != LOCAL:
        why = f"the day is of the context {services.context_name}"
        raise UsageError(
            f"drills are played in the context {LOCAL} alone", why=why, fix="drill: leave it out"
        )
    seed = USUAL_SEED if step.seed is None else step.seed
    named = step.drill
    is_experiment = named.startswith(EXPERIMENTS)
    scenario = services.experiment_drill(named, seed) if is_experiment else find_scenario(named)
    return _Played(scenario, seed, yes)


def _carried_out(
    services: Services, entries: Sequence[Entry], progress: Progress, cancellation: Cancellation,
    keeper: Keeper,
) -> DayResult:  # fmt: skip
    taken: list[Taken] = []
    over, interrupted = "", None
    for step, entry in entries:
        if keeper.is_lost and not over:
            over = "another process took over the lease of game days, and nothing more was begun"
        if entry is None:
            if not over and step.pause_seconds:
                interrupted = _rest(step.pause_seconds, progress, cancellation)
                over = "" if interrupted is None else "it was interrupted in a break"
            continue
        made = _not_taken(step, entry, over) if over else _taken(services, step, entry, progress)
        taken.append(made)
        if not over and is_last(made.outcome):
            code = int(made.outcome.exit_code)
            over = f"{made.outcome.title} ended with {code}, and nothing more was begun"
    return day_result(taken, interrupted)


def _taken(services: Services, step: Step, entry: Wanted | _Played, progress: Progress) -> Taken:
    if isinstance(entry, Wanted):
        return Taken(outcome_of_run(services, entry, progress), step.expect, step.watch, step.roles)
    scenario, card, clock = entry.scenario, None, services.clock
    began: float | None = None
    try:
        with left_alone(progress):
            _agree(services, entry)
        began = clock.monotonic()
        card = services.conductor(entry.seed, None).run(
            scenario, keep=False, progress=progress, cancellation=services.cancellation
        )
        outcome = outcome_of_drill(scenario, card)
    except MaestroError as error:
        break_off(progress)
        outcome = undrilled(scenario, "; ".join(filter(None, (error.what, error.why))), error.exit_code)
    except KeyboardInterrupt:
        break_off(progress)
        outcome = undrilled(scenario, "interrupted", ExitCode.SIGINT)
    took = None if began is None else round(clock.monotonic() - began, 3)
    return Taken(outcome, step.expect, step.watch, step.roles, scenario.name, card, took)


def _agree(services: Services, entry: _Played) -> None:
    """Raises GateNotMet unless somebody agreed: the day is theirs who hold it."""
    if entry.is_agreed:
        return
    what = "nobody agreed to this drill; nothing was broken"
    if services.person is None:
        raise GateNotMet(
            what, why="there was no answer to a prompt, and --yes was not given", fix="add --yes"
        )
    if not services.person.confirm(f"drill {entry.scenario.name}, {entry.scenario.title}: go on?"):
        raise GateNotMet("you said no; nothing was broken")


def _not_taken(step: Step, entry: Wanted | _Played, why: str) -> Taken:
    if isinstance(entry, Wanted):
        return Taken(not_run(entry.experiment, why), step.expect, step.watch, step.roles)
    outcome = undrilled(entry.scenario, why, ExitCode.NO_DATA)
    return Taken(outcome, step.expect, step.watch, step.roles, entry.scenario.name)


def _rest(seconds: float, progress: Progress, cancellation: Cancellation) -> Interrupted | None:
    """What ended the day in a break, None where the break was held."""
    progress.phase("break", format_duration(seconds))
    try:
        cancellation.pause(seconds)
    except Interrupted as error:
        break_off(progress)
        return error
    return None


def write_report(day: GameDay, result: DayResult, path: Path) -> None:
    """As one page (.html) or Markdown (.md). Raises UsageError, and NotKept where it cannot be written."""
    try:
        write_page(gameday_view(day, result), day.title, path)
    except ActionFailed as error:
        raise NotKept(error.what, found=result.exit_code, why=error.why) from error
