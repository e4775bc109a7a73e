"""What the console asks before it acts: the words of an action, for how long a context is armed, whether to
leave. Invariant: what an action is about is on the screen, and where something can be lost Cancel has the
focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Static

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.choosing import Chooser
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.model import Action, Answers, Target, fault_of, sites_of
from maestro_cli.tui.acting.naming import Name, NamedDialog, protected_name
from maestro_cli.tui.widgets.typed_line import TypedLine


class WordsDialog(Dialog):
    """The words that an action needs; answers a mapping or None."""

    def __init__(self, action: Action, targets: Sequence[Target]) -> None:
        super().__init__()
        self._action, self._targets = action, targets
        self.sites = sites_of(targets)

    def compose(self) -> ComposeResult:
        names = ", ".join(target.name for target in self._targets[:5])
        more = f" and {len(self._targets) - 5} more" if len(self._targets) > 5 else ""
        with Vertical():
            yield Label(Text(visible(f"{self._action.title}: {names}{more}"), style="bold"))
            for ask in self._action.asks:
                choices = f" ({' | '.join(ask.choices)})" if ask.choices else ""
                yield Label(Text(visible(f"{ask.label}{choices}")))
                default, name = ask.default(self._targets[0]), f"ask-{ask.name}"
                yield (
                    Chooser(ask.offered, default, name) if ask.offered else TypedLine(value=default, id=name)
                )
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel")
                yield Button("Go on", id="go", variant="primary")

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def answered(self) -> None:
        answers: dict[str, str] = {}
        for chooser in self.query(Chooser):
            chooser.settle()
        for ask in self._action.asks:
            answers[ask.name] = self.query_one(f"#ask-{ask.name}", Input).value.strip()
            if fault := fault_of(ask, answers[ask.name]):
                self.problem(fault)
                self.query_one(f"#ask-{ask.name}", Input).focus()
                return
        made: Answers = answers
        self.answer(made)


class ArmDialog(NamedDialog):
    """For how many minutes changes are allowed in a context; answers the minutes or None."""

    LONGEST_MINUTES = 60

    def __init__(self, context: str, minutes: str = "10", *, protected: bool) -> None:
        super().__init__()
        self._site, self._minutes, self._protected = context, minutes, protected
        self.sites = (context,)
        self._is_as_offered = True  # what stands in the field of minutes

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(visible(f"Allow changes in {self._site} for how many minutes?"), style="bold"))
            yield TypedLine(value=self._minutes, type="integer", id="minutes")
            yield from self.fields()
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", variant="primary")
                yield Button("Arm", id="go", variant="error")

    def names(self) -> tuple[Name, ...]:
        asked = protected_name(self._site if self._protected else "")
        return tuple(replace(one, miss=f"that is not {one.exact}") for one in asked)

    def field_for(self, text: str) -> Input | None:
        """Figures are minutes, instead of those that were offered, until the name was begun; a name that
        begins with a figure has them."""
        is_of_name = self._protected and (self._site[0].isdecimal() or self.typed("context"))
        if is_of_name or not text.isdecimal():
            return super().field_for(text) if self._protected else None
        minutes = self.query_one("#minutes", Input)
        if self._is_as_offered:
            minutes.value, self._is_as_offered = "", False
        return minutes

    @on(Input.Changed, "#minutes")
    def minutes_typed(self, event: Input.Changed) -> None:
        self._is_as_offered = self._is_as_offered and event.value == self._minutes

    def said_yes(self) -> None:
        text = self.typed("minutes")
        if not text.isdecimal() or not 1 <= int(text) <= self.LONGEST_MINUTES:
            self.problem(f"1 to {self.LONGEST_MINUTES} minutes")
            return
        self.answer(int(text))


class QuitDialog(Dialog):
    """Whether to leave while something is being done; answers True or None."""

    def __init__(self, running: Sequence[str]) -> None:
        super().__init__()
        self._works = tuple(running)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(visible(f"Still being done: {', '.join(self._works)}", 300), style="bold"))
            yield Label(Text("Leaving interrupts it; what was interrupted is told by maestro change list."))
            with Horizontal():
                yield Button("Cancel", id="cancel", variant="primary")
                yield Button("Leave", id="go", variant="error")

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed, "#go")
    def agreed(self) -> None:
        self.answer(True)
