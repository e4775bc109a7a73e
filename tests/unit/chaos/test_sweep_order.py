"""A sweep takes each fault back once: what hurts first, and then what helped against it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos import sweeping
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.model import FaultOrder, TargetRule
from maestro_cli.chaos.projection import ExperimentsProjection
from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal

RULE = TargetRule("ml", None, "app=fraud")


def test_remedies_are_taken_back_last_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, taken = SystemClock(), list[str]()
    journal = Journal(tmp_path / "journal.db", projections=[ExperimentsProjection()], clock=clock)
    ledger = ExperimentLedger(journal, "exp-1", "ana")
    for name, fault in (("lost", "region-outage"), ("sent on", "region-failover"), ("slow", "link-latency")):
        order = FaultOrder(name, fault, {}, RULE)
        ledger.intended(InForce(order, (), (), 30.0, 0), clock.now() + timedelta(seconds=30), [])

    def take_back(_: Any, __: Any, fault: InForce, *more: Any, **named: Any) -> str:
        taken.append(fault.order.name)
        return ""

    monkeypatch.setattr(sweeping, "undo_changes", take_back)
    monkeypatch.setattr(sweeping, "residue_of", lambda *_: ())
    monkeypatch.setattr(sweeping, "unfinished_runs", lambda _: ["exp-1"])
    pipeline = cast(ChangePipeline, SimpleNamespace(actor="ana"))
    (swept,) = sweeping.sweep(journal, cast(Any, None), pipeline, clock)
    assert swept.faults == tuple(taken) == ("slow", "lost", "sent on")
    journal.close()
