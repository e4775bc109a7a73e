"""A run that died after its region was lost shows no failover; the sweep says so, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos import sweeping, undoing
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.guard.check import Proposal
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.model import Experiment, FaultOrder, Guarded, Injected, Injection, TargetRule
from maestro_cli.chaos.projection import ExperimentsProjection
from maestro_cli.chaos.regions.recording import record_failover
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet
from maestro_cli.journal.store import Journal

RULE, CLOCK = TargetRule("ml", None, "app=fraud"), SystemClock()
DECLARED = {"of": "east", "to": "west", "service": "fraud"}


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.setattr(sweeping, "residue_of", lambda *_: ())
    made = Journal(tmp_path / "journal.db", projections=[ExperimentsProjection()], clock=CLOCK)
    yield made
    made.close()


def begun(
    journal: Journal, *put_in: tuple[str, Injected | None], declared: Mapping[str, Any] | None = DECLARED
) -> None:
    """A run that was killed: the kinds of faults that were intended, and what became of each by then."""
    ledger = ExperimentLedger(journal, "exp-1", "ana")
    made = Experiment("region-failover", "t", "d", "f.yaml", "0", {}, Guarded(recovery_seconds=5.0))
    proposal = SimpleNamespace(experiment=made, seed=1, chosen=(), burns=())
    ledger.started(cast(Proposal, proposal), "/tmp", declared)
    for fault, outcome in put_in:
        order = FaultOrder(fault, fault, {}, RULE)
        ledger.intended(InForce(order, (), ("c-1",), 30.0, 0), CLOCK.now() + timedelta(seconds=30), [])
        if outcome is not None:
            ledger.injected(Injection(fault, outcome, "as the test says"))


class Refusing:
    """A FAKE pipeline that takes nothing back for so many tries."""

    actor = "ana"

    def __init__(self, times: int = 0) -> None:
        self.times = times

    def is_known(self, change: str) -> bool:
        return True

    def take_back(self, change: str, cause: str) -> None:
        self.times -= 1
        if self.times >= 0:
            raise GateNotMet("the region east is not well")


def swept(journal: Journal, pipeline: Refusing | None = None) -> list[Mapping[str, Any]]:
    """What is recorded of recoveries after two sweeps."""
    for _ in range(2):
        sweeping.sweep(journal, cast(Any, None), cast(ChangePipeline, pipeline or Refusing()), CLOCK)
    return [event.data for event in journal.events(subject="recovery/exp-1")]


@pytest.mark.parametrize(
    "put_in",
    [
        [("region-outage", Injected.EFFECTIVE)],
        [("region-outage", None)],
        [("region-outage", Injected.EFFECTIVE), ("region-failover", Injected.EFFECTIVE)],
    ],
    ids=["between loss and failover", "before the loss was proved", "after callers were sent on"],
)
def test_a_run_that_was_killed_after_the_loss_shows_no_failover(
    journal: Journal, put_in: list[tuple[str, Injected | None]]
) -> None:
    begun(journal, *put_in)
    (event,) = swept(journal)
    assert (event["passed"], event["unknown"], event["service"]) == (False, ["rto", "rpo"], "fraud")
    assert (event["rto_seconds"], event["rpo_seconds"]) == (None, None)
    assert event["of"] == "failover of east to west (exp-1)"


@pytest.mark.parametrize(
    ("put_in", "declared"),
    [
        ([], DECLARED),
        ([("region-outage", Injected.INEFFECTIVE)], DECLARED),
        ([("region-outage", Injected.EFFECTIVE)], None),
    ],
    ids=["nothing was put in", "nothing was lost", "no failover was declared"],
)
def test_where_no_failover_was_due_none_is_recorded(
    journal: Journal, put_in: list[tuple[str, Injected | None]], declared: Mapping[str, Any] | None
) -> None:
    begun(journal, *put_in, declared=declared)
    assert swept(journal) == []


def test_what_a_run_measured_itself_is_not_recorded_twice(journal: Journal) -> None:
    begun(journal, ("region-outage", Injected.EFFECTIVE))
    record_failover(journal, "ana", "exp-1", DECLARED, {"at": CLOCK.now(), "rto_seconds": 3.0})
    (event,) = swept(journal)
    assert event["rto_seconds"] == 3.0


def test_a_sweep_waits_for_the_recovery_of_the_region_before_it_gives_up_on_callers(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "UNDO_SECONDS", 0.1)
    monkeypatch.setattr(undoing, "PAUSE_SECONDS", 0.1)
    begun(journal, ("region-failover", Injected.EFFECTIVE))
    pipeline = cast(ChangePipeline, Refusing(times=8))
    (one,) = sweeping.sweep(journal, cast(Any, None), pipeline, CLOCK)
    assert (one.faults, one.residue) == (("region-failover",), ())


def test_what_hurts_is_tried_no_longer_than_any_undo(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "UNDO_SECONDS", 0.1)
    begun(journal, ("server-latency", Injected.EFFECTIVE))
    pipeline = Refusing(times=1000)
    (one,) = sweeping.sweep(journal, cast(Any, None), cast(ChangePipeline, pipeline), CLOCK)
    assert one.faults == ()
    assert pipeline.times > 990
