"""The line that is typed in: `:` commands and `/` filters. Invariant: it does nothing itself; what is typed,
entered and left is told, and what is wrong with it stands beside it until something else is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.keys.commands import common_start
from maestro_cli.tui.keys.history import History
from maestro_cli.tui.widgets.typed_line import TypedLine
from maestro_cli.tui.widgets.words import OneLine

Completes = Callable[[str], tuple[str, ...]]
LONGEST_LINE = 500


def _key(keys: str, action: str, name: str, title: str, tooltip: str) -> Binding:
    return Binding(keys, action, title, show=False, id=f"prompt.{name}", tooltip=tooltip)


class PromptInput(TypedLine):
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("tab", "prompt_complete", "complete", "Complete", "Complete it, or show what it may become."),
        _key("up", "prompt_step(1)", "older", "Older", "The line that was typed before."),
        _key("down", "prompt_step(-1)", "newer", "Newer", "The line that was typed after."),
        _key("escape", "prompt_leave", "leave", "Leave", "Leave the line; of a filter, take it away."),
    ]  # fmt: skip

    def action_prompt_complete(self) -> None:
        self._prompt.complete()

    def action_prompt_step(self, by: int) -> None:
        self._prompt.step(by)

    def action_prompt_leave(self) -> None:
        self._prompt.leave()

    async def action_submit(self) -> None:
        """At once, by no message of its own: the next key comes after what this one leads to."""
        self._prompt.enter()

    @property
    def _prompt(self) -> Prompt:
        return next(one for one in self.ancestors if isinstance(one, Prompt))


class Prompt(Horizontal):
    DEFAULT_CSS = """
    Prompt { height: 1; display: none; }
    Prompt.open { display: block; }
    Prompt > #sign { width: 2; text-style: bold; }
    Prompt > PromptInput { width: 2fr; height: 1; border: none; padding: 0; background: $surface; }
    Prompt > PromptInput:focus { border: none; }
    Prompt > #hint { width: 3fr; color: $text-muted; padding-left: 1; }
    Prompt > #hint.wrong { color: $text-error; }
    """

    class Typed(Message):
        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign, self.text = sign, text

    class Entered(Typed):
        """Enter; the line is closed."""

    class Left(Typed):
        """Escape; the line is closed, and what was typed is dropped."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self._completes: Completes = lambda text: ()
        self.sign = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="sign", markup=False)
        yield PromptInput(max_length=LONGEST_LINE)
        yield OneLine("", id="hint", markup=False)

    @property
    def is_open(self) -> bool:
        return bool(self.sign)

    def open(self, sign: str, text: str, completes: Completes) -> None:
        """Take the keys; `completes` makes whole lines of what is typed."""
        self.sign, self._completes = sign, completes
        self._history.rest()
        self.add_class("open")
        self.display = True  # at once: the next key may be here already
        self.query_one("#sign", Static).update(Text(sign))
        line = self.query_one(PromptInput)
        line.value = text
        line.cursor_position = len(text)
        self.hint("")
        self.screen.set_focus(line)

    def hint(self, text: str, *, is_wrong: bool = False) -> None:
        hint = self.query_one("#hint", Static)
        hint.set_class(is_wrong, "wrong")
        words = visible(f"! {text}" if is_wrong else text, 300)
        hint.update(Text(words))

    def complete(self) -> None:
        line = self.query_one(PromptInput)
        found = self._completes(line.value)
        longer = common_start(found)
        if len(found) == 1:
            longer += " "
        if len(longer) > len(line.value) and longer.lower().startswith(line.value.lower()):
            line.value = longer
            line.cursor_position = len(longer)
        self.hint("  ".join(one.rpartition(" ")[2] for one in found[:30]) if found else "nothing begins so")

    def step(self, by: int) -> None:
        if self.sign == ":":
            line = self.query_one(PromptInput)
            line.value = self._history.step(by, line.value)
            line.cursor_position = len(line.value)

    def enter(self) -> None:
        self.post_message(self.Entered(self.sign, self.query_one(PromptInput).value))

    def leave(self) -> None:
        sign = self.close()
        self.post_message(self.Left(sign, ""))

    def close(self) -> str:
        """Hide it; what its sign was."""
        sign, self.sign = self.sign, ""
        self.remove_class("open")
        self.display = False
        return sign

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self.hint("")
            self.post_message(self.Typed(self.sign, event.value))
