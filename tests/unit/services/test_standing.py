"""What whoever asks is told is left: what `slo budget` says, with what was not seen."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.left import Left
from maestro_cli.core.errors import Unreachable
from maestro_cli.services.standing import FRESH_SECONDS, UNKNOWN_SECONDS, Standing, budget_left
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.keeping import IN_MEMORY_SECONDS, KeptInMemory
from maestro_cli.slo.measuring.measure import Outside, measure, span_of
from maestro_cli.slo.objectives import Recovery
from tests.unit.slo.measuring.told import START, Told, every, objective, series

DAY = START + timedelta(days=1)


class Prometheus(Told):
    def identity(self) -> None:
        """Nothing is kept of one that cannot be told from another."""


class Silent(Prometheus):
    def samples(self, selector: str, start: datetime, end: datetime) -> Any:
        raise Unreachable("it is silent")


def services(source: Prometheus) -> Any:
    return SimpleNamespace(clock=SimpleNamespace(now=lambda: DAY), raw_prometheus=source, context_name="here")


def scraped(minutes: int) -> Prometheus:
    """One that began to scrape so many minutes before the end of the day; five of 1000 fail."""
    began, steps = (1440 - minutes) * 60.0, range(minutes + 1)
    good = series(every(60, [995.0 * step for step in steps], began), code="200")
    bad = series(every(60, [5.0 * step for step in steps], began), code="500")
    return Prometheus([good, bad])


def test_a_prometheus_that_saw_it_all_tells_what_is_left() -> None:
    found = budget_left(services(scraped(1440)), objective(0.99))
    assert found.share == pytest.approx(0.5, abs=0.05)
    assert (found.window, found.seconds) == ("1d", 86400.0)


def test_who_was_watched_and_did_nothing_has_all_of_it_by_what_was_seen_and_who_was_not_has_none() -> None:
    idle = Prometheus([series(every(60, [100.0] * 1441), code="200")])
    found = budget_left(services(idle), objective(0.99))
    assert (found.share, found.seen, found.why) == (None, 1.0, "no traffic")
    found = budget_left(services(Prometheus([])), objective(0.99))
    assert (found.share, found.seen, found.why) == (None, None, "no data")


def test_one_that_is_an_hour_old_does_not_tell_what_is_left_of_a_day() -> None:
    found = budget_left(services(scraped(60)), objective(0.99))
    assert found.share is not None
    assert found.bounds is not None
    assert found.bounds[0] < 0 < found.bounds[1]
    assert "of its window was seen" in found.why


def test_everybody_is_told_what_slo_budget_prints() -> None:
    """A preview, a rule of a policy and the console's strip; for the same objective and window."""
    source, promise = scraped(1440), objective(0.99)
    found = budget_left(services(source), promise)
    measured = measure(promise, span_of(promise, DAY), Outside(source, DAY, at=DAY))
    kept = Kept(promise, measured, None)
    assert (found.share, found.bounds) == (kept.left, kept.left_bounds)


def test_without_any_event_nothing_is_known() -> None:
    assert budget_left(services(Prometheus([])), objective(0.99)).share is None


def test_one_that_does_not_answer_is_said() -> None:
    assert budget_left(services(Silent([])), objective(0.99)) == Left(None, "it is silent")


def test_a_recovery_has_no_budget() -> None:
    recovery = replace(objective(0.99), indicator=Recovery("rto", 900.0))
    assert budget_left(services(Prometheus([])), recovery).why.startswith("no metric tells it")


class Asked:
    """Finds what is left, and counts how often; its clock is set by hand."""

    def __init__(self, left: Left) -> None:
        self.left, self.asked, self.seconds = left, 0, 0.0

    def find(self, _: Any) -> Left:
        self.asked += 1
        return self.left

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize(("share", "good_for"), [(0.5, FRESH_SECONDS), (None, UNKNOWN_SECONDS)])
def test_what_is_left_is_found_once_for_all_who_ask_in_time(share: float | None, good_for: float) -> None:
    """A preview, the gate and the strip; why nothing is known is soon asked again."""
    asked, promise = Asked(Left(share)), objective(0.99)
    standing = Standing(asked.find, cast(Any, asked))
    for asked.seconds in (0.0, good_for / 2, good_for - 0.001):
        assert standing.left(promise).share == share
    assert asked.asked == 1
    asked.seconds = good_for
    standing.left(promise)
    assert asked.asked == 2
    standing.left(replace(promise, target=0.9))
    assert asked.asked == 3, "of an objective that was changed nothing is known"


def test_of_those_who_ask_at_once_one_finds_it() -> None:
    asked, ready, found = Asked(Left(0.5)), threading.Barrier(8), list[Left]()
    standing = Standing(asked.find, cast(Any, asked))

    def look() -> None:
        ready.wait()
        found.append(standing.left(objective(0.99)))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (asked.asked, found) == (1, [Left(0.5)] * 8)


class Known(Prometheus):
    """One that can be told from another, so that it is kept on disk."""

    def identity(self) -> Any:
        return "known"


@pytest.mark.parametrize("kind", [Prometheus, Known], ids=["nobody can tell who it is", "a full disk"])
def test_what_cannot_be_kept_on_disk_is_asked_once_in_a_quarter_of_an_hour(
    kind: type[Prometheus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that are over, not the rest of the window."""
    (tmp_path / "file").write_text("no folder can be made in it")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    now, clock = DAY + timedelta(days=2, minutes=30), Asked(Left(None))
    good = series(every(60, [995.0 * step for step in range(3 * 1440 + 31)], 0.0), code="200")
    source, memory = kind([good]), KeptInMemory(clock.monotonic)
    given = services(source)
    given.clock = SimpleNamespace(now=lambda: now)

    def hours_asked() -> float:
        source.asked.clear()
        assert budget_left(given, objective(0.99, 3 * 86400.0), memory).share == 1.0
        return max((end - start).total_seconds() for _, start, end in source.asked) / 3600

    assert hours_asked() >= 24
    assert hours_asked() < 24
    clock.seconds = IN_MEMORY_SECONDS
    assert hours_asked() >= 24
