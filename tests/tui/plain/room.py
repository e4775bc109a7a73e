"""A session in lines, over services and facts that a test gives."""

from __future__ import annotations

import io
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.model import Gate, GateDecision
from maestro_cli.tui.plain.session import Session
from maestro_cli.tui.plain.talk import Talk
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import ContextArmed, FactRead
from tests.tui.cases import NOW, StillConsole, tell
from tests.tui.facts import FACTS, SITE
from tests.tui.facts_of_changes import plan
from tests.tui.test_dispatcher import Desk


class Services(Desk):
    """Plans, gate and execution of a test; `protected` contexts have their name typed."""

    def __init__(self, *, protected: bool = False) -> None:
        super().__init__()
        self.policy = SimpleNamespace(protected=protected, read_only=False)
        self.settings = SimpleNamespace(contexts={})
        self.planned: list[Any] = []

    def plan(self, kind: str, ref: Any, parameters: Any) -> Any:
        self.planned.append((kind, str(ref)))
        return plan()

    def rehearse_change(self, plan: Any, accepts: Any) -> Any:
        return SimpleNamespace(decision=GateDecision(Gate.ALLOWED))


class Room:
    """A session over facts that were given, fed line by line."""

    def __init__(self, *, protected: bool = False, place: Place | None = None) -> None:
        self.services = Services(protected=protected)
        self.console = StillConsole(self.services, (SITE,))
        self.place = place or Place("pods")
        self.raises: type[Exception] | None = None  # what is raised at the end
        for facts in FACTS.values():
            tell(self.console, *(FactRead(key, data, NOW) for key, data in facts().items()))

    def say(self, *lines: str) -> str:
        """What is printed until the end of the input."""
        out = io.StringIO()
        with nullcontext() if self.raises is None else pytest.raises(self.raises):
            Session(self.console, Talk(io.StringIO("\n".join(lines) + "\n"), out), self.place).run()
        return out.getvalue()

    def arm(self) -> None:
        tell(self.console, ContextArmed(SITE, NOW + timedelta(minutes=5)))
