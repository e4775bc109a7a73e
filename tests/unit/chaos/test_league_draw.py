"""What the league draws: the same for a seed, another for another, and of every kind that is asked for."""

from __future__ import annotations

import pytest

from maestro_cli.chaos.drills.defects import FAMILIES
from maestro_cli.chaos.drills.league.draw import (
    LEAGUE,
    LONGEST_DELAY_SECONDS,
    NOTHING,
    SERVICES,
    draw,
    draw_delay,
    sheet_of,
)
from maestro_cli.chaos.drills.league.seeds import MAX_SEEDS, read_seeds
from maestro_cli.core.canonical import canonical_json, plain
from maestro_cli.core.errors import NotFound, UsageError

NAMES = [entry.name for entry in LEAGUE]
FIXED = {"quiet-hour"}  # nothing is drawn where nothing happens


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_draws_the_same_again(name: str) -> None:
    assert draw(name, 7) == draw(name, 7)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIXED])
def test_seeds_draw_different_details(name: str) -> None:
    drawn = {canonical_json(plain(draw(name, seed).defect)) for seed in range(20)}
    assert len(drawn) > 1


@pytest.mark.parametrize("seed", range(30))
def test_what_is_drawn_can_be_played(seed: int) -> None:
    for name in NAMES:
        drawn = draw(name, seed)
        assert type(drawn.defect) in FAMILIES
        assert (drawn.true_cause == NOTHING) is (drawn.runbook == "")
        assert drawn.name == name
        assert drawn.patience_seconds > 0


def test_when_it_begins_is_drawn_as_well() -> None:
    delays = {draw_delay("crash-loop", seed) for seed in range(20)}
    assert len(delays) > 10
    assert all(0 <= delay <= LONGEST_DELAY_SECONDS for delay in delays)
    assert draw_delay("crash-loop", 1) == draw_delay("crash-loop", 1)


def test_the_league_has_what_was_promised_once() -> None:
    assert len(NAMES) == len(set(NAMES)) == 12
    causes = {draw(name, seed).true_cause for name in NAMES for seed in range(20)}
    assert causes == {"release", "dependency", "pod", "node", "load", "traffic", "config", NOTHING}


@pytest.mark.parametrize("name", NAMES)
def test_it_happens_to_either_service_and_to_that_one_alone(name: str) -> None:
    """What is broken, counted and looked at is of the service that was drawn."""
    drawn = [draw(name, seed) for seed in range(20)]
    assert {one.target.name for one in drawn} == set(SERVICES)
    for one in drawn:
        told = canonical_json(plain(one))
        (other,) = set(SERVICES) - {one.target.name}
        assert other not in told


def test_the_sheet_names_every_service_whichever_was_drawn() -> None:
    sheets = {draw("crash-loop", seed).target.name: sheet_of(draw("crash-loop", seed)) for seed in range(20)}
    assert sheets["fraud"] == sheets["recommendation"]
    assert [place.target.name for place in sheets["fraud"].places] == list(SERVICES)


def test_an_edit_is_of_what_routes_requests_or_of_what_replicas_read() -> None:
    drawn = {(draw("config-edit", seed).true_cause, draw("config-edit", seed).alert) for seed in range(60)}
    assert drawn == {
        ("traffic", "ErrorBudgetBurn"), ("traffic", "ModelAccuracyLow"),
        ("config", "KubePodCrashLooping"), ("config", "KubeDeploymentRolloutStuck"),
    }  # fmt: skip


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="no scenario 'bad'") as refused:
        draw("bad", 1)
    assert "quiet-hour" in refused.value.why


@pytest.mark.parametrize(
    ("text", "seeds"), [("7", (7,)), ("1-5", (1, 2, 3, 4, 5)), ("3,1,3", (3, 1)), ("1, 4-5", (1, 4, 5))]
)
def test_seeds_are_read_in_order_and_once(text: str, seeds: tuple[int, ...]) -> None:
    assert read_seeds(text) == seeds


@pytest.mark.parametrize(
    "text", ["", "a", "5-1", "1-", "-1", "1,,2", f"1-{MAX_SEEDS + 1}", "1.5", "1-60,101-160"]
)
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_seeds(text)
