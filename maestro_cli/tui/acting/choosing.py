"""A word that is one of many, typed or chosen from a list that what is typed makes shorter.

Invariant: what is answered is what stands in the line; the list only fills it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.widgets.typed_line import TypedLine


class Chooser(Vertical):
    """A line with a list below: letters filter, Down goes into the list, Enter takes what is chosen there."""

    DEFAULT_CSS = """
    Chooser { height: auto; }
    Chooser OptionList { height: auto; max-height: 8; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("down", "into_list", "Choose", show=False)]

    def __init__(self, choices: Mapping[str, str], value: str, id: str) -> None:
        super().__init__()
        self._choices, self._first, self._line_id = dict(choices), value, id

    def compose(self) -> ComposeResult:
        yield TypedLine(
            value=self._first, id=self._line_id, placeholder="letters make the list shorter; ↓ goes into it"
        )
        yield OptionList(*self._options(""), markup=False)

    def matching(self, text: str) -> list[str]:
        """The choices that have the text in their name, or in what is said of them."""
        wanted = text.strip().lower()
        return [name for name, words in self._choices.items() if wanted in f"{name} {words}".lower()]

    def _options(self, text: str) -> list[Option]:
        width = max(map(len, self._choices), default=0)
        names = self.matching("" if text == self._first else text)
        return [Option(Text(visible(f"{one:<{width}}  {self._choices[one]}", 200)), id=one) for one in names]

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(self._options(event.value.strip()))

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        line = self.query_one(Input)
        line.value = event.option.id or ""
        line.focus()

    def settle(self) -> None:
        """Of what is typed in part, take the one choice that it can be."""
        line = self.query_one(Input)
        found = self.matching(line.value)
        if line.value.strip() not in self._choices and len(found) == 1:
            line.value = found[0]

    def action_into_list(self) -> None:
        listed = self.query_one(OptionList)
        listed.highlighted = 0 if listed.option_count else None
        listed.focus()
