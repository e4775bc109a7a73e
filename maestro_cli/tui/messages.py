"""What widgets and threads tell the console. Invariant: in the past tense; the app alone acts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.screens.model import Place

if TYPE_CHECKING:
    from maestro_cli.tui.acting.outcomes import Outcomes


class NewsArrived(Message):
    """The store has events that were not taken yet."""


class ActionRefused(Message):
    """Nothing was done; `why` is for people, and holds until the context `unarmed` is armed, or, where it
    `is_of_past`, until the console shows the present."""

    def __init__(
        self, action: str, why: str, fix: str = "", unarmed: str = "", *, is_of_past: bool = False
    ) -> None:
        super().__init__()
        self.action, self.why, self.fix, self.unarmed = action, why, fix, unarmed
        self.is_of_past = is_of_past


class ActionEnded(Message):
    """It was done, or failed; `outcome` is how, in words. It was asked for at `place`, so long ago."""

    def __init__(
        self, action: Action, target: Target, outcome: str, *, is_done: bool, place: Place, seconds: float
    ) -> None:
        super().__init__()
        self.action, self.target, self.outcome, self.is_done = action, target, outcome, is_done
        self.place, self.seconds = place, seconds


class SeveralEnded(Message):
    """An action on several targets has ended with each of them; asked for at `place`, so long ago."""

    def __init__(self, outcomes: Outcomes, *, place: Place, seconds: float) -> None:
        super().__init__()
        self.outcomes, self.place, self.seconds = outcomes, place, seconds


class Led(Message):
    """What was asked for at `origin` has a place of its own by now."""

    def __init__(self, place: Place, origin: Place) -> None:
        super().__init__()
        self.place, self.origin = place, origin


class Remarked(Message):
    """A remark or a warning of whatever works in the background; `stays`: wherever one is."""

    def __init__(self, text: str, *, stays: bool = False) -> None:
        super().__init__()
        self.text, self.stays = text, stays
