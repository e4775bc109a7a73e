"""Never all of those that serve beside one another; what is whole, only where that is allowed."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.guard.cap import Cap
from maestro_cli.chaos.guard.check import Allows, Answer, Chosen, Proposal
from maestro_cli.chaos.model import Candidate, Count, Experiment, FaultOrder, TargetRule
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.refs import ObjectRef


def answer(there: int, met: int, *, alone: bool = False, **rules: Any) -> Answer:
    candidates = tuple(
        Candidate(ObjectRef("Pod", "ml", f"p-{n}"), f"u-{n}", whole=alone) for n in range(there)
    )
    order = FaultOrder("it", "pod-delete", {}, TargetRule("ml", None, "app=x", Count(number=met)))
    proposal = Proposal(
        experiment=Experiment("e", "e", "", "e.yaml", "", {}), policy=Policy(context="test"),
        chosen=(Chosen(order, candidates, candidates[:met]),), burns=(), seed=1,
        at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    return Cap().examine(proposal, cast(Any, SimpleNamespace(rules=ExperimentRules(**rules))))


@pytest.mark.parametrize(("there", "met", "cap"), [(3, 1, "25%"), (8, 2, "25%"), (4, 3, 3), (4, 3, "100%")])
def test_as_many_as_the_cap_are_met(there: int, met: int, cap: int | str) -> None:
    assert answer(there, met, cap=cap).allows is Allows.YES


@pytest.mark.parametrize(("there", "met", "cap"), [(3, 2, "25%"), (3, 3, "100%"), (1, 1, "100%"), (2, 2, 9)])
def test_more_or_all_of_them_are_not(there: int, met: int, cap: int | str) -> None:
    assert answer(there, met, cap=cap).allows is Allows.NO


def test_what_there_is_one_of_is_met_only_where_the_context_says_so() -> None:
    refused = answer(1, 1, alone=True)
    assert refused.allows is Allows.NO
    assert refused.fix == "if that is meant: contexts.test.experiments.whole: true"
    assert answer(1, 1, alone=True, whole=True).allows is Allows.YES
    assert answer(1, 1, whole=True).allows is Allows.NO, "one pod is one of those that could serve beside it"
