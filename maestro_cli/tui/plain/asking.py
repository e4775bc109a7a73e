"""The dialogs of the console as questions on lines.

Invariant: no is the default; what hurts is agreed to by typing its target, and what is agreed to was said
before: the plan, its blast radius and what the gate says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.acting.advice import decision_here
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, Answers, Ask, Target, fault_of
from maestro_cli.tui.plain.talk import Talk

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change, Plan
    from maestro_cli.output.views import View
    from maestro_cli.runbooks.model import Answer, Question


class LineAsker:
    """Satisfies `dispatcher.Asker`."""

    def __init__(self, talk: Talk, protected: Callable[[str], bool]) -> None:
        self._talk, self._protected = talk, protected

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        self._talk.say(f"{action.title}: {', '.join(target.name for target in targets)}")
        answers: dict[str, str] = {}
        for ask in action.asks:
            said = self._word(ask, ask.default(targets[0]))
            if said is None:
                return None
            answers[ask.name] = said
        return answers

    def _word(self, ask: Ask, default: str) -> str | None:
        """One word, asked again until it will do; an empty line is the default. None without an answer."""
        named = ask.choices or tuple(ask.offered)
        choices = f", one of {', '.join(named)}" if named else ""
        usual = f", empty for {default}" if default else ""
        while True:
            line = self._talk.ask(f"{ask.label}{choices}{usual}:")
            if line is None:
                return None
            said = line or default
            fault = fault_of(ask, said)
            if not fault:
                return said
            if not line:
                self._talk.say(f"{fault}; nothing was done")
                return None
            self._talk.say(f"{fault}; an empty line leaves it")

    def agree(
        self, action: Action, target: Target, plan: Plan, rehearsed: Change, news: str
    ) -> Agreed | None:
        from maestro_cli.output.renderers.changes import plan_view

        decision = rehearsed.decision
        assert decision is not None  # a rehearsal always has one
        self._say_news(news)
        self._talk.say(f"{action.title}: {plan.summary}")
        self._talk.show(plan_view(plan, decision_here(decision)))
        if Planned(target, plan, rehearsed).is_forbidden:
            return None
        if action.danger.needs_typing or plan.cautions:
            name = target.name if action.danger.needs_typing else str(plan.target.ref)
            if not self._typed(name, f"type {name} to go on, empty for no:"):
                return None
        elif not self.confirm("go on?"):
            return None
        typed = self._context(target.context)
        if typed is None:
            return None
        accepts = [risk.code for risk in plan.risks]
        if not all(self._typed(code, f"accept the risk by typing {code}, empty for no:") for code in accepts):
            return None
        return Agreed(typed, frozenset(accepts))

    def _say_news(self, news: str) -> None:
        if news:
            self._talk.say(f"planned anew: {news}")

    def agree_all(self, action: Action, planned: Sequence[Planned], news: str) -> Mapping[str, Agreed] | None:
        self._say_news(news)
        self._talk.say(f"{action.title}: all {len(planned)} of these")
        for one in planned:
            self._talk.say(f"{one.target.name}: {'; '.join((one.plan.summary, *_said_of(one)))}")
        count = str(len(planned))
        if action.danger.needs_typing or any(one.plan.cautions for one in planned):
            if not self._typed(count, f"type how many they are to go on ({count}), empty for no:"):
                return None
        elif not self.confirm("go on?"):
            return None
        agreed: dict[str, Agreed] = {}
        for context in sorted({one.target.context for one in planned}):
            typed = self._context(context)
            if typed is None:
                return None
            agreed[context] = Agreed(typed)
        return agreed

    def see(self, target: Target, title: str, view: View, word: str, name: str) -> Agreed | None:
        self._talk.say(title)
        self._talk.show(view)
        if not word:
            return None
        wanted = f"{word}: type {name} to go on, empty for no:"
        if not (self._typed(name, wanted) if name else self.confirm(f"{word}?")):
            return None
        typed = self._context(target.context)
        return None if typed is None else Agreed(typed)

    def confirm(self, question: str) -> bool:
        """True for y or yes alone."""
        return (self._talk.ask(f"{question} [y/N]") or "").lower() in ("y", "yes")

    def _typed(self, wanted: str, question: str) -> bool:
        said = self._talk.ask(question) or ""
        if said and said != wanted:
            self._talk.say(f"that is not {wanted}; nothing was done")
        return said == wanted

    def _context(self, context: str) -> str | None:
        """What is typed of a protected context, "" where none is asked; None for no."""
        if not self._protected(context):
            return ""
        is_typed = self._typed(context, f"{context} is protected; type its name, empty for no:")
        return context if is_typed else None


def _said_of(one: Planned) -> Iterator[str]:
    """What the gate says of one of many and why, what it warns of, and what cannot be helped."""
    if (decision := one.rehearsed.decision) is not None:
        reasons = ", ".join(reason.what for reason in decision.reasons)
        yield f"gate: {decision.outcome.value}{': ' if reasons else ''}{reasons}"
        yield from (f"warning: {warning}" for warning in decision.warnings)
    if not one.plan.undo:
        yield "it cannot be taken back"
    if risks := ", ".join(risk.code for risk in one.plan.risks):
        yield f"risk {risks}: do it alone to accept it"


class LinePerson:
    """Satisfies `services.person.Person` for the work that an action begins."""

    def __init__(self, talk: Talk, asker: LineAsker) -> None:
        self._talk, self._asker = talk, asker

    def show(self, view: View) -> None:
        self._talk.show(view)

    def confirm(self, question: str) -> bool:
        return self._asker.confirm(question)

    def ask_text(self, question: str) -> str:
        return self._talk.ask(f"{question}:") or ""

    def ask_question(self, question: Question, is_cancelled: Callable[[], bool]) -> Answer | None:
        """An empty line leaves the run waiting."""
        from maestro_cli.runbooks.questions import read_answer

        self._talk.say(f"{question.title} ({question.path})\n{question.text}")
        while not is_cancelled():
            said = self._talk.ask(f"answer: {question.form}; empty leaves the run waiting:")
            if not said:
                return None
            try:
                return read_answer(question, said)
            except UsageError as error:
                self._talk.say(f"{error.what}; {error.fix}" if error.fix else error.what)
        return None
