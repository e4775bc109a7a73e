"""The frame of the console: its lines, the places one goes to, and when what is drawn.

Invariant: it takes the newest snapshot when there is news, at most some times a second, and gives it to what
is visible. Nothing here waits for a backend.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from msgspec.structs import replace
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from maestro_cli.core.errors import UsageError, defect
from maestro_cli.tui.burn_line import burn_line
from maestro_cli.tui.console import Console
from maestro_cli.tui.herald import Herald
from maestro_cli.tui.keys.bindings import APP_BINDINGS
from maestro_cli.tui.keys.ending import tells_abort
from maestro_cli.tui.keys.history import History
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.keys.remembered import Remembered, remember
from maestro_cli.tui.keys.trail import FIXING, Trail, named
from maestro_cli.tui.messages import NewsArrived
from maestro_cli.tui.screens.model import Place, sited
from maestro_cli.tui.screens.table import FIRST, announced_feed, every_screen, strip_feed
from maestro_cli.tui.stage import Stage
from maestro_cli.tui.store.events import Compared, ContextDisarmed, ScopeChanged
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.views.drawn import Drawn
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.burn_strip import BurnStrip
from maestro_cli.tui.widgets.command_log import CommandLog
from maestro_cli.tui.widgets.crumbs import Crumbs
from maestro_cli.tui.widgets.header import Header
from maestro_cli.tui.widgets.key_line import KeyLine
from maestro_cli.tui.widgets.prompt import Prompt

DRAW_SECONDS = 0.1  # between two drawings of news; a key is drawn at once
SMALLEST = (80, 24)
ASIDE_SECONDS = 2.0  # what is read beside the first view waits for that, and at most so long
AGE_SECONDS = 5.0  # how often ages are drawn again while nothing is new


class Frame(Stage):
    """A console that shows, over one Console, which is `behind` it."""

    CSS_PATH: ClassVar[Any] = "styles/console.tcss"
    TITLE = "maestro"
    BINDINGS: ClassVar[list[BindingType]] = [*APP_BINDINGS]

    def __init__(
        self, console: Console, first: Place | None, keymap: Keymap | None, kept: Remembered | None
    ) -> None:
        super().__init__(console, kept.theme if kept is not None else "")
        self._kept = kept
        self.chosen_keys = keymap or Keymap()
        self.history = History()
        self._trail = Trail(named(first or Place(FIRST), console.store.snapshot.scope.context))
        self._at, self._rested = Place(""), dict[Place, object]()  # what is chosen in the places of the trail
        self._is_due, self._has_read, self._reads_all = True, False, False
        self._news_drawn_at = -DRAW_SECONDS
        self._typing: Timer | None = None
        self._view: View | None = None
        self.herald = Herald(self._speak, self._show_news, kept.notify if kept is not None else "auto")
        self.is_beside = False  # several contexts each in a pane of their own
        self._drawn: Drawn | None = None
        self._free: Scope | None = None  # what it was about before an incident fixed it
        self._read_scope = console.store.snapshot.scope
        self.header, self.crumbs = Header(), Crumbs()
        self.strip, self.key_line = BurnStrip(), KeyLine(show_command_palette=False)
        self.body, self.prompt = Vertical(id="body"), Prompt(self.history)
        self.done, self.too_small = (
            CommandLog(console.cluster_options),
            Static("", id="too-small", markup=False),
        )
        self.set_keymap(dict(self.chosen_keys.keys))

    def get_default_screen(self) -> Screen[Any]:
        if not self.chosen_keys.keys:
            return super().get_default_screen()
        from maestro_cli.tui.keys.standing import OrderedScreen

        return OrderedScreen()

    def compose(self) -> ComposeResult:
        yield from (self.header, self.strip, self.crumbs, self.body, self.done)
        yield from (self.prompt, self.status, self.too_small, self.key_line)

    def on_mount(self) -> None:
        self.behind.store.listen(self._tell_news)
        self.set_interval(AGE_SECONDS, self.draw)
        self.set_interval(AGE_SECONDS, self.behind.leave_unused)
        if self._kept is not None and self._kept.is_log_open:
            self.done.add_class("open")
        self._swap(reads=False)  # reading takes its time: the first frame is painted before it
        self.draw()  # it says where one is
        self.set_timer(ASIDE_SECONDS, self._read_all)

    def on_resize(self, event: events.Resize) -> None:
        """Below the smallest size it says so, and nothing is shown in pieces."""
        width, height = event.size
        is_small = width < SMALLEST[0] or height < SMALLEST[1]
        words = f"the terminal is {width} × {height}; the console needs {SMALLEST[0]} × {SMALLEST[1]}"
        self.too_small.update(Text(words))
        self.screen_stack[0].set_class(is_small, "too-small")
        if not is_small:
            self.call_after_refresh(self._focus_view)

    def _tell_news(self) -> None:
        self.post_message(NewsArrived())

    def on_unmount(self) -> None:
        if self._kept is not None:
            remember(self._to_keep(self._kept))
        self.behind.stop()

    def _to_keep(self, kept: Remembered) -> Remembered:
        """The list that was shown last, not the one thing that was looked at in it."""
        scope = self._free or self.behind.store.snapshot.scope  # never what an open incident fixed
        lists = [place.screen for place in self.trail if not place.argument]
        return replace(
            kept,
            theme=self.theme,
            screen=lists[-1] if lists else kept.screen,
            namespaces={**kept.namespaces, scope.context: scope.namespace},
            is_log_open=self.done.is_open,
            notify=self.herald.wanted,
        )

    # Places

    @property
    def view(self) -> View | None:
        """What fills the body."""
        return self._view

    @property
    def trail(self) -> tuple[Place, ...]:
        return self._trail.places

    @on(View.Opened)
    def opened(self, event: View.Opened) -> None:
        self.go(event.place, instead=event.instead)

    def go(self, place: Place, *, instead: bool = False) -> None:
        """Show a place; Escape leads back, but where it is shown `instead` of the one before."""
        if place.screen not in every_screen():
            self.status.tell(f"there is no screen {place.screen}")
            return
        self._trail.go(named(place, self.behind.store.snapshot.scope.context), instead=instead)
        self._swap()

    def action_leave(self) -> None:
        """Take marks away, then the filter; from the past to now; then to the place before."""
        view = self.view
        if view is not None and view.unmark():
            return
        if self._trail.here.filter:
            self._filter("")
        elif self.behind.store.snapshot.replay_at is not None:
            self.behind.recorder.resume()
        elif self._trail.back():
            self._swap()

    def action_rewind(self, forward: bool) -> None:
        def step() -> None:
            if not self.behind.recorder.step(forward):
                self.remark("this is now" if forward else "nothing older was recorded")

        self.beside(step)

    def is_past(self) -> bool:
        """Whether the past is shown, or compared with now."""
        return self.behind.store.snapshot.replay_at is not None

    def action_compare(self) -> None:
        """What differs between then and now, or what was known then."""
        snapshot = self.behind.store.snapshot
        if snapshot.replay_at is None:
            words = "this is now: :at 14:05 shows what was known then, :diff 14:05 compares it"
            self.status.tell(words, is_true=lambda: not self.is_past())
        elif self.view is not None and not self.view.can_compare:
            words = f"{self.view.spec.title} shows the past, not what differs from it"
            self.status.tell(words, is_true=self.is_past)
        else:
            self.behind.store.dispatch(Compared(snapshot.against is None))

    def action_last(self) -> None:
        if self._trail.last():
            self._swap()
        else:
            self.status.tell("there was no place before this one")

    @on(Crumbs.Chosen)
    def crumb_chosen(self, event: Crumbs.Chosen) -> None:
        if self._trail.to(event.index):
            self._swap()

    def _swap(self, *, reads: bool = True) -> None:
        """Put the view of the newest place in the body, and read what it renders and nothing else."""
        self._forget_typed()
        if self.prompt.sign == "/":  # a filter is of the place where it was typed
            self.prompt.close()
        place = self._trail.here
        if self._free is not None and not self._is_fixing:
            self._scoped(self._free)
            self._free = None
        view = self._view_of(place)
        self._rest(view)
        self._view = view
        self.hold_for(view)  # what is typed now is meant for it
        self.status.turn()
        self.body.remove_children()
        self.body.mount(view)
        if reads:
            self._read_for(view)
        self.crumbs.show(self.trail)
        self.call_after_refresh(self._settle, view)

    def _rest(self, view: View) -> None:
        """Keep what is chosen where one leaves, while one can come back there, and choose it there again."""
        if self._view is not None:
            self._rested[self._at] = self._view.rest()
        places = [dataclasses.replace(one, filter="") for one in self.trail]
        self._rested = {one: kept for one, kept in self._rested.items() if one in places}
        self._at = places[-1]
        view.resume(self._rested.get(self._at))

    @property
    def _is_fixing(self) -> bool:
        """Whether an incident is open, here or before this place."""
        return any(one.screen == FIXING for one in self.trail)

    def _view_of(self, place: Place) -> View:
        """Of what is about no context alone a pane a context, while that was asked for."""
        screen, scope = every_screen()[place.screen], self.behind.store.snapshot.scope
        is_one = len(scope.contexts) == 1 or bool(place.context) or place.screen == FIXING
        if is_one or not self.is_beside:
            return screen.view(sited(place, screen, scope))
        from maestro_cli.tui.views.side_view import SideView

        return SideView(screen, place, scope.contexts)

    @on(View.ScopeFixed)
    def scope_fixed(self, event: View.ScopeFixed) -> None:
        """An incident is open: what is opened from it is about it; leaving it restores what was.

        One that was left before it was known fixes nothing.
        """
        if event.view is self.view:
            self._free = self._free or self.behind.store.snapshot.scope
            self._scoped(event.scope)

    async def _settle(self, view: View) -> None:
        """Draw it, and give it the keys that were held for it once all of it is there."""
        is_shown = view is self.view
        if is_shown and not self._has_read:
            self._read_for(view)
        if is_shown and view.is_attached and not view.is_mounted:
            self.call_after_refresh(self._settle, view)
            return
        if is_shown:
            self.draw()
            self._focus_view()
        await self.let_go(view)

    def _focus_view(self) -> None:
        """The keys go to what fills the body, unless something is typed; after a dialog where one is open."""
        view = self.view
        if view is None or self.prompt.is_open or not self.screen_stack:  # the last: it ends
            return
        if self.done.is_open and self.done.has_focus_within:
            return
        self.screen_stack[0].set_focus(view.home if view.is_mounted else None)  # `_settle` comes after it

    def _read_for(self, view: View) -> None:
        """Read what is on the screen, and nothing else; of the first screen its view before all else."""
        scope = self.behind.store.snapshot.scope
        wanted = view.keys(scope)
        if self._reads_all:
            always = (strip_feed(), announced_feed())
            ever = {feed.of(context) for feed in always for context in scope.contexts}
            wanted |= ever | self.behind.recorder.wanted(scope)
        self.behind.feeds.want(wanted)
        self._read_scope, self._has_read = scope, True

    def _read_all(self) -> None:
        if not self._reads_all:
            self._reads_all = True
            if self.view is not None:
                self._read_for(self.view)
            self._begin_aside()

    def _begin_aside(self) -> None:
        """The first view shows what it is about, or has taken too long: what is less urgent begins."""

    @on(View.KeysChanged)
    def keys_changed(self) -> None:
        if self.view is not None:
            self._read_for(self.view)
            self.draw()

    def rescope(self, scope: Scope) -> None:
        """Be about other contexts or another namespace, also once the incident that is open is left."""
        free = dataclasses.replace(scope, incident="", since=None)
        self._free = free if self._is_fixing else None
        self._scoped(scope if self._is_fixing else free)
        self._swap()

    def _scoped(self, scope: Scope) -> None:
        """A context that is left is disarmed."""
        store = self.behind.store
        left = [name for name in store.snapshot.armed if name not in scope.contexts]
        store.dispatch(*map(ContextDisarmed, left), ScopeChanged(scope))

    def _forget_typed(self) -> None:
        """What was typed of a filter and is not applied yet."""
        if self._typing is not None:
            self._typing.stop()

    def _filter(self, text: str) -> bool:
        """Show what matches; False, and why beside what is typed, for a filter that cannot be read."""
        self._forget_typed()
        view = self.view
        try:
            if view is not None:
                view.set_filter(text)
        except UsageError as error:
            self.prompt.hint(f"{error.what}: {error.why}", is_wrong=True)
            return False
        except Exception as error:  # noqa: BLE001 - as in `_border`: rows that cannot be drawn
            self.status.tell(f"what matches cannot be drawn: {defect(error)}")
            return False
        self._trail.filtered(text.strip())
        self.crumbs.show(self.trail)
        return True

    # Drawing

    @on(NewsArrived)
    def news(self) -> None:
        """Draw at once, or as soon as the last drawing is long enough ago: what comes until then is drawn
        with it."""
        if self._is_due:
            self._is_due = False
            wait = self._news_drawn_at + DRAW_SECONDS - self.behind.clock.monotonic()
            if wait > 0:
                self.set_timer(wait, self._draw_news)
            else:
                self.call_next(self._draw_news)

    def _draw_news(self) -> None:
        self._is_due, self._news_drawn_at = True, self.behind.clock.monotonic()
        self.draw(only_news=True)

    def draw(self, *, only_news: bool = False) -> None:
        """Draw the frame; the view too, unless only news are drawn and it has none."""
        if not self.is_running:
            return
        snapshot, now = self.behind.store.take(), self.now()
        view = self.view
        if snapshot.against is not None and (view is None or not view.can_compare):
            snapshot = dataclasses.replace(snapshot, against=None)  # it shows the past alone
        shown_at = snapshot.shown_at(now)
        self.header.show(snapshot, now)
        self.done.show(snapshot.log)
        self.key_line.tell_abort(tells=tells_abort(view, snapshot))
        self.status.settle()
        if view is not None and view.is_mounted:
            if snapshot.scope != self._read_scope:
                self._read_for(view)
            drawn = Drawn.of(view, snapshot, self.behind.recorder.wanted(snapshot.scope))
            if not only_news or drawn.differs_from(self._drawn):
                self._drawn = drawn
                with self._border(view.spec.title):
                    view.show(snapshot, shown_at)
            facts = [snapshot.fact(key) for key in view.keys(snapshot.scope)]
            if not self._reads_all and all(fact.is_known or fact.is_stale for fact in facts):
                self.call_after_refresh(self._read_all)
        with self._border("the line of objectives"):
            line = burn_line(snapshot, shown_at)
            self.strip.show(line.cells, age_seconds=line.age_seconds, unknown=line.unknown)
        with self._border("what is new"):
            self.herald.heed(snapshot.scope.contexts, self.behind.store.live.live)
        over = [name for name, until in snapshot.armed.items() if until <= now]
        self.behind.store.dispatch(*map(ContextDisarmed, over))

    @on(View.CountChanged)
    def counted(self, event: View.CountChanged) -> None:
        self.status.count(event.shown, event.total)
