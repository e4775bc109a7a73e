"""What a person at the terminal says to a plan."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.model import Gate, GateDecision
from maestro_cli.core.errors import GateNotMet
from maestro_cli.services.changing import ChangeServices
from tests.tui.facts_of_changes import FRAUD, plan


class Typist:
    """Says yes to every question, and types one line."""

    def __init__(self, line: str) -> None:
        self._line = line

    def show(self, view: Any) -> None: ...

    def confirm(self, question: str) -> bool:
        return True

    def ask_text(self, question: str) -> str:
        assert str(FRAUD) in question
        return self._line


def consent(line: str, *, cautions: tuple[str, ...], yes: bool = False) -> bool:
    services: Any = SimpleNamespace(
        person=Typist(line),
        policy=SimpleNamespace(protected=False),
        context_name="prod",
        changes=SimpleNamespace(decide=lambda *asked: GateDecision(Gate.ALLOWED)),
    )
    proposed = replace(plan(), cautions=cautions)
    said = ChangeServices.ask_consent(services, proposed, yes=yes, typed_context="", accepts=frozenset())
    return said.given


BAD = ("revision 1 is known to be bad",)


def test_a_way_that_is_known_to_be_bad_is_agreed_to_by_the_name_of_its_target_alone() -> None:
    assert consent(str(FRAUD), cautions=BAD)
    for line in ("y", "yes", "", "ml/deploy/other"):
        with pytest.raises(GateNotMet, match="you said no"):
            consent(line, cautions=BAD)
    assert consent("", cautions=())
    assert consent("", cautions=BAD, yes=True)
