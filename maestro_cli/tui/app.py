"""The full screen.

Invariant: it takes the newest snapshot when there is news, at most some times a second, and gives it to what
is visible; actions go to the dispatcher, in a thread of their own. Nothing here waits for a backend.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer

from maestro_cli.tui.acting.asking import DialogAsker
from maestro_cli.tui.acting.dialogs import ArmDialog
from maestro_cli.tui.acting.dispatcher import Dispatcher
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.console import Console
from maestro_cli.tui.messages import ActionEnded, ActionRefused, NewsArrived, Remarked
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.services import burn_cells, oldest_seconds
from maestro_cli.tui.screens.table import FIRST, every_screen, strip_feed
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.burn_strip import BurnStrip
from maestro_cli.tui.widgets.header import Header
from maestro_cli.tui.widgets.status_line import StatusLine

DRAW_SECONDS = 0.1  # between two drawings of news; a key is drawn at once
AGE_SECONDS = 5.0  # how often ages are drawn again while nothing is new


class ConsoleApp(App[None]):
    """maestro's console over one Console, which is `behind` it."""

    CSS_PATH: ClassVar[Any] = "styles/console.tcss"
    TITLE = "maestro"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="console.back", tooltip="Where you came from."),
        Binding(
            "W", "arm", "Arm", id="console.arm", tooltip="Allow changes in this context for some minutes."
        ),
        Binding(
            "ctrl+r", "hurry", "Read now", id="console.hurry", tooltip="Read everything on screen again."
        ),
    ]

    def __init__(self, console: Console, first: Place | None = None) -> None:
        super().__init__()
        self.behind = console
        self._first = first or Place(FIRST)
        self._trail: list[Place] = []
        self._view: View | None = None
        self._header, self._strip, self._status = Header(), BurnStrip(), StatusLine()
        self._body = Vertical(id="body")
        self._is_due = True
        self._read_scope = console.store.snapshot.scope
        asker = DialogAsker(self, console.ending, self.is_protected)
        self.dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)

    def now(self) -> datetime:
        return self.behind.clock.now()

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._strip
        yield self._body
        yield self._status
        yield Footer()

    def on_mount(self) -> None:
        self.behind.store.listen(self._tell_news)
        self.set_interval(AGE_SECONDS, self.draw)
        self.go(self._first)

    def _tell_news(self) -> None:
        self.post_message(NewsArrived())

    def on_unmount(self) -> None:
        self.behind.close()

    # Places

    @property
    def view(self) -> View | None:
        """What fills the body."""
        return self._view

    @property
    def trail(self) -> tuple[Place, ...]:
        return tuple(self._trail)

    @on(View.Opened)
    def opened(self, event: View.Opened) -> None:
        self.go(event.place)

    def go(self, place: Place) -> None:
        """Show a place; Escape leads back."""
        self._trail.append(place)
        self._swap()

    def action_leave(self) -> None:
        """To the place before; at the first one, nowhere."""
        if len(self._trail) > 1:
            self._trail.pop()
            self._swap()

    def _swap(self) -> None:
        """Put the view of the newest place in the body, and read what it renders and nothing else."""
        place = self._trail[-1]
        self._view = view = every_screen()[place.screen].view(place)
        self._body.remove_children()
        self._body.mount(view)
        self._read_for(view)
        self.call_after_refresh(self._begin, view)

    def _begin(self, view: View) -> None:
        """Draw what is known already, and give the keys to what takes them."""
        self.draw()
        for widget in view.query("*"):
            if widget.focusable and len(self.screen_stack) == 1:
                widget.focus()
                return

    def _read_for(self, view: View) -> None:
        """Read what is on the screen, and nothing else."""
        scope = self.behind.store.snapshot.scope
        strip = {strip_feed().of(context) for context in scope.contexts}
        self.behind.feeds.want(view.keys(scope) | strip)
        self._read_scope = scope

    # Drawing

    @on(NewsArrived)
    def news(self) -> None:
        """Draw soon: what comes until then is drawn with it."""
        if self._is_due:
            self._is_due = False
            self.set_timer(DRAW_SECONDS, self._draw_news)

    def _draw_news(self) -> None:
        self._is_due = True
        self.draw()

    def draw(self) -> None:
        if not self.is_running:
            return
        snapshot, now = self.behind.store.take(), self.now()
        self._header.show(snapshot, now)
        view = self.view
        facts = [snapshot.fact(strip_feed().of(context)) for context in snapshot.scope.contexts]
        self._strip.show(burn_cells(facts), age_seconds=oldest_seconds(facts, now))
        if view is not None and view.is_mounted:
            if snapshot.scope != self._read_scope:
                self._read_for(view)
            view.show(snapshot, now)
        self._disarm_when_over(now)

    @on(View.CountChanged)
    def counted(self, event: View.CountChanged) -> None:
        self._status.count(event.shown, event.total)

    def remark(self, text: str) -> None:
        """Show a remark; from any thread."""
        self.post_message(Remarked(text))

    @on(Remarked)
    def remarked(self, event: Remarked) -> None:
        self._status.tell(event.text)

    # Doing

    def is_protected(self, context: str) -> bool:
        return self.behind.acting(context).policy.protected

    def action_arm(self) -> None:
        """Ask for how long; arming an armed context disarms it."""
        store, context = self.behind.store, self.behind.store.snapshot.scope.context
        if store.snapshot.is_armed(context, self.now()):
            store.dispatch(ContextDisarmed(context))
            return

        def armed(minutes: object) -> None:
            if isinstance(minutes, int):
                store.dispatch(ContextArmed(context, self.now() + timedelta(minutes=minutes)))

        self.push_screen(ArmDialog(context, protected=self.is_protected(context)), armed)

    def _disarm_when_over(self, now: datetime) -> None:
        store = self.behind.store
        over = [name for name, until in store.snapshot.armed.items() if until <= now]
        store.dispatch(*map(ContextDisarmed, over))

    def action_hurry(self) -> None:
        self.behind.feeds.hurry()

    @on(View.Asked)
    def asked(self, event: View.Asked) -> None:
        self.act(event.action, event.targets)

    @on(View.MenuAsked)
    def menu_asked(self, event: View.MenuAsked) -> None:
        """Let one be chosen of what the screen can do, on what was chosen when it was asked for."""
        view, targets = self.view, event.targets
        if view is None:
            return
        actions = {action.id: action for action in view.spec.actions}
        offers = [(one, self.dispatcher.refusal(one, targets)) for one in actions.values()]

        def chosen(action_id: object) -> None:
            if isinstance(action_id, str):
                self.act(actions[action_id], targets)

        self.push_screen(ActionMenu(targets, offers), chosen)

    def act(self, action: Action, targets: Sequence[Target]) -> None:
        """Begin an action on what was chosen when it was asked for, or say why not."""
        refusal = self.dispatcher.refusal(action, targets)
        if refusal is not None:
            self.post_message(ActionRefused(action.id, refusal.why, refusal.fix))
        elif action.opens is not None:
            for target in targets[:1]:
                self.go(action.opens(target))
        else:
            work = threading.Thread(target=self._work, args=(action, targets), daemon=True, name=action.id)
            work.start()

    def _work(self, action: Action, targets: Sequence[Target]) -> None:
        from maestro_cli.tui.acting.progress import SpokenProgress

        progress = SpokenProgress(self.remark)
        for target, ending in self.dispatcher.perform(action, targets, progress, self.behind.ending):
            self.post_message(ActionEnded(action, target, ending.outcome, is_done=ending.is_done))

    @on(ActionRefused)
    def refused(self, event: ActionRefused) -> None:
        self._status.tell(f"{event.why}; {event.fix}" if event.fix else event.why)

    @on(ActionEnded)
    def ended(self, event: ActionEnded) -> None:
        self._status.tell(f"{event.action.title} {event.target.name}: {event.outcome}")
        self.behind.feeds.hurry()
