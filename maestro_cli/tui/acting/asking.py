"""Dialogs as answers: the thread of an action waits while a person decides.

Invariant: a question that can no longer be shown is answered with no. One is asked at a time, and never over
what somebody types or decides.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual.screen import ModalScreen

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.tui.acting.bulk import AgreeAllDialog
from maestro_cli.tui.acting.dialogs import AgreeDialog, WordsDialog
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, Answers, Target
from maestro_cli.tui.acting.question_dialogs import SeeDialog

if TYPE_CHECKING:
    from textual.app import App

    from maestro_cli.changes.model import Change, Plan
    from maestro_cli.output.views import View

LOOK_SECONDS = 0.2  # how soon a thread that waits for an answer notices that the console ends


class DialogAsker:
    """Satisfies `dispatcher.Asker` on a running app."""

    def __init__(
        self,
        app: App[Any],
        ending: Cancellation,
        protected: Callable[[str], bool],
        is_free: Callable[[], bool],
    ) -> None:
        self._app, self._ending, self._protected, self._is_free = app, ending, protected, is_free
        self._turn = threading.Lock()

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        return cast(Answers | None, self.ask(lambda: WordsDialog(action, targets)))

    def agree(
        self, action: Action, target: Target, plan: Plan, rehearsed: Change, news: str
    ) -> Agreed | None:
        protected = target.context if self._protected(target.context) else ""
        asked = self.ask(lambda: AgreeDialog(action, target, plan, rehearsed, protected, news))
        return cast(Agreed | None, asked)

    def see(self, target: Target, title: str, view: View, word: str) -> Agreed | None:
        protected = target.context if self._protected(target.context) else ""
        return cast(Agreed | None, self.ask(lambda: SeeDialog(title, view, word, protected)))

    def agree_all(self, action: Action, planned: Sequence[Planned], news: str) -> Mapping[str, Agreed] | None:
        contexts = sorted({one.target.context for one in planned})
        protected = [name for name in contexts if self._protected(name)]
        asked = self.ask(lambda: AgreeAllDialog(action, planned, protected, news))
        return cast(Mapping[str, Agreed] | None, asked)

    def ask(self, make: Callable[[], ModalScreen[Any]]) -> object | None:
        """Show a dialog and wait for what it is dismissed with; one at a time."""
        while not self._turn.acquire(timeout=LOOK_SECONDS):
            if self._ending.is_set:
                return None
        try:
            return self._asked(make)
        finally:
            self._turn.release()

    def _asked(self, make: Callable[[], ModalScreen[Any]]) -> object | None:
        """It waits while something is typed or another dialog is open."""
        answers: queue.SimpleQueue[object | None] = queue.SimpleQueue()

        def show() -> None:
            if self._is_free():
                self._app.push_screen(make(), answers.put)
            else:
                self._app.set_timer(LOOK_SECONDS, show)

        self._app.call_later(show)
        while not self._ending.is_set:
            try:
                return answers.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
        return None
