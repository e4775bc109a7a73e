"""Callers are asked, sentinels written and remedies let through by rules of their own."""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from maestro_cli.chaos.guard import at_the_last, examine, refusal
from maestro_cli.chaos.guard.check import Allows, Proposal
from maestro_cli.chaos.guard.other_region import OtherRegion
from maestro_cli.chaos.model import FaultOrder, TargetRule
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.chaos.regions.probing import Prober
from maestro_cli.chaos.regions.sentinels import Sentinel, SentinelWriter, sentinel_of
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ExitCode, Unreachable
from tests.patience import wait_for

RULE = TargetRule("ml", None, "app=fraud")
AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_three_good_answers_in_a_row_count_from_the_first_of_them_until_a_bad_one() -> None:
    said, heard = queue.SimpleQueue[str](), list[float | None]()
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


def around(ails: Callable[[], str], service: str = "fraud") -> Surroundings:
    return cast(Surroundings, SimpleNamespace(other_region_ails=ails, failover_service=lambda: service))


def test_no_region_is_lost_while_the_other_is_not_well() -> None:
    said = OtherRegion().examine(proposal("region-outage"), around(lambda: "HTTP 503"))
    assert (said.allows, said.exit_code) == (Allows.NO, ExitCode.GATE_NOT_MET)
    assert OtherRegion().examine(proposal("region-outage"), around(lambda: "")).allows is Allows.YES


def test_other_faults_ask_for_no_other_region() -> None:
    def asked() -> str:
        raise AssertionError("nobody has to be asked")

    assert OtherRegion().examine(proposal("zone-outage"), around(asked)).allows is Allows.YES


@pytest.mark.parametrize(
    ("fault", "code"),
    [("region-outage", ExitCode.GATE_NOT_MET), ("region-failover", None)],
)
def test_an_incident_of_the_loss_keeps_no_remedy_back(fault: str, code: ExitCode | None) -> None:
    asked = SimpleNamespace(
        other_region_ails=lambda: "", failover_service=lambda: "", grave_incidents=lambda _: ["INC-1"],
        rules=None,
    )  # fmt: skip
    made = proposal("region-outage", "region-failover")
    acts, policy = SimpleNamespace(acts=True), SimpleNamespace(rules=None)
    whole = SimpleNamespace(chosen=made.chosen, experiment=acts, policy=policy, at=AT)
    error = refusal(examine(cast(Proposal, whole), cast(Surroundings, asked), at_the_last(fault)))
    assert (error.exit_code if error is not None else None) == code


def test_who_plans_a_failover_that_counts_for_no_objective_is_told() -> None:
    silent = around(lambda: "", service="")
    told = OtherRegion().examine(proposal("region-outage", "region-failover"), silent)
    assert (told.allows, told.is_warning) == (Allows.YES, True)
    assert "counts for no objective" in told.reason
    assert "failover.service" in told.fix
    assert not OtherRegion().examine(proposal("region-outage"), silent).is_warning
    assert not OtherRegion().examine(proposal("region-failover"), around(lambda: "")).is_warning


def test_a_remedy_waits_for_the_other_region_to_be_well() -> None:
    error = refusal(
        examine(
            proposal("region-outage", "region-failover"), around(lambda: "HTTP 503"),
            at_the_last("region-failover"),
        )
    )  # fmt: skip
    assert error is not None
    assert error.exit_code is ExitCode.GATE_NOT_MET
