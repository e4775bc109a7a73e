"""Who comes in is sent to a region that is well, by one write that is taken back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.changes.model import Consent, GateReason, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.changes.records import decision_error
from maestro_cli.core.errors import (
    ExitCode,
    GateNotMet,
    NotFound,
    NothingToChange,
    PolicyRefused,
    StalePlan,
    WaitingForApproval,
)
from maestro_cli.core.facts.entrances import address_of
from maestro_cli.journal.store import Journal
from tests.unit.changes.bench import POLICY, YES, TickingClock
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.fake_entrances import ENTRANCE, REGIONS, FakeEntrances
from tests.unit.changes.some_world import SomeWorld


@pytest.fixture
def entrances() -> FakeEntrances:
    return FakeEntrances()


@pytest.fixture
def pipeline(tmp_path: Path, entrances: FakeEntrances) -> Iterator[ChangePipeline]:
    clock, world = TickingClock(), SomeWorld(FakeCluster(), doors=entrances)
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    yield ChangePipeline(journal, world, policy=POLICY, clock=clock, actor="ada")
    journal.close()


def test_callers_are_sent_on_and_taken_back_by_the_slice_as_it_was(
    pipeline: ChangePipeline, entrances: FakeEntrances
) -> None:
    before = entrances.now
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    done = pipeline.execute(plan, YES)
    assert done.state is State.VERIFIED
    assert (entrances.now.region, entrances.now.ports) == (
        "west", [{"name": "http", "protocol": "TCP", "port": 9090}],
    )  # fmt: skip
    pipeline.take_back(plan.id, cause="the end")
    assert (entrances.now.region, entrances.now.endpoints, entrances.now.ports) == (
        "east", before.endpoints, before.ports,
    )  # fmt: skip


def test_nobody_is_sent_to_a_region_that_is_not_well_neither_there_nor_back(
    pipeline: ChangePipeline, entrances: FakeEntrances
) -> None:
    entrances.ill = {REGIONS["west"]: "HTTP 503"}
    with pytest.raises(GateNotMet, match="west is not well"):
        pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    entrances.ill = {REGIONS["east"]: "connection refused"}
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    pipeline.execute(plan, YES)
    with pytest.raises(GateNotMet, match="east is not well"):
        pipeline.take_back(plan.id, cause="the end")
    assert entrances.now.region == "west"


def test_a_slice_that_somebody_else_wrote_since_is_left_alone(
    pipeline: ChangePipeline, entrances: FakeEntrances
) -> None:
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    entrances.now = replace(entrances.now, resource_version="8", endpoints=[{"addresses": ["10.9.9.9"]}])
    with pytest.raises(StalePlan):
        pipeline.execute(plan, YES)
    assert entrances.now.endpoints == [{"addresses": ["10.9.9.9"]}]


def test_what_forbids_it_at_the_entrance_refuses_it_here(
    pipeline: ChangePipeline, entrances: FakeEntrances
) -> None:
    entrances.against = (GateReason("read-only", ExitCode.POLICY_REFUSED, "context edge is read-only"),)
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    rehearsal = pipeline.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert decision_error(rehearsal.decision).exit_code == 20
    with pytest.raises(PolicyRefused, match="context edge is read-only"):
        pipeline.execute(plan, YES)
    assert entrances.now.region == "east"


def test_a_region_that_nobody_knows_is_not_found_and_the_same_again_is_no_change(
    pipeline: ChangePipeline,
) -> None:
    with pytest.raises(NotFound, match="knows no region 'north'"):
        pipeline.plan("switch-region", ENTRANCE, {"to": "north"})
    with pytest.raises(NothingToChange):
        pipeline.plan("switch-region", ENTRANCE, {"to": "east"})


def test_a_dry_run_leaves_the_slice_as_it_is(pipeline: ChangePipeline, entrances: FakeEntrances) -> None:
    before = entrances.now
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    rehearsal = pipeline.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed
    assert entrances.now == before


def test_an_answer_that_was_lost_is_probed_and_the_slice_is_written_once(
    pipeline: ChangePipeline, entrances: FakeEntrances
) -> None:
    entrances.loses_answers = 1
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    done = pipeline.execute(plan, YES)
    assert (done.state, entrances.now.region, entrances.now.generation) == (State.VERIFIED, "west", 2)


def test_it_waits_for_a_second_person_where_a_rule_says_so(tmp_path: Path, entrances: FakeEntrances) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "schema: maestro.policy/1\nrules: [{name: two, kinds: [switch-region], two_person: true}]\n"
    )
    clock, world = TickingClock(), SomeWorld(FakeCluster(), doors=entrances)
    journal = Journal(tmp_path / "two.db", projections=[ChangesProjection()], clock=clock)
    rules = replace(POLICY, rules=load_policy(policy))
    pipeline = ChangePipeline(journal, world, policy=rules, clock=clock, actor="ada")
    plan = pipeline.plan("switch-region", ENTRANCE, {"to": "west"})
    with pytest.raises(WaitingForApproval):
        pipeline.execute(plan, YES)
    assert entrances.now.region == "east"
    journal.close()


FROZEN = """schema: maestro.policy/1
freezes: [{name: always, cron: "* * * * *", duration: 1h, but: []}]
"""


def test_a_freeze_at_the_entrance_that_began_since_the_plan_refuses_it_and_its_undo_is_let_through(
    tmp_path: Path, pipeline: ChangePipeline, entrances: FakeEntrances
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(FROZEN)
    done = pipeline.execute(pipeline.plan("switch-region", ENTRANCE, {"to": "west"}), YES)
    back = pipeline.plan("switch-region", ENTRANCE, {"to": "east"})
    entrances.rules = load_policy(policy)
    with pytest.raises(PolicyRefused, match="'always' refuses"):
        pipeline.execute(back, YES)
    assert entrances.now.region == "west"
    pipeline.take_back(done.id, cause="the end")
    assert entrances.now.region == "east"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://10.0.0.1:8080/ready", ("10.0.0.1", 8080)),
        ("http://10.0.0.1", ("10.0.0.1", 80)),
        ("https://10.0.0.1/x", ("10.0.0.1", 443)),
        ("http://models.example:80/", None),
        ("http://[::1]:80/", None),
        ("10.0.0.1:80", None),
        ("http://10.0.0.1:99999/", None),
    ],
)
def test_a_region_has_an_address_that_a_slice_can_name(url: str, told: tuple[str, int] | None) -> None:
    if told is not None:
        assert address_of(url) == told
        return
    with pytest.raises(ValueError, match=r"."):
        address_of(url)
