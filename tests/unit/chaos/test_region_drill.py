"""What a failover took is measured by callers, what it lost by sentinels; what is not known is never zero."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos import injecting as module
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.guard.check import Proposal
from maestro_cli.chaos.injecting import Injecting
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.model import FailedOver, FailoverBounds, FaultOrder, Guarded, TargetRule
from maestro_cli.chaos.ports import Platform
from maestro_cli.chaos.regions.drill import RegionDrill
from maestro_cli.chaos.regions.sentinels import Sentinel
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import ActionFailed, GateNotMet, Interrupted, Unreachable
from maestro_cli.journal.store import Journal
from maestro_cli.slo.measuring.recoveries import RecoveryMeasured
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.unit.chaos.two_regions import CLOCK, FakeOutage, FakeRegions, FakeWorld

RULE = TargetRule("ml", None, "app=fraud")
ORDERS = (
    FaultOrder("lost", "region-outage", {}, RULE),
    FaultOrder("sent on", "region-failover", {}, RULE),
)
Recorded = Callable[[], list[Mapping[str, Any]]]
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def regions() -> FakeRegions:
    return FakeRegions()


@pytest.fixture
def world(regions: FakeRegions) -> FakeWorld:
    return FakeWorld(regions)


GUARDED = Guarded(faults=ORDERS, duration_seconds=60.0, failover=FailoverBounds(60.0, 10.0, 0.01))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", clock=CLOCK)
    yield made
    made.close()


@pytest.fixture
def outage() -> FakeOutage:
    return FakeOutage()


@pytest.fixture
def injecting(
    regions: FakeRegions, world: FakeWorld, outage: FakeOutage, journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Injecting]:  # fmt: skip
    """The real one; what it looks at in threads is over in the end."""
    monkeypatch.setitem(cast(dict[str, Any], FAULTS), "region-outage", outage)
    chosen = [
        SimpleNamespace(
            order=order, targets=(), candidates=(), control=(),
            plans=[SimpleNamespace(id=f"c-{order.name.replace(' ', '-')}", undo=SimpleNamespace(summary=""))],
        )
        for order in ORDERS
    ]  # fmt: skip
    asked = SimpleNamespace(acts=True, guarded=GUARDED, name="n", title="t", file="f.yaml", digest="0")
    proposal = cast(Proposal, SimpleNamespace(experiment=asked, chosen=chosen, seed=1, burns=()))
    ledger = ExperimentLedger(journal, "exp-1", "ana")
    ledger.started(proposal, "/tmp", {"of": "east", "to": "west", "service": "fraud"})
    made = Injecting(
        proposal, cast(ChangePipeline, world),
        cast(Platform, SimpleNamespace(regions=regions, entrances=world)), ledger,
        CLOCK, Consent(given=True), lambda _: None,
    )  # fmt: skip
    yield made
    made.hurry()
    with suppress(ActionFailed):
        made.recovered("")


@pytest.fixture
def drill(regions: FakeRegions, injecting: Injecting) -> Iterator[RegionDrill]:
    platform = cast(Platform, SimpleNamespace(regions=regions))
    made = RegionDrill(GUARDED, injecting, platform, CLOCK, "exp-1")
    yield made
    made.end()


def written(drill: RegionDrill, regions: FakeRegions) -> None:
    drill.write_sentinels(0.02)
    wait_for(lambda: regions.there is not None, "a sentinel is there")


def lose_and_fail_over(drill: RegionDrill) -> FailedOver:
    drill.inject("lost")
    drill.fail_over("sent on")
    assert drill.failed_over is not None
    return drill.failed_over


@pytest.fixture
def recorded(drill: RegionDrill, journal: Journal) -> Recorded:
    """Asked twice, and written once."""

    def record() -> list[Mapping[str, Any]]:
        for _ in range(2):
            drill.record(journal, "ana")
        return [event.data for event in journal.events(subject="recovery/exp-1")]

    return record


def since(start: datetime | None, end: datetime | None) -> float:
    assert start is not None
    assert end is not None
    return seconds_between(start, end)


def test_both_are_told_where_callers_are_served_and_a_sentinel_arrived(
    drill: RegionDrill, regions: FakeRegions, recorded: Recorded
) -> None:
    written(drill, regions)
    drill.inject("lost")
    done = drill.fail_over("sent on")
    found = drill.failed_over
    assert found is not None
    assert found.passed
    assert found.unknown == []
    assert regions.there is not None
    assert found.newest == regions.there.number <= found.written
    assert done["rto_seconds"] == found.rto_seconds
    assert found.rpo_seconds is not None
    assert 0 <= found.rpo_seconds < 10
    (event,) = recorded()
    assert (event["rto_seconds"], event["rpo_seconds"]) == (found.rto_seconds, found.rpo_seconds)
    assert (event["passed"], event["unknown"]) == (True, [])


def test_neither_is_better_than_by_a_clock_however_slow_the_injection(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld
) -> None:
    """The loss is somewhere within the injection: from its beginning for callers, from its end for data."""
    world.loses_after, world.injects_for = 0.2, 0.4
    written(drill, regions)
    found = lose_and_fail_over(drill)
    assert found.rto_seconds is not None
    assert found.rpo_seconds is not None
    rto, rpo = since(world.lost_at, world.served_at), since(regions.copied_at, world.lost_at)
    assert rto > 0.6  # the rest of the injection, and until callers were served
    assert rto + 0.1 < found.rto_seconds < rto + 5
    assert rpo + 0.3 < found.rpo_seconds < rpo + 5


def test_sentinels_are_written_until_the_loss_is_proved(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld
) -> None:
    """What is copied while the injection goes on is not lost."""
    world.loses_after = 0.3
    written(drill, regions)
    before = regions.there
    found = lose_and_fail_over(drill)
    assert before is not None
    assert found.newest is not None
    assert found.newest > before.number
    assert since(found.lost_at, regions.copied_at) > 0


def test_an_rto_longer_than_effects_are_waited_for_is_measured(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EFFECT_SECONDS", 0.2)
    world.serves_after = 1.0
    written(drill, regions)
    found = lose_and_fail_over(drill)
    assert found.rto_seconds is not None
    assert found.rto_seconds > 1.0
    assert found.passed


def test_a_loss_that_no_caller_felt_tells_of_no_rto(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld
) -> None:
    world.is_felt = False
    written(drill, regions)
    found = lose_and_fail_over(drill)
    assert found.unknown == ["rto"]
    assert not found.is_felt
    assert not found.passed
    assert "not felt" in found.why[0]


@pytest.mark.parametrize("failing", ["the switch", "before it"])
def test_a_failover_that_failed_or_never_came_is_recorded_as_not_passed(
    drill: RegionDrill,
    regions: FakeRegions,
    world: FakeWorld,
    failing: str,
    monkeypatch: pytest.MonkeyPatch,
    recorded: Recorded,
) -> None:
    written(drill, regions)
    drill.inject("lost")

    def refused(*_: Any, **__: Any) -> None:
        raise GateNotMet("the region west is not well")

    if failing == "the switch":
        monkeypatch.setattr(world, "execute", refused)
        with pytest.raises(GateNotMet):
            drill.fail_over("sent on")
    drill.end()
    assert drill.failed_over is None
    (event,) = recorded()
    assert (event["passed"], event["unknown"]) == (False, ["rto", "rpo"])
    read = msgspec.convert(event, RecoveryMeasured)
    assert (read.rto_seconds, read.rpo_seconds) == (None, None)


def test_without_a_loss_nothing_is_recorded(
    drill: RegionDrill, regions: FakeRegions, recorded: Recorded
) -> None:
    written(drill, regions)
    assert recorded() == []


def test_what_was_ended_while_its_loss_was_awaited_shows_no_failover_once(
    drill: RegionDrill, outage: FakeOutage, injecting: Injecting, journal: Journal, recorded: Recorded
) -> None:
    outage.looks = threading.Event()
    raised: list[BaseException] = []

    def lose() -> None:
        try:
            drill.inject("lost")
        except Interrupted as error:
            raised.append(error)

    losing = threading.Thread(target=lose)
    losing.start()
    assert outage.looks.wait(PATIENCE_SECONDS), "its effect is looked for"
    injecting.stop()
    losing.join(PATIENCE_SECONDS)
    injecting.undo("lost", "SIGINT")
    drill.end()
    assert len(raised) == 1
    (intended,) = journal.events(kinds=("experiment.intended",))
    (event,) = recorded()
    assert (event["at"], event["passed"], event["unknown"]) == (intended.time, False, ["rto", "rpo"])
    assert msgspec.convert(event, RecoveryMeasured).service == "fraud"


def test_what_was_ended_before_anything_was_intended_lost_no_region(
    drill: RegionDrill, injecting: Injecting, recorded: Recorded
) -> None:
    injecting.stop()
    with pytest.raises(Interrupted):
        drill.inject("lost")
    assert recorded() == []


def test_who_is_served_for_a_moment_is_served_since_the_last_bad_answer(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld
) -> None:
    written(drill, regions)
    first = lose_and_fail_over(drill)
    regions.why = "HTTP 503"
    wait_for(lambda: drill.failed_over is not None and drill.failed_over.rto_seconds is None, "it is felt")
    world.serve()
    wait_for(lambda: drill.failed_over is not None and bool(drill.failed_over.rto_seconds), "served again")
    drill.settle()
    found = drill.failed_over
    assert found is not None
    assert found.rto_seconds is not None
    assert first.rto_seconds is not None
    assert found.rto_seconds > max(first.rto_seconds, since(world.lost_at, world.served_at))


def test_who_is_not_served_when_something_is_taken_back_was_not_served(
    drill: RegionDrill, regions: FakeRegions, injecting: Injecting
) -> None:
    written(drill, regions)
    lose_and_fail_over(drill)
    regions.why = "HTTP 503"
    wait_for(lambda: drill.failed_over is not None and drill.failed_over.rto_seconds is None, "it is felt")
    drill.settle()
    injecting.undo("lost", "a test")
    found = drill.failed_over
    assert found is not None
    assert (found.is_felt, found.rto_seconds, found.passed) == (True, None, False)


def test_what_is_copied_after_the_loss_tells_of_no_rpo(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replication pulls from elsewhere: the API of the region stays."""
    written(drill, regions)
    drill.inject("lost")
    assert regions.there is not None
    regions.there = replace(regions.there, number=regions.there.number + 1)
    drill.fail_over("sent on")
    found = drill.failed_over
    assert found is not None
    assert found.unknown == ["rpo"]
    assert "after the loss" in found.why[1]


def test_no_sentinel_is_written_once_the_loss_is_proved(drill: RegionDrill, regions: FakeRegions) -> None:
    written(drill, regions)
    drill.inject("lost")
    regions.replicates, newest = True, regions.there
    drill.fail_over("sent on")
    assert regions.there == newest


@pytest.mark.parametrize(
    "there",
    [None, Sentinel("exp-0", 3, AT)],
    ids=["none", "one of an earlier run"],
)
def test_without_a_sentinel_of_this_run_what_was_lost_is_not_known(
    drill: RegionDrill, regions: FakeRegions, there: Sentinel | None
) -> None:
    regions.replicates, regions.there = False, there
    drill.write_sentinels(0.02)
    found = lose_and_fail_over(drill)
    assert found.rpo_seconds is None
    assert found.unknown == ["rpo"]
    assert not found.passed


def test_a_region_that_cannot_be_asked_tells_of_no_sentinel(drill: RegionDrill, regions: FakeRegions) -> None:
    written(drill, regions)
    drill.inject("lost")
    regions.failures = [Unreachable("the API of west does not answer")]
    drill.fail_over("sent on")
    assert drill.failed_over is not None
    assert drill.failed_over.unknown == ["rpo"]
    assert "cannot be told" in drill.failed_over.why[1]


def test_callers_who_are_served_only_by_the_return_of_the_region_were_not_failed_over(
    drill: RegionDrill, regions: FakeRegions, world: FakeWorld, injecting: Injecting
) -> None:
    written(drill, regions)
    world.serves_after = None
    drill.inject("lost")

    def end() -> None:
        wait_for(lambda: world.leads_to == "west", "callers are sent on")
        drill.settle()
        injecting.undo("lost", "a test")

    ending = threading.Thread(target=end)
    ending.start()
    drill.fail_over("sent on")
    ending.join()
    found = drill.failed_over
    assert found is not None
    assert found.rto_seconds is None
    assert "before the region came back" in found.why[0]
    assert not found.passed


def test_without_a_loss_there_is_nothing_to_fail_over_from(drill: RegionDrill, world: FakeWorld) -> None:
    with pytest.raises(ActionFailed, match="nothing to fail over from"):
        drill.fail_over("sent on")
    assert world.leads_to == "east"
