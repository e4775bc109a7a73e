"""What a failover took is measured by callers, what it lost by sentinels; what is not known is never zero."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.chaos.guard.check import Allows, Proposal
from maestro_cli.chaos.guard.other_region import OtherRegion
from maestro_cli.chaos.injecting import Injecting
from maestro_cli.chaos.model import FailoverBounds, FaultOrder, Guarded, TargetRule
from maestro_cli.chaos.ports import Platform, Surroundings
from maestro_cli.chaos.regions.drill import RegionDrill
from maestro_cli.chaos.regions.probing import Prober
from maestro_cli.chaos.regions.sentinels import Sentinel, SentinelWriter, sentinel_of
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ActionFailed, ExitCode, Unreachable
from tests.patience import wait_for

RULE = TargetRule("ml", None, "app=fraud")
ORDERS = (
    FaultOrder("lost", "region-outage", {}, RULE),
    FaultOrder("sent on", "region-failover", {}, RULE),
)
AT = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class FakeRegions:
    """A FAKE of two regions; `there` is what is of the sentinels in the other one."""

    own: str = "east"
    other: str = "west"
    why: str = ""
    replicates: bool = True
    there: Sentinel | None = None
    failures: list[Unreachable] = field(default_factory=list)

    def unserved(self) -> str:
        return self.why

    def write_sentinel(self, sentinel: Sentinel) -> None:
        self.there = sentinel if self.replicates else self.there

    def newest_sentinel(self) -> Sentinel | None:
        if self.failures:
            raise self.failures[0]
        return self.there


class FakeInjecting:
    """A FAKE that puts in what it is told to; `serves`: callers are served from the switch on."""

    def __init__(self, regions: FakeRegions) -> None:
        self.regions, self.serves, self.put_in = regions, True, list[str]()
        self.holds = 0
        self.outage_ends_after = 10_000

    def inject(self, name: str) -> dict[str, Any]:
        self.put_in.append(name)
        if name == "lost":
            self.regions.why, self.regions.replicates = "no answer", False
        elif self.serves:
            self.regions.why = ""
        return {"fault": name}

    def hold(self, seconds: float | None) -> dict[str, Any]:
        self.holds += 1
        threading.Event().wait(min(seconds or 0.0, 0.02))
        return {}

    @property
    def in_force(self) -> tuple[Any, ...]:
        if self.holds > self.outage_ends_after:
            return ()
        return tuple(
            SimpleNamespace(order=one) for one in ORDERS if one.name in self.put_in and one.name == "lost"
        )


@pytest.fixture
def regions() -> FakeRegions:
    return FakeRegions()


@pytest.fixture
def injecting(regions: FakeRegions) -> FakeInjecting:
    return FakeInjecting(regions)


@pytest.fixture
def drill(regions: FakeRegions, injecting: FakeInjecting) -> Iterator[RegionDrill]:
    guarded = Guarded(faults=ORDERS, failover=FailoverBounds(60.0, 10.0, 0.01))
    platform = cast(Platform, SimpleNamespace(regions=regions))
    made = RegionDrill(guarded, cast(Injecting, injecting), platform, SystemClock(), "exp-1")
    yield made
    made.end()


def written(drill: RegionDrill, regions: FakeRegions) -> None:
    drill.write_sentinels(0.02)
    wait_for(lambda: regions.there is not None, "a sentinel is there")


def test_both_are_told_where_callers_are_served_and_a_sentinel_arrived(
    drill: RegionDrill, regions: FakeRegions
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
    assert 0 <= (found.rpo_seconds or -1) < 10


def test_no_sentinel_is_written_once_the_region_is_lost(drill: RegionDrill, regions: FakeRegions) -> None:
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
    drill.inject("lost")
    drill.fail_over("sent on")
    found = drill.failed_over
    assert found is not None
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
    drill: RegionDrill, regions: FakeRegions, injecting: FakeInjecting
) -> None:
    written(drill, regions)
    injecting.serves = False
    drill.inject("lost")
    injecting.outage_ends_after = injecting.holds + 3
    drill.fail_over("sent on")
    found = drill.failed_over
    assert found is not None
    assert found.rto_seconds is None
    assert "before the region came back" in found.why[0]
    assert not found.passed


def test_without_a_loss_there_is_nothing_to_fail_over_from(
    drill: RegionDrill, injecting: FakeInjecting
) -> None:
    with pytest.raises(ActionFailed, match="nothing to fail over from"):
        drill.fail_over("sent on")
    assert injecting.put_in == []


def test_three_good_answers_in_a_row_count_from_the_first_of_them_until_a_bad_one() -> None:
    said, heard = queue.SimpleQueue[str](), list[datetime | None]()
    made = Prober(said.get, SystemClock(), 0.0)
    made.start()
    for answer in ("", "", "", "down", "", "", "", ""):
        before = made.asked
        said.put(answer)
        wait_for(lambda before=before: made.asked > before, "it is told")  # type: ignore[misc]
        heard.append(made.served_since)
    made.stop()
    said.put("")
    assert [one is not None for one in heard] == [
        False, False, True, False, False, False, True, True,
    ]  # fmt: skip
    assert heard[2] != heard[6] == heard[7]


def test_a_sentinel_is_read_as_it_was_written_and_junk_is_none() -> None:
    one = Sentinel("exp-1", 7, AT + timedelta(milliseconds=250))
    assert sentinel_of(one.data()) == one
    for junk in ({}, {"run": "exp-1", "number": "x", "at": "now"}, {**one.data(), "at": "yesterday"}):
        assert sentinel_of(junk) is None


def test_a_sentinel_that_could_not_be_written_is_no_end_of_writing() -> None:
    failing = [Unreachable("the API hangs"), Unreachable("the API hangs")]
    kept: list[Sentinel] = []

    def write(sentinel: Sentinel) -> None:
        if failing:
            raise failing.pop()
        kept.append(sentinel)

    writer = SentinelWriter(write, "exp-1", SystemClock(), 0.001)
    writer.start()
    wait_for(lambda: bool(kept), "one is written")
    writer.stop()
    assert kept[0].number == 3
    assert writer.written == kept[-1].number


def proposal(*faults: str) -> Proposal:
    chosen = [SimpleNamespace(order=FaultOrder(one, one, {}, RULE)) for one in faults]
    return cast(Proposal, SimpleNamespace(chosen=chosen))


def around(ails: Callable[[], str]) -> Surroundings:
    return cast(Surroundings, SimpleNamespace(other_region_ails=ails))


def test_no_region_is_lost_while_the_other_is_not_well() -> None:
    said = OtherRegion().examine(proposal("region-outage"), around(lambda: "HTTP 503"))
    assert (said.allows, said.exit_code) == (Allows.NO, ExitCode.GATE_NOT_MET)
    assert OtherRegion().examine(proposal("region-outage"), around(lambda: "")).allows is Allows.YES


def test_other_faults_ask_for_no_other_region() -> None:
    def asked() -> str:
        raise AssertionError("nobody has to be asked")

    assert OtherRegion().examine(proposal("zone-outage"), around(asked)).allows is Allows.YES
