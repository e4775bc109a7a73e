"""Canaries in the journal: begun and ended by the changes that do it, wherever a process died between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.changes.canary import register
from maestro_cli.changes.canary.model import Rules
from maestro_cli.changes.model import Plan
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.errors import GateNotMet, NotFound
from maestro_cli.journal.store import Journal
from tests.unit.changes.bench import YES, Bench, TickingClock
from tests.unit.changes.every_kind import releases
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.fake_configs import CONFIG

SECOND = {"model": "fraud", "version": 2}
RULES = Rules(worse=2.5, deadline_seconds=60)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = TickingClock()
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    cluster = FakeCluster()
    releases(cluster)
    yield Bench(journal, cluster, clock)
    journal.close()


def begun(bench: Bench) -> Plan:
    plan = bench.pipeline().plan("set-traffic", CONFIG, {**SECOND, "share": 0.1})
    register.started(bench.journal, "ada", plan, RULES)
    return plan


def test_a_canary_is_there_once_its_change_took_effect(bench: Bench) -> None:
    plan = begun(bench)
    with pytest.raises(NotFound, match="no canary of fraud"):
        register.get_running(bench.journal, CONFIG, "fraud")
    change = bench.pipeline().execute(plan, YES)
    found = register.get_running(bench.journal, CONFIG, "fraud")
    assert (found.version, found.stable, found.share, found.rules) == (2, 1, 0.1, RULES)
    assert (found.change, found.started_at, found.actor) == (plan.id, change.finished_at, "ada")


def test_one_that_was_killed_before_its_call_is_gone_on_with(bench: Bench) -> None:
    """The record came first, so what a killed process left is found by the id of its change."""
    plan = begun(bench)
    bench.pipeline().execute(plan, YES, key="k")
    bench.pipeline().recover(plan.id)
    assert register.get_running(bench.journal, CONFIG, "fraud").change == plan.id
    assert bench.cluster.marks == [plan.id]


def test_there_is_one_canary_of_a_model_at_a_time(bench: Bench) -> None:
    bench.pipeline().execute(begun(bench), YES)
    more = bench.pipeline().plan("set-traffic", CONFIG, {**SECOND, "share": 0.2})
    with pytest.raises(GateNotMet, match="is a canary of fraud already"):
        register.started(bench.journal, "grace", more, RULES)


def test_it_is_over_when_the_change_that_ends_it_took_effect(bench: Bench) -> None:
    bench.pipeline().execute(begun(bench), YES)
    canary = register.get_running(bench.journal, CONFIG, "fraud")
    plan = bench.pipeline().plan("promote", CONFIG, SECOND)
    register.ending(bench.journal, "ada", canary, plan, "promoted")
    assert register.get_running(bench.journal, CONFIG, "fraud").id == canary.id
    bench.pipeline().execute(plan, YES)
    with pytest.raises(NotFound):
        register.get_running(bench.journal, CONFIG, "fraud")
    (known,) = register.list_canaries(bench.journal)
    assert (known.ended_as, known.ending) == ("promoted", plan.id)


def test_a_start_that_was_refused_leaves_room_for_another(bench: Bench) -> None:
    plan = begun(bench)
    bench.cluster.set(denied=["patch configmaps"])
    with pytest.raises(Exception, match="patch configmaps"):
        bench.pipeline().execute(plan, YES)
    bench.cluster.set(denied=[])
    bench.pipeline().execute(begun(bench), YES)
    assert len(register.list_canaries(bench.journal)) == 2
