"""One dialog for several targets. Invariant: each is named with what would be done to it and what the gate
says; Cancel has the focus; where the action can hurt, how many there are is typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Label, Static

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.agreeing import news_lines
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, sites_of
from maestro_cli.tui.acting.naming import Name, NamedDialog, protected_name
from maestro_cli.tui.text import Spans, shown
from maestro_cli.tui.widgets.text_view import TextView


class AgreeAllDialog(NamedDialog):
    """Whether to carry out exactly these plans; answers Agreed by context, or None.

    A risk has to be accepted by its name for one target alone: of several, those are refused by the gate.
    """

    def __init__(
        self, action: Action, planned: Sequence[Planned], protected: Sequence[str], news: str = ""
    ) -> None:
        super().__init__()
        self._action, self._planned, self._protected = action, tuple(planned), tuple(protected)
        self._news = news
        self.sites = sites_of([one.target for one in planned])
        self._names = tuple(self._wanted())

    def compose(self) -> ComposeResult:
        with Vertical():
            title = f"{self._action.title}: all {len(self._planned)} of these"
            yield Label(Text(visible(title), style="bold"))
            yield TextView(wrap=True, classes="read")
            yield from self.fields()
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", variant="primary")
                yield Button("Do it", id="go", variant="error")

    def on_mount(self) -> None:
        super().on_mount()
        self.show_lines([*news_lines(self._news), *map(planned_line, self._planned)])

    def names(self) -> tuple[Name, ...]:
        return self._names

    def _wanted(self) -> Iterator[Name]:
        count = str(len(self._planned))
        if self._action.danger.needs_typing or any(one.plan.cautions for one in self._planned):
            miss = f"they are {count}; nothing was done"
            yield Name("count", f"type how many they are to go on: {count}", count, miss)
        for index, name in enumerate(self._protected):
            yield from protected_name(name, f"context-{index}")

    def said_yes(self) -> None:
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
