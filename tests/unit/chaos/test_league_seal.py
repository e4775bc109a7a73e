"""The seal: nobody reads the truth before the drill is over, and nobody changes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.drills.conductor import Conductor
from maestro_cli.chaos.drills.league.draw import SERVICES, draw
from maestro_cli.chaos.drills.league.league import League, report_of
from maestro_cli.chaos.drills.league.model import Item, LeagueReport
from maestro_cli.chaos.drills.league.saboteur import Saboteur
from maestro_cli.chaos.drills.league.sealed import Channel
from maestro_cli.chaos.drills.model import BadRelease
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.progress import Quiet
from tests.unit.chaos.theatre import OBJECTIVE, WELL, Theatre

Words = Mapping[str, Any]


def _seed_of(service: str) -> int:
    """The first whose bad release is another version of that service's model."""
    return next(
        seed
        for seed in range(99)
        if isinstance((drawn := draw("bad-release", seed)).defect, BadRelease)
        and drawn.target.name == service
    )


SEED = _seed_of("fraud")  # the theatre knows that one


class Spy:
    """A channel to a saboteur in this process, that may alter what goes through; it keeps what did."""

    def __init__(self, saboteur: Saboteur, alter: Callable[[Words, Words], Words]) -> None:
        self.saboteur = saboteur
        self.alter = alter
        self.heard: list[tuple[Words, Words]] = []

    def ask(self, order: Words) -> Words:
        order = json.loads(json.dumps(order))  # as through a pipe
        answer = self.alter(order, json.loads(json.dumps(self.saboteur.answer(order))))
        self.heard.append((order, answer))
        return answer


class Game:
    """One scenario of the league on the fake stage of the theatre."""

    def __init__(self, theatre: Theatre) -> None:
        self.theatre = theatre
        self.saboteur = Saboteur(lambda: theatre.ensemble, theatre.clock)
        self.alter: Callable[[Words, Words], Words] = lambda order, answer: answer
        self.spy: Spy | None = None

    @contextmanager
    def opening(self) -> Iterator[Channel]:
        self.spy = Spy(self.saboteur, self.alter)
        yield self.spy

    def conductor(self, seed: int) -> Conductor:
        theatre = self.theatre
        objectives = {"fraud-availability": OBJECTIVE, "recommendation-availability": OBJECTIVE}
        return Conductor(
            theatre.stage, lambda: theatre.ensemble, objectives, clock=theatre.clock, actor="tester"
        )

    def play(self, seed: int = SEED) -> Item:
        kept: list[LeagueReport] = []
        league = League(self.conductor, self.opening, kept.append, self.theatre.clock)
        report = report_of(["bad-release"], [seed], self.theatre.clock, cluster=None)
        played = league.play(
            report, keep_platform=False, progress=Quiet(), cancellation=self.theatre.cancellation
        )
        assert kept[-1] == played
        return played.items[0]


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


@pytest.fixture
def game(theatre: Theatre) -> Game:
    return Game(theatre)


def test_a_drill_whose_seal_holds_passes(game: Game) -> None:
    item = game.play()
    assert item.passed, item.misses
    assert (item.cause_rank, item.fouls) == (1, ())
    assert game.theatre.cluster.is_well


def test_the_journal_has_the_seal_before_anything_breaks_and_not_the_truth(game: Game) -> None:
    seen: list[str] = []
    game.theatre.cluster.before_replace = lambda: seen.append(str(game.theatre.journal.events()[0].data))
    item = game.play()
    assert item.seal in seen[0]
    for word in ("bad-release", "fraud=2", "rollback", "release"):
        assert word not in seen[0]


def test_what_is_to_be_undone_has_the_same_parts_whatever_breaks(game: Game) -> None:
    game.play()
    undo = game.theatre.journal.events(kinds=("drill.intended",))[0].data["undo"]["everything"]
    assert set(undo) == {"workloads", "closed"}
    for workload in undo["workloads"]:
        assert set(workload) == {"target", "template", "replicas", "routing", "settings"}
        assert workload["template"] == WELL


def test_which_service_it_is_about_is_told_only_when_it_is_over(game: Game) -> None:
    """What is said and kept before is the same for either, but for the digest."""
    known = []
    for service in SERVICES:
        game.play(_seed_of(service))
        assert game.spy is not None
        (_, cast), (_, prepared), *_ = game.spy.heard
        intent = game.theatre.journal.events(kinds=("drill.intended",))[-1].data
        known.append((cast, list(prepared["ok"]), intent["targets"], intent["undo"]))
        assert game.spy.heard[-1][1]["ok"]["sealed"]["target"]["name"] == service
    assert known[0] == known[1]
    assert known[0][2] == ["ml/deploy/fraud", "ml/deploy/recommendation"]


def test_until_it_is_over_nothing_that_is_said_tells_the_truth(game: Game) -> None:
    game.play()
    assert game.spy is not None
    orders = [order["do"] for order, _ in game.spy.heard]
    assert orders == ["cast", "prepare", "inject", "mend", "open"]
    before = json.dumps([answer for _, answer in game.spy.heard[:-1]])
    assert "fraud=2" not in before
    assert "rollback" not in before


def test_who_asks_for_the_truth_early_is_refused_and_the_drill_fails(game: Game) -> None:
    """The response went as well as ever: it fails for that alone."""
    refused: list[Words] = []

    def peek(order: Words, answer: Words) -> Words:
        if order["do"] == "inject":
            refused.append(game.saboteur.answer({"do": "open", "by": "triage"}))
        return answer

    game.alter = peek
    item = game.play()
    assert "ok" not in refused[0]
    assert item.cause_rank == 1
    assert not item.passed
    assert item.fouls == ("the truth was asked for before the drill was over",)


@pytest.mark.parametrize(("key", "value"), [("true_cause", "pod"), ("seed", 999), ("secret", "0" * 64)])
def test_a_truth_that_is_not_what_was_sealed_fails_the_drill(game: Game, key: str, value: Any) -> None:
    def swap(order: Words, answer: Words) -> Words:
        if order["do"] != "open":
            return answer
        opened = answer["ok"]
        changed = {"secret": value} if key == "secret" else {"sealed": {**opened["sealed"], key: value}}
        return {"ok": {**opened, **changed}}

    game.alter = swap
    item = game.play()
    assert not item.passed
    assert item.fouls == ("what was under the seal is not what was sealed",)


def test_everything_is_put_back_when_who_broke_it_is_gone(game: Game) -> None:
    def die(order: Words, answer: Words) -> Words:
        if order["do"] in ("mend", "open"):
            raise ActionFailed("the process that breaks things has ended")
        return answer

    game.theatre.responder.fixes = False
    game.alter = die
    item = game.play()
    assert not item.passed
    assert "could not be played" in item.misses[0]
    assert game.theatre.cluster.is_well


def test_a_saboteur_that_nobody_orders_any_more_mends_what_it_broke(theatre: Theatre) -> None:
    baseline = {"at": "2026-01-01T00:00:00Z", "revision": 1, "template": WELL, "requests": 0, "errors": 0}
    orders = (
        {"do": "cast", "scenario": "bad-release", "seed": SEED},
        {"do": "prepare", "drill": "drl-1", "baselines": {"ml/deploy/fraud": baseline}},
        {"do": "inject"},
    )
    said = StringIO()
    lines = (json.dumps(order) + "\n" for order in orders)
    broken: list[bool] = []

    def read() -> Iterator[str]:
        yield from lines
        broken.append(not theatre.cluster.is_well)

    Saboteur(lambda: theatre.ensemble, theatre.clock).serve(read(), said)
    assert broken == [True]
    assert theatre.cluster.is_well
    assert [set(json.loads(line)) for line in said.getvalue().splitlines()] == [{"ok"}] * 3
