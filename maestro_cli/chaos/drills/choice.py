"""What shall be played, as a person asks for it. Invariant: nothing is played by guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.chaos.drills.league.draw import LEAGUE
from maestro_cli.chaos.drills.league.seeds import read_seeds
from maestro_cli.chaos.drills.model import EXPERIMENTS, Scenario
from maestro_cli.chaos.drills.scenarios import SCENARIOS, find_scenario
from maestro_cli.core.errors import NotFound, UsageError

USUAL_SEED = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for; `is_kept`: a report of the league shall be kept in a place of its own."""

    names: tuple[str, ...] = ()
    is_every: bool = False
    is_resumed: bool = False
    is_kept: bool = False
    seed: int | None = None
    seeds: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One drill by itself, one that is an `experiment` (its name), or scenarios of the league, with these
    seeds.
    """

    scenario: Scenario | None
    league: tuple[str, ...]
    seeds: tuple[int, ...]
    experiment: str = ""


def known_drills() -> tuple[str, ...]:
    """Every name that can be played."""
    names = [*(one.name for one in SCENARIOS), *(one.name for one in LEAGUE)]
    return tuple(dict.fromkeys(names))


def choose(asked: Asked) -> Choice:
    """Raises UsageError where two things that were asked for contradict each other, NotFound."""
    _refuse(asked)
    if any(name.startswith(EXPERIMENTS) for name in asked.names):
        return _experiment(asked)
    drills, entries = {one.name for one in SCENARIOS}, tuple(one.name for one in LEAGUE)
    is_league = asked.is_every or asked.is_resumed or asked.is_kept or asked.seeds is not None
    if not is_league and len(asked.names) == 1:
        (name,) = asked.names
        if name in drills:
            return Choice(find_scenario(name), (), _seeds(asked))
        if name not in entries:
            why = f"known drills: {', '.join(known_drills())}"
            raise NotFound(f"there is no drill {name!r}", why=why, fix="maestro drill list")
    return Choice(None, asked.names or entries, _seeds(asked))


def _experiment(asked: Asked) -> Choice:
    """Raises UsageError where it is not the only one, or something of the league is asked for besides."""
    if len(asked.names) > 1 or asked.is_kept or asked.seeds is not None:
        raise UsageError(
            "a drill that is an experiment is played alone",
            why="the league is of scenarios whose details a seed draws",
            fix=f"maestro drill run {asked.names[0]} --seed 7",
        )
    return Choice(None, (), _seeds(asked), asked.names[0])


def _seeds(asked: Asked) -> tuple[int, ...]:
    if asked.seeds is not None:
        return read_seeds(asked.seeds)
    return (USUAL_SEED if asked.seed is None else asked.seed,)


def _refuse(asked: Asked) -> None:
    if not (asked.names or asked.is_every or asked.is_resumed):
        fix = "maestro drill list, or drill run --all"
        raise UsageError("no drill was named", why="it breaks nothing by guess", fix=fix)
    if asked.is_every and asked.names:
        why = f"and {asked.names[0]} is named as well"
        raise UsageError("--all are all of them", why=why, fix="leave one out")
    says_which: Sequence[object] = (
        asked.names,
        asked.is_every,
        asked.seed is not None,
        asked.seeds is not None,
    )
    if asked.is_resumed and any(says_which):
        raise UsageError(
            "--resume goes on with what was begun",
            why="which drills and seeds are still to be played is in its report",
            fix="leave out names, --all, --seed and --seeds",
        )
    if asked.seed is not None and asked.seeds is not None:
        why = "which of them is not clear"
        raise UsageError("--seed and --seeds both say which seeds", why=why, fix="leave one out")
