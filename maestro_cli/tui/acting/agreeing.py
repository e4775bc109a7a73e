"""Whether exactly this plan is carried out.

Invariant: what the gate says of it stands first, then the plan to its end; what can hurt, and a way that is
known to be bad, is agreed to by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Label, Static

from maestro_cli.changes.model import Gate
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.advice import decision_here
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.acting.naming import Name, NamedDialog, protected_name, words_of
from maestro_cli.tui.text import Spans, shown
from maestro_cli.tui.widgets.report_view import ReportView

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change, GateDecision, Plan


class AgreeDialog(NamedDialog):
    """Answers Agreed or None."""

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
        self.sites = (target.context,)
        self._is_forbidden = Planned(target, plan, rehearsed).is_forbidden
        self._names = () if self._is_forbidden else tuple(self._wanted())

    def compose(self) -> ComposeResult:
        from maestro_cli.output.renderers.changes import proposal_view

        decision = self._rehearsed.decision
        assert decision is not None  # a rehearsal always has one
        with Vertical():
            yield Label(Text(visible(f"{self._action.title}: {self._plan.summary}"), style="bold"))
            yield ReportView(classes="read")
            yield from self.fields()
            yield Static("", classes="problem", markup=False)
            with Horizontal():
                yield Button("Close" if self._is_forbidden else "Cancel", id="cancel", variant="primary")
                if not self._is_forbidden:
                    yield Button("Do it" if self.needs_typing else "Go on", id="go", variant="error")
        first = [*news_lines(self._news), *gate_lines(decision_here(decision))]
        self.show_whole(proposal_view(self._plan), first)

    def names(self) -> tuple[Name, ...]:
        return self._names

    @property
    def needs_typing(self) -> bool:
        """What can hurt; and a way that the evidence speaks against."""
        return self._action.danger.needs_typing or bool(self._plan.cautions)

    def _wanted(self) -> Iterator[Name]:
        if self.needs_typing:
            name = self._target.name if self._action.danger.needs_typing else str(self._plan.target.ref)
            yield Name("target", f"type {name} to go on", name)
        yield from protected_name(self._protected)
        if risks := tuple(risk.code for risk in self._plan.risks):
            yield Name("accepts", f"accept the risk by typing its name: {', '.join(risks)}", words=risks)

    def said_yes(self) -> None:
        self.answer(Agreed(self.typed("context"), words_of(self.typed("accepts"))))


def news_lines(news: str) -> Iterator[Spans]:
    """Why a plan is shown anew, where it is."""
    if news:
        yield ((shown(f"planned anew: {news}"), "warn"),)


def gate_lines(decision: GateDecision) -> Iterator[Spans]:
    """What the gate says, each reason with why and what mends it, and what it warns of."""
    tone = "good" if decision.outcome is Gate.ALLOWED else "bad"
    yield ((f"gate {decision.outcome.value}", tone),)
    for reason in decision.reasons:
        yield ((shown(f"{reason.what}{f' ({reason.why})' if reason.why else ''}"), tone),)
        if reason.fix:
            yield ((shown(f"instead: {reason.fix}"), "key"),)
    for warning in decision.warnings:
        yield ((shown(f"warning: {warning}"), "warn"),)
