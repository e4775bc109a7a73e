"""Burn: asked once for all who look, never waits for a budget, and one bad objective hides no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.left import Left
from maestro_cli.core.errors import InvalidQuery, Unreachable
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.services.burns import FRESH_SECONDS, OLD_SECONDS, Burns
from maestro_cli.services.measuring import _burning
from maestro_cli.services.service_health import read_services
from maestro_cli.services.standing import FRESH_SECONDS as BUDGET_SECONDS
from maestro_cli.services.standing import Standing
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.burning import SPAN
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.objectives import Counters, Latency, Objective
from maestro_cli.tui.screens.services import BURNING, SERVICES, burn_words, burning_listing
from tests.unit.slo.measuring.told import START, Told, every, series, span
from tests.unit.slo.measuring.told import objective as promise

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


def objective(name: str) -> Objective:
    total = f"{name.replace('-', '_')}_total"
    return Objective(name, name, "web", 0.99, 30 * 86400.0, Counters(total, f'{total}{{code="500"}}'), {})


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


class World:
    """Two objectives, and a Prometheus that counts what it is asked; `rejected` it cannot evaluate."""

    def __init__(self, rejected: str = "", down: bool = False) -> None:
        names = ("checkout-fast", "web-up")
        self.objectives = {name: objective(name) for name in names}
        self.metrics, self.rejected, self.down = self, rejected, down
        self.prometheus = self
        self.asked: list[str] = []
        clock = Hands()
        self.standing = Standing(self.find_left, clock, self.start)
        self.burns = Burns(cast(Any, self), self.standing, clock)

    def query(self, promql: str) -> Instant:
        self.asked.append("burn")
        if self.down:
            raise Unreachable("Prometheus does not answer")
        if self.rejected and self.rejected in promql:
            raise InvalidQuery("Prometheus cannot evaluate the query", why="found duplicate series")
        labels = [{SPAN: span} for span in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "told")]
        return Instant(promql, NOW, tuple(Sample(one, 0.0, NOW) for one in labels), ())

    def start(self, work: Callable[[], None]) -> None:
        work()

    def find_left(self, promise: Objective) -> Left:
        self.asked.append("budget")
        if self.rejected and self.rejected in promise.name.replace("-", "_"):
            return Left(None, "Prometheus cannot evaluate the query")
        return Left(1.0, window="30d", seconds=30 * 86400.0)

    def query_range(self, *asked: object) -> tuple[()]:
        return ()


@pytest.fixture
def world() -> World:
    return World()


def hands(world: World) -> Hands:
    return cast(Hands, world.burns._clock)


def test_the_strip_and_the_services_cost_one_question_an_objective(world: World) -> None:
    assert SERVICES.read is not None
    assert BURNING.read is not None
    services: Any = SimpleNamespace(
        burns=world.burns, objectives=world.objectives, prometheus=world, clock=hands(world)
    )
    shown, strip = SERVICES.read(services, ""), BURNING.read(services, "")
    assert world.asked.count("burn") == 2
    assert [one for health in shown for one in health.burning] == list(strip)


def test_burn_is_asked_again_for_the_next_look_of_a_feed_and_the_budget_each_minute(world: World) -> None:
    assert min(BURNING.every_seconds, SERVICES.every_seconds) > FRESH_SECONDS
    looks = int(BUDGET_SECONDS // BURNING.every_seconds)
    for _ in range(looks):
        world.burns.read()
        hands(world).seconds += BURNING.every_seconds
    assert (world.asked.count("burn"), world.asked.count("budget")) == (2 * looks, 2)
    world.burns.read()
    assert world.asked.count("budget") == 4


def test_many_who_ask_at_once_cost_one(world: World) -> None:
    ready, found = threading.Barrier(8), list[Any]()

    def look() -> None:
        ready.wait()
        found.append(world.burns.read())

    threads = [threading.Thread(target=look) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert world.asked.count("burn") == 2
    assert all(one is found[0] for one in found)


class Door:
    """A lock that knows who came to it."""

    def __init__(self) -> None:
        self.came, self._lock = list[int](), threading.Lock()

    def __enter__(self) -> None:
        self.came.append(1)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_those_who_wait_for_a_prometheus_that_is_down_are_told_with_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, asking, told = Door(), threading.Event(), list[Unreachable]()
    world.burns._asking = cast(Any, door)

    def hang(promql: str) -> Instant:
        world.asked.append("burn")
        asking.set()
        assert all_wait.wait(60)
        raise Unreachable("Prometheus does not answer")

    def look() -> None:
        with pytest.raises(Unreachable) as refused:
            world.burns.read()
        told.append(refused.value)

    monkeypatch.setattr(world, "query", hang)
    all_wait = threading.Event()
    threads = [threading.Thread(target=look) for _ in range(4)]
    for one in threads:
        one.start()
    end = time.monotonic() + 60
    while len(door.came) < 4:
        assert time.monotonic() < end
        asking.wait(0.01)
    all_wait.set()
    for one in threads:
        one.join()
    assert (world.asked, len(told)) == (["burn"], 4)
    with pytest.raises(Unreachable):
        world.burns.read()
    assert world.asked == ["burn"] * 2


def test_an_objective_that_cannot_be_evaluated_is_told_with_why_and_hides_no_other() -> None:
    world = World(rejected="checkout_fast")
    bad, good = world.burns.read()
    assert (bad.state, bad.left) == (BurnState.NO_DATA, None)
    assert bad.why == "Prometheus cannot evaluate the query: found duplicate series"
    assert (good.state, good.left, good.why) == (BurnState.OK, 1.0, "")
    (health,) = read_services(cast(Any, world))
    assert burn_words(health) == f"checkout-fast not known: {bad.why}"
    titles = [column.title for column in burning_listing(health.burning).columns]
    assert titles[-1] == "why"
    assert "burn 5m" in titles


class Bucketless(World):
    """Of the first objective no bucket ends at its threshold: nothing answers."""

    def query(self, promql: str) -> Instant:
        return Instant(promql, NOW, (), ()) if "checkout_fast" in promql else super().query(promql)

    def find_left(self, promise: Objective) -> Left:
        return Left(0.8, low=0.5, high=1.0, no_bucket="no bucket ends at 0.2 s" * ("fast" in promise.name))


def test_where_no_bucket_ends_at_the_threshold_that_is_why_nothing_tells_how_it_burns() -> None:
    bad, good = Bucketless().burns.read()
    assert (bad.state, bad.left, bad.why) == (BurnState.NO_DATA, 0.8, "no bucket ends at 0.2 s")
    assert (good.state, good.why) == (BurnState.OK, "")


def test_how_an_objective_is_kept_names_the_bucket_without_which_nothing_tells_how_it_burns() -> None:
    steps = range(1441)
    found = [
        series(every(60, [many * step for step in steps]), name="h_bucket", le=le)
        for le, many in (("0.1", 90.0), ("0.25", 99.0), ("+Inf", 100.0))
    ]
    found.append(series(every(60, [100.0 * step for step in steps]), name="h_count"))
    kind = replace(promise(), indicator=Latency("h", 0.2))
    measured = measure(kind, span(1440), Outside(Told(found), START + timedelta(days=2)))
    silent = SimpleNamespace(query=lambda promql, at: Instant(promql, at, (), ()))
    burning = _burning(cast(Any, silent), kind, measured)
    assert burning is not None
    assert burning.state is BurnState.NO_DATA
    assert burning.why.endswith("between those at 0.1 s and 0.25 s; add a bucket at 0.2")


def test_a_prometheus_that_is_down_is_no_fault_of_one_objective() -> None:
    world = World(down=True)
    with pytest.raises(Unreachable):
        world.burns.read()
    assert world.asked == ["burn"]


def test_rates_are_told_before_a_budget_was_read_and_an_old_one_shows_its_age(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = list[Callable[[], None]]()
    monkeypatch.setattr(world.standing, "_start", later.append)

    def look() -> tuple[float | None, float | None]:
        hands(world).seconds += FRESH_SECONDS
        one, _ = world.burns.read()
        assert one.state is BurnState.OK
        return one.left, one.left_age_seconds

    assert (look(), world.asked.count("budget"), len(later)) == ((None, None), 0, 1)
    later.pop()()
    assert look() == (1.0, None)
    assert world.asked.count("budget") == 2
    hands(world).seconds += OLD_SECONDS
    left, age = look()
    assert left == 1.0
    assert age is not None
    assert age >= OLD_SECONDS
    assert len(later) == 1, "it is measured anew, and nobody waits for that"
    shown = burning_listing(world.burns.read()).columns[3]
    assert "old" in str(shown.cell(world.burns.read()[0]))


def test_a_first_look_at_a_counter_that_is_not_there_says_why_nothing_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first budget was read, and where nobody has failed: ratios of zero, and no word on why."""
    monkeypatch.setattr(world.standing, "_start", lambda work: None)
    answered = world.query
    monkeypatch.setattr(
        world, "query", lambda promql: replace(found := answered(promql), samples=found.samples[:-1])
    )
    for one in world.burns.read():
        assert one.state is BurnState.NO_DATA
        assert one.why == "no counter of what it counts is there: that is not known to be none"


def test_what_nothing_tells_by_measuring_burns_at_no_known_rate(world: World) -> None:
    why = "no series of r_total has the label cod: nothing tells what is bad"
    world.standing._find = lambda promise: Left(None, why, is_untold=True)
    assert {(one.state, one.why) for one in world.burns.read()} == {(BurnState.NO_DATA, why)}
