"""What can be done with what is chosen, as a list. Invariant: each entry says its danger in words, and why it
is refused now, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.dispatcher import Refusal
from maestro_cli.tui.acting.model import Action, Target

Offer = tuple[Action, Refusal | None]


class ActionMenu(Dialog):
    """Answers the id of the action that was chosen, or None."""

    DEFAULT_CSS = "ActionMenu OptionList { height: auto; max-height: 20; border: none; }"

    def __init__(self, targets: Sequence[Target], offers: Sequence[Offer]) -> None:
        super().__init__()
        self._targets, self._offers = targets, offers

    def compose(self) -> ComposeResult:
        names = ", ".join(target.name for target in self._targets[:3])
        more = f" and {len(self._targets) - 3} more" if len(self._targets) > 3 else ""
        with Vertical():
            yield Label(Text(visible(f"{names}{more}" or "nothing is chosen"), style="bold"))
            yield OptionList(*self._offered(), markup=False)

    def _offered(self) -> list[Option]:
        """Each as dangerous as it is for what is chosen."""
        return [
            Option(offer_text(action.on(self._targets), refusal), id=action.id)
            for action, refusal in self._offers
        ]

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.answer(event.option.id)


def offer_text(action: Action, refusal: Refusal | None) -> Text:
    """`Scale  reversible  set how many replicas it wants`, and why it is refused."""
    text = Text(visible(f"{action.title:<24} {action.danger.value:<12} {action.tooltip}"))
    if refusal is not None:
        text.append(f"\n  refused now: {visible(refusal.why)}", style="dim")
    return text
