"""The record of each revision, as `maestro rollback plan` shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.changes.candidates.listing import list_candidates
from maestro_cli.changes.candidates.model import Candidate, Standing
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, template
from tests.unit.changes.fake_metrics import OBJECTIVES, FakeMetrics, Life
from tests.unit.changes.some_world import SomeWorld

HOUR = 60
LIVES = {
    "fraud-1": [Life(10 * HOUR, 2 * HOUR), Life(3 * HOUR, HOUR)],
    "fraud-2": [Life(HOUR, HOUR, bad=1.0)],
}


def candidates(bench: Bench, metrics: FakeMetrics | None = None) -> dict[int, Candidate]:
    world = SomeWorld(bench.cluster, metrics or FakeMetrics(LIVES), OBJECTIVES)
    found = list_candidates(world, bench.journal, REF, bench.clock.now())
    return {one.judged.revision: one for one in found}


def incident(bench: Bench, name: str, hours_ago: float, kind: str = "incident.opened", **more: Any) -> None:
    at = bench.clock.now() - timedelta(hours=hours_ago)
    data = {"workload": str(REF), "title": "errors", "started_at": at, "drill": False, **more}
    bench.journal.append(kind, f"incident/{name}", "ada", data)


def test_the_record_is_what_was_counted_over_all_its_lives(bench: Bench) -> None:
    good, bad = candidates(bench)[1], candidates(bench)[2]
    assert (good.is_target, good.is_current, bad.is_target, bad.is_current) == (True, False, False, True)
    assert good.track is not None
    assert len(good.track.lives) == 2
    assert good.requests == pytest.approx(3 * 3600 * 10, rel=0.05)
    assert (good.error_ratio, good.burn) == (0.0, 0.0)
    assert bad.error_ratio == pytest.approx(0.1)
    assert bad.burn == pytest.approx(10.0)
    assert (good.accuracy, good.p95_seconds) == (None, None)
    assert [str(path) for path, _, _ in good.differs] == ["containers[server].args[3]"]
    assert bad.differs == ()


def test_an_incident_counts_for_who_was_live_when_it_began(bench: Bench) -> None:
    incident(bench, "inc-1", 9)
    incident(bench, "inc-2", 5)  # nobody was
    incident(bench, "inc-3", 2.5, drill=True)
    incident(bench, "inc-4", 0.5)
    incident(bench, "inc-5", 9, workload="ml/deploy/other")
    incident(bench, "inc-6", 9)
    incident(bench, "inc-6", 9, kind="incident.dismissed")
    found = candidates(bench)
    assert [(one.incident, one.drill) for one in found[1].troubles] == [("inc-1", False), ("inc-3", True)]
    assert [one.incident for one in found[2].troubles] == ["inc-4"]


def test_a_revision_that_a_change_brought_names_it_and_one_that_it_left_is_bad(bench: Bench) -> None:
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("rollback", REF), YES)
    bench.cluster.ship(template(4), "release 4")
    found = candidates(bench)
    assert found[3].verified_by == change.id
    assert (found[2].judged.standing, found[2].verified_by) == (Standing.BAD, "")


def test_the_target_is_that_of_an_unnamed_rollback(bench: Bench) -> None:
    bench.cluster.ship(template(3), "release 3")
    metrics = FakeMetrics({"fraud-1": [Life(10 * HOUR, 2 * HOUR)], "fraud-2": [Life(2 * HOUR, 10)]})
    found = candidates(bench, metrics)
    assert [number for number, one in found.items() if one.is_target] == [1]


def test_accuracy_is_that_of_an_objective_that_says_so(bench: Bench) -> None:
    said = replace(OBJECTIVES["fraud-availability"], labels={"sli": "accuracy"})
    world = SomeWorld(bench.cluster, FakeMetrics(LIVES), {said.name: said})
    current, _ = list_candidates(world, bench.journal, REF, bench.clock.now())
    assert current.accuracy == pytest.approx(0.9)
