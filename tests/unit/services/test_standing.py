"""What whoever asks is told is left: what `slo budget` says, with what was not seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.left import Left
from maestro_cli.core.errors import Unreachable
from maestro_cli.services.standing import budget_left
from maestro_cli.slo.kept import Kept
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
