"""What waits for a second person: it is carried out from the screen once it was approved, and not before."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import State
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.progress import Quiet
from maestro_cli.tui.acting.model import Doing, Target
from maestro_cli.tui.screens.changes import ACTIONS, CARRY_OUT, carry_out
from tests.unit.changes.bench import Bench
from tests.unit.changes.conftest import bench as bench
from tests.unit.changes.test_approvals import approve, left_waiting


def doing(bench: Bench, change_id: str, *, agrees: bool = True) -> Doing:
    services: Any = SimpleNamespace(
        changes=bench.pipeline(protected=True), get_change=lambda one: get_change(bench.journal, one)
    )
    agree: Callable[..., bool] = lambda *shown: agrees  # noqa: E731
    target = Target("staging", "Change", change_id, change_id)
    return Doing(
        services,
        target,
        {},
        Quiet(),
        Cancellation(),
        agree=agree,
        tell=lambda *_: None,
        go_on=lambda *_: "",
        forget=lambda *_: None,
    )


def test_what_was_approved_is_carried_out_and_what_was_not_is_not(bench: Bench) -> None:
    change_id = left_waiting(bench)
    with pytest.raises(GateNotMet, match="nobody has approved"):
        carry_out(doing(bench, change_id))
    approve(bench, change_id)
    assert "you said no" in carry_out(doing(bench, change_id, agrees=False))
    assert get_change(bench.journal, change_id).state is State.WAITING
    assert carry_out(doing(bench, change_id)) == f"verified: {change_id}"
    with pytest.raises(GateNotMet, match="nothing to go on with"):
        carry_out(doing(bench, change_id))


def test_carrying_out_needs_an_armed_context_and_says_its_command() -> None:
    assert CARRY_OUT in ACTIONS
    assert CARRY_OUT.danger.needs_arming
    target = Target("staging", "Change", "chg-1", "chg-1")
    assert CARRY_OUT.line(target, {}) == ("change", "resume", "chg-1")
