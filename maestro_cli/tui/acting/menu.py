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
from maestro_cli.output.tables import folded
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.dispatcher import Refusal
from maestro_cli.tui.acting.model import Action, Danger, Target, sites_of
from maestro_cli.tui.text import cells, fit

MOST_CELLS = 110  # of a dialog, as its style has it
AROUND_CELLS = 12  # frames, blanks and a scroll bar
LEAST_CELLS = 16  # that something is said in
DANGER_CELLS = max(len(one.value) for one in Danger)

Offer = tuple[Action, Refusal | None]


class ActionMenu(Dialog):
    """Answers the id of the action that was chosen, or None."""

    DEFAULT_CSS = "ActionMenu OptionList { height: auto; max-height: 20; border: none; }"

    def __init__(self, targets: Sequence[Target], offers: Sequence[Offer]) -> None:
        super().__init__()
        self._targets, self._offers = targets, offers
        self.sites = sites_of(targets)

    @property
    def _room(self) -> int:
        """Cells of a line of the list, within its box and the frame; a scroll bar stands beside them."""
        return min(self.app.size.width * 9 // 10, MOST_CELLS) - AROUND_CELLS

    def on_resize(self) -> None:
        """What is said of each stays in its own column, however wide the screen is.

        The first one may come before the list is made, which is then made for that width.
        """
        for offered in self.query(OptionList):
            for option in self._offered(self._room):
                offered.replace_option_prompt(str(option.id), option.prompt)

    def compose(self) -> ComposeResult:
        names = ", ".join(target.name for target in self._targets[:3])
        more = f" and {len(self._targets) - 3} more" if len(self._targets) > 3 else ""
        with Vertical():
            yield Label(Text(visible(f"{names}{more}" or "nothing is chosen"), style="bold"))
            yield OptionList(*self._offered(self._room), markup=False)

    def _offered(self, room: int) -> list[Option]:
        """Each as dangerous as it is for what is chosen."""
        offers = [(action.on(self._targets), refusal) for action, refusal in self._offers]
        titles = max((cells(visible(action.title)) for action, _ in offers), default=0)
        return [Option(offer_text(action, refusal, titles, room), id=action.id) for action, refusal in offers]

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.answer(event.option.id)


def offer_text(action: Action, refusal: Refusal | None, titles: int, room: int) -> Text:
    """`Scale  reversible  set how many replicas it wants`, and why it is refused.

    `titles` are the cells of the longest title; what has no room in a line goes on below its beginning.
    """
    head = f"{fit(visible(action.title), titles)}  {action.danger.value:<{DANGER_CELLS}}  "
    lines = folded(visible(action.tooltip), max(room - cells(head), LEAST_CELLS))
    text = Text(f"\n{' ' * cells(head)}".join((head + lines[0], *lines[1:])))
    if refusal is not None:
        why = folded(f"refused now: {visible(refusal.why)}", max(room - 2, LEAST_CELLS))
        text.append("".join(f"\n  {line}" for line in why), style="dim")
    return text
