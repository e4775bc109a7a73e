"""What is asked for is played, and what contradicts itself is not."""

from __future__ import annotations

import pytest

from maestro_cli.chaos.drills.choice import USUAL_SEED, Asked, choose, known_drills
from maestro_cli.chaos.drills.league.draw import LEAGUE
from maestro_cli.chaos.drills.scenarios import SCENARIOS
from maestro_cli.core.errors import NotFound, UsageError

ENTRIES = tuple(one.name for one in LEAGUE)
DRILLS = {one.name for one in SCENARIOS}
BOTH = next(name for name in ENTRIES if name in DRILLS)
ENTRY = next(name for name in ENTRIES if name not in DRILLS)


@pytest.mark.parametrize("name", sorted(DRILLS))
def test_a_drill_alone_is_itself(name: str) -> None:
    choice = choose(Asked((name,), seed=4))
    assert choice.scenario is not None
    assert (choice.scenario.name, choice.league, choice.seeds) == (name, (), (4,))


@pytest.mark.parametrize(
    ("asked", "league", "seeds"),
    [
        (Asked((ENTRY,)), (ENTRY,), (USUAL_SEED,)),
        (Asked((BOTH, ENTRY)), (BOTH, ENTRY), (USUAL_SEED,)),
        (Asked((BOTH,), seeds="2-3"), (BOTH,), (2, 3)),
        (Asked((BOTH,), is_kept=True), (BOTH,), (USUAL_SEED,)),
        (Asked(is_every=True, seed=0), ENTRIES, (0,)),
        (Asked(is_resumed=True), ENTRIES, (USUAL_SEED,)),
    ],
    ids=["only-of-the-league", "several", "seeds", "report", "all", "resume"],
)
def test_anything_else_is_the_league(asked: Asked, league: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    choice = choose(asked)
    assert (choice.scenario, choice.league, choice.seeds) == (None, league, seeds)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (Asked(), "no drill was named"),
        (Asked(is_kept=True), "no drill was named"),
        (Asked(seeds="1-5"), "no drill was named"),
        (Asked((BOTH,), is_every=True), "--all are all of them"),
        (Asked((BOTH,), is_resumed=True), "--resume goes on"),
        (Asked(is_every=True, is_resumed=True), "--resume goes on"),
        (Asked(is_resumed=True, seed=0), "--resume goes on"),
        (Asked(is_resumed=True, seeds="1"), "--resume goes on"),
        (Asked((BOTH,), seed=1, seeds="1"), "both say which seeds"),
        (Asked((BOTH,), seeds="x"), "are no seeds"),
    ],
    ids=[
        "nothing", "report-alone", "seeds-alone", "all-and-one", "resume-one", "resume-all", "resume-seed",
        "resume-seeds", "seed-and-seeds", "no-seeds",
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(asked: Asked, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        choose(asked)


def test_an_unknown_one_is_told_with_those_that_are_known() -> None:
    with pytest.raises(NotFound) as caught:
        choose(Asked(("nonsense",)))
    assert caught.value.why == f"known drills: {', '.join(known_drills())}"
    assert set(known_drills()) == DRILLS | set(ENTRIES)


def test_an_experiment_is_played_alone() -> None:
    choice = choose(Asked(("chaos/lost-node",), seed=4))
    assert (choice.scenario, choice.experiment, choice.league, choice.seeds) == (
        None, "chaos/lost-node", (), (4,)
    )  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        Asked(("chaos/lost-node", BOTH)),
        Asked(("chaos/lost-node",), seeds="1-3"),
        Asked(("chaos/lost-node",), is_kept=True),
    ],
)
def test_an_experiment_is_no_part_of_the_league(asked: Asked) -> None:
    with pytest.raises(UsageError, match="played alone"):
        choose(asked)
