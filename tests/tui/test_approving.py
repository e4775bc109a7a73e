"""What waits for a second person: it is carried out from the screen once it was approved, and not before."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import State, Undo
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.progress import Quiet
from maestro_cli.tui.acting.model import Danger, Doing, Target
from maestro_cli.tui.screens.changes import ACTIONS, CARRY_OUT, carry_out, danger_of
from tests.tui.facts_of_changes import plan
from tests.unit.changes.bench import Bench
from tests.unit.changes.conftest import bench as bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.test_approvals import approve, left_waiting

UNDO = Undo("drain", {}, "take it back")


def doing(bench: Bench, change_id: str, *, agrees: bool = True, names: list[str] | None = None) -> Doing:
    """`names` is filled with what would be typed for a yes."""
    services: Any = SimpleNamespace(
        changes=bench.pipeline(protected=True), get_change=lambda one: get_change(bench.journal, one)
    )

    def agree(title: str, view: object, word: str, name: str = "") -> bool:
        if names is not None:
            names.append(name)
        return agrees

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


def test_what_waits_is_agreed_to_as_its_kind_is(bench: Bench) -> None:
    change_id, names = left_waiting(bench), list[str]()
    approve(bench, change_id)
    carry_out(doing(bench, change_id, agrees=False, names=names))
    assert names == [str(REF)], "a restart disrupts: its target is typed"


@pytest.mark.parametrize(
    ("kind", "undo", "danger"),
    [
        ("drain", UNDO, Danger.DISRUPTIVE),
        ("delete-pod", None, Danger.DISRUPTIVE),
        ("scale", None, Danger.REVERSIBLE),
        ("unload-model", None, Danger.DISRUPTIVE),
        ("set-image", UNDO, Danger.REVERSIBLE),
    ],
    ids=["drain", "delete", "scale", "no-action-and-no-way-back", "no-action"],
)
def test_a_change_is_as_dangerous_as_the_action_that_plans_it(
    kind: str, undo: Undo | None, danger: Danger
) -> None:
    assert danger_of(replace(plan(), kind=kind, undo=undo)) is danger


def test_carrying_out_needs_an_armed_context_and_says_its_command() -> None:
    assert CARRY_OUT in ACTIONS
    assert CARRY_OUT.danger.needs_arming
    target = Target("staging", "Change", "chg-1", "chg-1")
    assert CARRY_OUT.line(target, {}) == ("change", "resume", "chg-1")
