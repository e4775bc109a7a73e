"""What a run asks people, and what they see before they say yes.

Invariant: Escape answers nothing, what is asked about is on the screen whole, and a question that comes while
somebody does something else takes no answer from what is typed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Static

from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.dispatcher import Agreed
from maestro_cli.tui.acting.naming import Name, NamedDialog, protected_name
from maestro_cli.tui.widgets.report_view import ReportView
from maestro_cli.tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from maestro_cli.output.views import View
    from maestro_cli.runbooks.model import Question


class SeeDialog(NamedDialog):
    """Whether to go on with what is shown; answers Agreed or None."""

    DEFAULT_CSS = "SeeDialog > Vertical { max-width: 150; }"
    SHARE = 50

    def __init__(
        self, title: str, view: View, word: str, protected: str = "", name: str = "", site: str = ""
    ) -> None:
        """`name` is typed for a yes, "" for nothing; without a `word` it is only shown."""
        super().__init__()
        self.sites = (site,) if site else ()
        self._title, self._view, self._word = title, view, word
        wanted = (Name("target", f"type {name} to go on", name),) if name else ()
        self._names = (*wanted, *protected_name(protected)) if word else ()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(visible(self._title), style="bold"))
            yield ReportView(classes="read")
            yield from self.fields()
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel" if self._word else "Close", id="cancel", variant="primary")
                if self._word:
                    yield Button(self._word, id="go", variant="error")
        self.show_whole(self._view)

    def names(self) -> tuple[Name, ...]:
        return self._names

    def said_yes(self) -> None:
        self.answer(Agreed(self.typed("context")))


class QuestionDialog(Dialog):
    """A question of a step; answers what the step takes, or None for no answer: then the run waits."""

    def __init__(self, question: Question, context: str) -> None:
        super().__init__()
        self._question, self._site = question, context
        self.sites = (context,)

    def compose(self) -> ComposeResult:
        from maestro_cli.output.views import Lines, Report

        question = self._question
        with Vertical():
            about = f"{self._site}, run {question.run_id}: {question.title} ({question.path})"
            yield Label(Text(visible(about), style="bold"))
            yield ReportView(classes="read")
            yield Label(Text(visible(f"answer: {question.form}; Escape leaves the run waiting")))
            yield TypedLine(id="answer")
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Leave it waiting", id="cancel", variant="primary")
                yield Button("Answer", id="go")
        self.show_whole(Report("question/v1", {}, (Lines(question.text),)))

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def answered(self) -> None:
        from maestro_cli.runbooks.questions import read_answer

        try:
            self.answer(read_answer(self._question, self.query_one("#answer", Input).value))
        except UsageError as error:
            self.problem(f"{error.what}; {error.fix}" if error.fix else error.what)
            self.query_one("#answer", Input).focus()


class LineDialog(Dialog):
    """One line of text; answers it, or None."""

    def __init__(self, question: str, site: str = "") -> None:
        super().__init__()
        self._asked, self.sites = question, (site,) if site else ()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(visible(self._asked), style="bold"))
            yield TypedLine(id="line")
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel")
                yield Button("Go on", id="go", variant="primary")

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def answered(self) -> None:
        self.answer(self.query_one("#line", Input).value.strip())
