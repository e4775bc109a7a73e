"""A kill for memory that a change saw and undid is evidence for right-sizing, whatever metrics saw."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.changes.history import list_changes
from maestro_cli.changes.kinds import set_resources
from maestro_cli.changes.model import KILLED_FOR_MEMORY
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.changes.resource_words import killed_containers, killed_text
from maestro_cli.core.errors import RolledBack
from maestro_cli.core.facts.cluster import Container, Pod
from maestro_cli.cost.rightsizing.advice import Decision
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Facts, KilledAfter
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, ContainerId, OutOfMemory, Size, WorkloadId
from maestro_cli.cost.rightsizing.sizing import advise
from maestro_cli.journal.store import Journal
from maestro_cli.services.costs.rightsizing_kills import kills_of_changes
from tests.unit.changes.bench import YES, Bench, TickingClock
from tests.unit.changes.fake_cluster import REF, FakeCluster, template
from tests.unit.cost.rightsizing.usages import DAY, usage

FRAUD = WorkloadId("ml", "Deployment", "fraud")
SERVER, LOGGER = ContainerId(FRAUD, "server"), ContainerId(FRAUD, "logger")
OWNERS = {("ml", "fraud-1"): FRAUD}
WIDE = Size(2.0, None, 2048 * MIB, 2048 * MIB)
FACTS = Facts({SERVER: WIDE}, {FRAUD: 3}, endings=frozenset({SERVER, LOGGER}))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Every pod is killed for its memory at once."""
    clock, cluster = TickingClock(), FakeCluster()
    sized = copy.deepcopy(template(1))
    sized["spec"]["containers"][0]["resources"] = {"limits": {"memory": "256Mi"}}
    cluster.ship(sized, "release 1")
    killed = Container("server", "x", False, 1, "waiting", "CrashLoopBackOff", last_reason="OOMKilled")
    pod = Pod("ml", "fraud-1", "u", "Running", False, "n", "", clock.now(), False, "fraud-1", {}, (killed,),
              owner_kind="ReplicaSet")  # fmt: skip
    monkeypatch.setattr(cluster, "list_pods", lambda *_, **__: [pod])
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    yield Bench(journal, cluster, clock)
    journal.close()


def cut(bench: Bench, *words: str) -> str:
    """The id of a change that was undone because of it."""
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-resources", REF, {"resources": list(words)})
    with pytest.raises(RolledBack):
        pipeline.execute(plan, replace(YES, accepts=frozenset({"large-cut"})))
    return list_changes(bench.journal)[-1].id


def kills(bench: Bench, **ago: float) -> dict[ContainerId, KilledAfter]:
    now = bench.clock.now()
    return kills_of_changes(bench.journal, OWNERS, FACTS, now - timedelta(**ago), now)


def test_a_change_that_was_undone_for_a_kill_refuses_the_next_cut_and_is_named(bench: Bench) -> None:
    change = cut(bench, "limits.memory=200Mi")
    found = kills(bench, minutes=10)
    assert {one: (of.change, of.limit) for one, of in found.items()} == {SERVER: (change, 200 * MIB)}
    measured = Measured(SERVER, usage(), KrrSeries(), 1.0, 1.0)
    (one,) = advise(FRAUD, [measured], replace(FACTS, undone=found), (), Looked(14 * DAY)).containers
    assert one.memory.decision is Decision.REFUSED
    (reason,) = one.memory.reasons
    assert (reason.code, change in reason.text) == ("killed", True)
    assert reason.facts[0].query == f"maestro change show {change}"
    (one,) = advise(FRAUD, [measured], FACTS, (), Looked(14 * DAY)).containers
    assert one.memory.decision is Decision.CUT


def test_a_kill_before_the_window_or_of_another_workload_is_none(bench: Bench) -> None:
    cut(bench, "limits.memory=200Mi")
    bench.clock.pass_time(hours=1)
    assert kills(bench, minutes=10) == {}
    assert kills(bench, hours=2).keys() == {SERVER}
    now = bench.clock.now()
    others = {("ml", "cart-1"): WorkloadId("ml", "Deployment", "cart")}
    assert kills_of_changes(bench.journal, others, FACTS, now - timedelta(hours=2), now) == {}


def test_the_container_that_was_killed_is_recorded_whichever_was_changed(bench: Bench) -> None:
    cut(bench, "requests.cpu=100m")
    found = kills(bench, minutes=10)
    assert {one: of.limit for one, of in found.items()} == {SERVER: None}


def test_a_request_is_no_limit_that_was_reached(bench: Bench) -> None:
    cut(bench, "requests.memory=100Mi")
    assert {one: of.limit for one, of in kills(bench, minutes=10).items()} == {SERVER: None}


def test_where_it_is_not_recorded_which_was_killed_any_container_may_have_been(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in records of before containers were named."""
    monkeypatch.setattr(set_resources, "killed_text", lambda pod, _: f"{pod} {KILLED_FOR_MEMORY}")
    cut(bench, "limits.memory=200Mi")
    found = kills(bench, minutes=10)
    assert {one: of.limit for one, of in found.items()} == {SERVER: None, LOGGER: None}


def test_what_a_text_tells_of_those_that_were_killed_is_read_back() -> None:
    text = f"2 of 3 updated; {killed_text('ml/pod/fraud-1', {'server', 'a-proxy'})}"
    assert killed_containers(text) == {"server", "a-proxy"}
    assert killed_containers("ml/pod/fraud-1 was killed for its memory") == frozenset()


def test_of_what_metrics_and_a_change_saw_the_larger_limit_was_reached() -> None:
    seen, after = OutOfMemory(5.0, 64 * MIB), KilledAfter("chg-1", 9.0, 24 * MIB)
    both = replace(FACTS, kills={SERVER: seen}, undone={SERVER: after})
    assert both.killed(SERVER) == OutOfMemory(9.0, 64 * MIB)
    assert replace(FACTS, undone={SERVER: after}).killed(SERVER) == OutOfMemory(9.0, 24 * MIB)
    assert replace(FACTS, undone={SERVER: replace(after, limit=None)}).killed(SERVER) is None
    assert FACTS.killed(SERVER) is None
