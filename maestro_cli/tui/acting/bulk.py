"""One dialog for several targets. Invariant: each is named with what would be done to it and what the gate
says; Cancel has the focus; where the action can hurt, how many there are is typed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Static

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.dialogs import Dialog, news_label
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action
from maestro_cli.tui.text import Spans, shown
from maestro_cli.tui.widgets.text_view import TextView
from maestro_cli.tui.widgets.typed_line import TypedLine


class AgreeAllDialog(Dialog):
    """Whether to carry out exactly these plans; answers Agreed by context, or None.

    A risk has to be accepted by its name for one target alone: of several, those are refused by the gate.
    """

    DEFAULT_CSS = "AgreeAllDialog TextView { height: auto; max-height: 14; }"

    def __init__(
        self, action: Action, planned: Sequence[Planned], protected: Sequence[str], news: str = ""
    ) -> None:
        super().__init__()
        self._action, self._planned, self._protected = action, tuple(planned), tuple(protected)
        self._news = news

    def compose(self) -> ComposeResult:
        count = len(self._planned)
        with Vertical():
            yield Label(Text(visible(f"{self._action.title}: all {count} of these"), style="bold"))
            yield from news_label(self._news)
            yield TextView(wrap=True)
            if self._action.danger.needs_typing:
                yield Label(Text(f"type how many they are to go on: {count}"))
                yield TypedLine(id="count")
            for index, name in enumerate(self._protected):
                yield Label(Text(visible(f"{name} is protected; type its name")))
                yield TypedLine(id=f"context-{index}")
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", variant="primary")
                yield Button("Do it", id="go", variant="error")

    def on_mount(self) -> None:
        self.query_one(TextView).show_lines([planned_line(one) for one in self._planned])
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def agreed(self) -> None:
        typed = {one.id: one.value.strip() for one in self.query(Input)}
        if "count" in typed and typed["count"] != str(len(self._planned)):
            self.problem(
                f"they are {len(self._planned)}, not {typed['count'] or 'nothing'}; nothing was done"
            )
            return
        for index, name in enumerate(self._protected):
            if typed[f"context-{index}"] != name:
                self.problem(f"that is not {name}; nothing was done")
                return
        contexts = {one.target.context for one in self._planned}
        self.answer({name: Agreed(name if name in self._protected else "") for name in contexts})


def planned_line(one: Planned) -> Spans:
    """`ml/pod/fraud-1  evict it  gate: refused, why`."""
    decision = one.rehearsed.decision
    words = "" if decision is None else f"  gate: {decision.outcome.value}"
    reasons = "" if decision is None else "; ".join(reason.what for reason in decision.reasons)
    risks = ", ".join(risk.code for risk in one.plan.risks)
    undo = "" if one.plan.undo else "  it cannot be taken back"
    warned = "".join(f"  warning: {warning}" for warning in (decision.warnings if decision else ()))
    risk = f"  risk {risks}: do it alone to accept it" if risks else ""
    return (
        (f"{shown(one.target.name)}  ", "key"),
        (shown(one.plan.summary), ""),
        (
            shown(f"{words}{': ' if reasons else ''}{reasons}{undo}{warned}{risk}"),
            "warn" if risk or warned or undo else "dim",
        ),
    )
