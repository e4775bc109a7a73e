"""The guard says of a stop condition what is so, and what to do about it that is not done by asking again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.chaos.guard.check import Allows, Answer
from maestro_cli.chaos.guard.stop_condition import StopConditions
from maestro_cli.chaos.model import Guarded, StopCondition

ERRORS = StopCondition("errors", ">", 0.05)


def asked(guarded: Guarded | None, value: float | None = 0.0) -> Answer:
    proposal: Any = SimpleNamespace(experiment=SimpleNamespace(guarded=guarded))
    around: Any = SimpleNamespace(value=lambda query: value)
    return StopConditions().examine(proposal, around)


@pytest.mark.parametrize("guarded", [None, Guarded()])
def test_where_none_is_declared_none_was_measured(guarded: Guarded | None) -> None:
    answer = asked(guarded)
    assert (answer.allows, answer.reason) == (Allows.YES, "it declares none, so there is nothing to measure")


def test_one_that_is_declared_was_measured() -> None:
    answer = asked(Guarded(stop=(ERRORS,)))
    assert (answer.allows, answer.reason) == (Allows.YES, "can be measured, and is not met")


@pytest.mark.parametrize(
    ("value", "allows", "fix"), [(None, Allows.UNKNOWN, "one number"), (0.5, Allows.NO, "wait until")]
)
def test_what_it_refuses_can_be_mended(value: float | None, allows: Allows, fix: str) -> None:
    answer = asked(Guarded(stop=(ERRORS,)), value)
    assert answer.allows is allows
    assert fix in answer.fix
    assert "chaos plan" not in answer.fix
