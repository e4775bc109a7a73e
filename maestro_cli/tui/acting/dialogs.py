"""The dialogs of the console. Invariant: Cancel has the focus, Escape is no, and what is agreed to is on the
screen: the target, the plan, its blast radius and what the gate says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from maestro_cli.changes.model import Gate
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.advice import decision_here
from maestro_cli.tui.acting.choosing import Chooser
from maestro_cli.tui.acting.dispatcher import Agreed
from maestro_cli.tui.acting.model import Action, Answers, Target, fault_of
from maestro_cli.tui.widgets.report_view import ReportView
from maestro_cli.tui.widgets.text_view import TextView
from maestro_cli.tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change, Plan


class Dialog(ModalScreen[object]):
    """Base of all: Escape is no, and a line says what is wrong with an answer."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical { width: 90%; max-width: 110; height: auto; max-height: 90%; border: round $border;
        background: $surface; padding: 0 1; overflow-y: auto; }
    Dialog ReportView { height: auto; max-height: 40vh; }
    Dialog Horizontal { height: auto; }
    Dialog .problem { color: $text-error; height: auto; }
    Dialog .news { color: $text-warning; height: auto; }
    Dialog .gate { height: auto; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "cancel", "Cancel"),
        ("pagedown", "turn(1)", "Read on"),
        ("pageup", "turn(-1)", "Read back"),
    ]

    def action_turn(self, pages: int) -> None:
        """Turn what is shown, whatever has the focus: what is agreed to can be read to its end."""
        for view in self.query(TextView):
            view.scroll_relative(y=pages * max(view.size.height - 1, 1), animate=False)

    def action_cancel(self) -> None:
        self.answer(None)

    def answer(self, answer: object) -> None:
        """Once, and only while it is on top: dismissing another time would take away the dialog above it."""
        if self.app.screen is self:
            self.dismiss(answer)

    def problem(self, text: str) -> None:
        self.query_one(".problem", Static).update(Text(visible(text, 2000)))

    @on(Button.Pressed, "#cancel")
    def cancelled(self) -> None:
        self.answer(None)


def news_label(news: str) -> Iterator[Label]:
    """Why a plan is shown anew, where it is."""
    if news:
        yield Label(Text(visible(f"planned anew: {news}", 400)), classes="news")


def gate_labels(rehearsed: Change) -> Iterator[Label]:
    """What the gate says, before anything that may be longer than the screen."""
    decision = rehearsed.decision
    if decision is None:
        return
    reasons = "; ".join(reason.what for reason in decision.reasons)
    words = f"gate {decision.outcome.value}{': ' if reasons else ''}{reasons}"
    yield Label(
        Text(visible(words, 600)), classes="gate" if decision.outcome is Gate.ALLOWED else "gate news"
    )
    for warning in decision.warnings:
        yield Label(Text(visible(f"warning: {warning}", 300)), classes="news")


class AgreeDialog(Dialog):
    """Whether to carry out exactly this plan; answers Agreed or None."""

    def __init__(
        self,
        action: Action,
        target: Target,
        plan: Plan,
        rehearsed: Change,
        protected: str,
        news: str = "",
    ) -> None:
        super().__init__()
        self._action, self._target, self._plan, self._rehearsed = action, target, plan, rehearsed
        self._protected, self._news = protected, news

    def compose(self) -> ComposeResult:
        from maestro_cli.output.renderers.changes import plan_view

        with Vertical():
            yield Label(Text(visible(f"{self._action.title}: {self._plan.summary}"), style="bold"))
            yield from news_label(self._news)
            yield from gate_labels(self._rehearsed)
            view = ReportView()
            yield view
            for field, text in self._typing():
                yield Label(Text(visible(text)))
                yield TypedLine(id=field)
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", variant="primary")
                if not self._is_hopeless():
                    yield Button(self._word(), id="go", variant="error")
        decision = self._rehearsed.decision
        assert decision is not None  # a rehearsal always has one
        self.call_after_refresh(view.show, plan_view(self._plan, decision_here(decision)))

    def _typing(self) -> list[tuple[str, str]]:
        wanted = []
        if self._action.danger.needs_typing:
            wanted.append(("target", f"type {self._target.name} to go on"))
        if self._protected:
            wanted.append(("context", f"{self._protected} is protected; type its name"))
        if risks := [risk.code for risk in self._plan.risks]:
            wanted.append(("accepts", f"accept the risk by typing its name: {', '.join(risks)}"))
        return wanted

    def _is_hopeless(self) -> bool:
        """Whether the gate would refuse it whatever is typed: a risk that may be accepted is none of that."""
        decision = self._rehearsed.decision
        return decision is not None and decision.outcome is Gate.REFUSED and not self._plan.risks

    def _word(self) -> str:
        return "Do it" if self._action.danger.needs_typing else "Go on"

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def agreed(self) -> None:
        typed = {one.id: one.value.strip() for one in self.query(Input)}
        if "target" in typed and typed["target"] != self._target.name:
            self.problem(f"that is not {self._target.name}; nothing was done")
            return
        if "context" in typed and typed["context"] != self._protected:
            self.problem(f"that is not {self._protected}; nothing was done")
            return
        accepts = frozenset(typed.get("accepts", "").replace(",", " ").split())
        self.answer(Agreed(typed.get("context", ""), accepts))


class WordsDialog(Dialog):
    """The words that an action needs; answers a mapping or None."""

    def __init__(self, action: Action, targets: Sequence[Target]) -> None:
        super().__init__()
        self._action, self._targets = action, targets

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


class ArmDialog(Dialog):
    """For how many minutes changes are allowed in a context; answers the minutes or None."""

    LONGEST_MINUTES = 60

    def __init__(self, context: str, minutes: str = "10", *, protected: bool) -> None:
        super().__init__()
        self._name, self._minutes, self._protected = context, minutes, protected

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(Text(visible(f"Allow changes in {self._name} for how many minutes?"), style="bold"))
            yield TypedLine(value=self._minutes, type="integer", id="minutes")
            if self._protected:
                yield Label(Text(visible(f"{self._name} is protected; type its name")))
                yield TypedLine(id="context")
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", variant="primary")
                yield Button("Arm", id="go", variant="error")

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def armed(self) -> None:
        text = self.query_one("#minutes", Input).value
        if not text.isdecimal() or not 1 <= int(text) <= self.LONGEST_MINUTES:
            self.problem(f"1 to {self.LONGEST_MINUTES} minutes")
            return
        if self._protected and self.query_one("#context", Input).value.strip() != self._name:
            self.problem(f"that is not {self._name}")
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
