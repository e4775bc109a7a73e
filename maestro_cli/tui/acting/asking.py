"""Dialogs as answers: the thread of an action waits while a person decides.

Invariant: a question that can no longer be shown is answered with no. One is asked at a time, never over what
somebody types or decides, and never over another place than the one it came from, unless the person calls it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from textual.screen import ModalScreen
from textual.timer import Timer

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.tui.acting.agreeing import AgreeDialog
from maestro_cli.tui.acting.bulk import AgreeAllDialog
from maestro_cli.tui.acting.dialogs import WordsDialog
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, Answers, Target
from maestro_cli.tui.acting.question_dialogs import SeeDialog
from maestro_cli.tui.messages import Led

if TYPE_CHECKING:
    from textual.app import App

    from maestro_cli.changes.model import Change, Plan
    from maestro_cli.output.views import View
    from maestro_cli.tui.screens.model import Place

LOOK_SECONDS = 0.2  # how soon a thread that waits for an answer notices that the console ends


class DialogAsker:
    """Satisfies `dispatcher.Asker` on a running app."""

    def __init__(
        self,
        app: App[Any],
        ending: Cancellation,
        protected: Callable[[str], bool],
        is_free: Callable[[], bool],
        here: Callable[[], object],
        tell: Callable[[Sequence[str]], None],
    ) -> None:
        """`tell` is given what waits, whenever it is looked at."""
        self._app, self._ending, self._protected, self._is_free = app, ending, protected, is_free
        self._here, self._tell = here, tell
        self._origin = threading.local()
        self._waits: list[_Waiting] = []
        self._timer: Timer | None = None

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        return cast(Answers | None, self.ask(about_of(action, targets), lambda: WordsDialog(action, targets)))

    def agree(
        self, action: Action, target: Target, plan: Plan, rehearsed: Change, news: str
    ) -> Agreed | None:
        protected = target.context if self._protected(target.context) else ""
        asked = self.ask(
            about_of(action, (target,)), lambda: AgreeDialog(action, target, plan, rehearsed, protected, news)
        )
        return cast(Agreed | None, asked)

    def see(self, target: Target, title: str, view: View, word: str, name: str) -> Agreed | None:
        protected = target.context if self._protected(target.context) else ""
        site = target.context
        asked = self.ask(title, lambda: SeeDialog(title, view, word, protected, name, site))
        return cast(Agreed | None, asked)

    def agree_all(self, action: Action, planned: Sequence[Planned], news: str) -> Mapping[str, Agreed] | None:
        contexts = sorted({one.target.context for one in planned})
        protected = [name for name in contexts if self._protected(name)]
        targets = [one.target for one in planned]
        asked = self.ask(about_of(action, targets), lambda: AgreeAllDialog(action, planned, protected, news))
        return cast(Mapping[str, Agreed] | None, asked)

    @contextmanager
    def asked_at(self, place: Place, asked: Callable[[], Awaitable[None]]) -> Iterator[list[Place]]:
        """What this thread asks within the block came from that place, and from each where it leads.

        `asked` is called, on the loop, once a question of it can be answered, or waits for its turn.
        """
        places = [place]
        self._origin.places, self._origin.asked = places, asked
        try:
            yield places
        finally:
            self._origin.places, self._origin.asked = [], None

    def lead(self, place: Place) -> None:
        """Show what this thread works on to whoever looks at where it was asked for; what it asks belongs
        there as well."""
        places: list[Place] = getattr(self._origin, "places", [])
        if places:
            places.append(place)
            self._app.post_message(Led(place, places[0]))

    def ask(self, about: str, make: Callable[[], ModalScreen[Any]]) -> object | None:
        """Show a dialog and wait for what it is dismissed with; `about` names it until it is shown."""
        origin = self._origin
        waits = _Waiting(about, make, tuple(getattr(origin, "places", ())), getattr(origin, "asked", None))
        self._app.call_later(self._queue, waits)
        while not self._ending.is_set:
            try:
                return waits.answers.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
        return None

    # On the loop of the app

    def _queue(self, waits: _Waiting) -> None:
        waits.places = waits.places or (self._here(),)
        self._waits.append(waits)
        self._offer()
        if waits in self._waits and waits.asked is not None:
            self._app.call_later(waits.asked)

    def call_first(self) -> bool:
        """Show what has waited longest as soon as nothing is typed; False where nothing waits."""
        for waits in self._waits[:1]:
            waits.is_called = True
        self._offer()
        return bool(self._waits)

    def _offer(self) -> None:
        """Show one, if its place is on the screen and nothing is typed or decided; tell of the others."""
        if self._waits and self._is_free():
            here = self._here()
            found = next((one for one in self._waits if one.is_called or here in one.places), None)
            if found is not None:
                self._waits.remove(found)
                dialog = found.make()
                self._app.push_screen(dialog, found.answers.put)
                if found.asked is not None:
                    dialog.call_after_refresh(found.asked)
        self._tell([one.about for one in self._waits])
        if self._waits and self._timer is None:
            self._timer = self._app.set_timer(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        self._offer()


@dataclass
class _Waiting:
    """A question that is not shown yet, and the places from which it came."""

    about: str
    make: Callable[[], ModalScreen[Any]]
    places: tuple[object, ...]
    asked: Callable[[], Awaitable[None]] | None = None
    is_called: bool = False
    answers: queue.SimpleQueue[object | None] = field(default_factory=queue.SimpleQueue)


def about_of(action: Action, targets: Sequence[Target]) -> str:
    """`Scale ml/deploy/fraud`."""
    name = targets[0].name if len(targets) == 1 else f"{len(targets)} of them"
    return f"{action.title} {name}"
