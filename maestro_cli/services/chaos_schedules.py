"""Experiments that recur: where each schedule stands, and what is due begun once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.chaos.ci.decision import Decision, decide
from maestro_cli.chaos.ci.outcome import Outcome, refused
from maestro_cli.chaos.findings import unbegun
from maestro_cli.chaos.running import Wanted
from maestro_cli.chaos.schedules import Schedule, Standing, read_schedules, standing
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import Busy, CannotRecord
from maestro_cli.core.progress import Progress
from maestro_cli.services.gating import agreed_run, is_last, outcome_of_agreed

if TYPE_CHECKING:
    from maestro_cli.journal.store import Journal
    from maestro_cli.services.root import Services


def standings(services: Services, path: Path) -> tuple[Standing, ...]:
    """Where each schedule of a file stands now. Raises InvalidFile."""
    rules, now = services.context.experiments, services.clock.now()
    blackouts = [] if rules is None else rules.blackouts
    return tuple(standing(one, now, _taken(services, one), blackouts) for one in read_schedules(path))


def run_due(
    services: Services, path: Path, *, yes: bool, typed_context: str, progress: Progress
) -> tuple[tuple[Outcome, ...], Decision | None]:
    """Begin what is due, each tick once whoever asks; no decision where nothing is due.

    What nobody agrees to, or the context does not allow, stays due. Every due file is read before anything
    is begun. Raises InvalidFile, NotFound.
    """
    due = [(one, one.due) for one in standings(services, path) if one.due is not None]
    ready = [(one, tick, _wanted(services, one.schedule, yes, typed_context)) for one, tick in due]
    outcomes: list[Outcome] = []
    for one, tick, wanted in ready:
        agreed = agreed_run(services, wanted, progress)
        taken = _taken_once(services, one, tick, agreed) if isinstance(agreed, Wanted) else agreed
        if isinstance(taken, Wanted):
            outcomes.append(outcome_of_agreed(services, taken, progress))
        elif taken is not None:
            outcomes.append(taken)
        if outcomes and is_last(outcomes[-1]):
            break  # what is due besides stays so, until its time is over
    return tuple(outcomes), decide(outcomes) if outcomes else None


def _wanted(services: Services, schedule: Schedule, yes: bool, typed_context: str) -> Wanted:
    return services.wanted_experiment(
        schedule.experiment, seed=schedule.seed, yes=yes, typed_context=typed_context
    )


def _subject(schedule: Schedule, tick: str = "") -> str:
    return f"chaos-schedule/{schedule.name}/{tick}"


def _taken(services: Services, schedule: Schedule) -> Sequence[str]:
    """The ticks that began something."""
    events = services.journal.events(subject=_subject(schedule), kinds=("chaos-schedule.taken",))
    return [str(event.data["tick"]) for event in events]


def _taken_once(services: Services, one: Standing, tick: datetime, agreed: Wanted) -> Wanted | Outcome | None:
    """None where another process has it; what cannot be written down begins nothing, and stays due."""
    try:
        return agreed if take_tick(services.journal, services.actor, one, tick) else None
    except CannotRecord as error:
        return refused(agreed.experiment, unbegun(error))
    except Busy as error:
        return refused(agreed.experiment, error)


def take_tick(journal: Journal, actor: str, one: Standing, at: datetime) -> bool:
    """Whether this process is the first to take the tick; what was missed before it is written with it."""
    tick = to_rfc3339(at)
    subject = _subject(one.schedule, tick)
    with journal.transaction() as transaction:
        if transaction.query("SELECT 1 FROM events WHERE subject = ?", (subject,)):
            return False
        data = {
            "tick": tick,
            "experiment": one.schedule.experiment,
            "missed": [to_rfc3339(missed) for missed in one.missed],
        }
        transaction.append("chaos-schedule.taken", subject, actor, data)
    return True
