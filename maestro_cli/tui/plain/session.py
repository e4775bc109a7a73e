"""A console of lines: one place after another, and what is done there.

Invariant: the same screens, filters, actions and dispatcher as the full screen; what a number means is fixed
when its row is printed. Ends at the end of input.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from maestro_cli.core.errors import Interrupted, MaestroError, UsageError
from maestro_cli.tui.acting.dispatcher import Dispatcher
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.acting.progress import SpokenProgress
from maestro_cli.tui.console import Console
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.keys.commands import Known
from maestro_cli.tui.keys.doing import seen_namespaces
from maestro_cli.tui.keys.trail import FIXING, Trail, named
from maestro_cli.tui.plain.asking import LineAsker, LinePerson
from maestro_cli.tui.plain.choosing import chosen_action, chosen_rows
from maestro_cli.tui.plain.page import Page, is_answered, keys_of, page_of
from maestro_cli.tui.plain.talk import Talk
from maestro_cli.tui.plain.words import take
from maestro_cli.tui.screens.incident import fixed_scope
from maestro_cli.tui.screens.model import Place, Screen, TableScreen
from maestro_cli.tui.screens.table import every_screen, screen_names
from maestro_cli.tui.store.events import ContextDisarmed, ScopeChanged
from maestro_cli.tui.store.model import UNREAD, FactKey, Scope
from maestro_cli.tui.views.filtering import parse_filter

WAIT_SECONDS = 15.0  # for what a place shows to be read, until it is said that it is not
LOOK_SECONDS = 0.2

# What is typed for what a key of the full screen does.
TYPED = {
    "console.arm": "type write 10",
    "console.back": "type back",
    "table.mark": "name several rows after do",
}


class Session:
    """What a person is looking at, over one Console, which is `behind` it."""

    def __init__(self, console: Console, talk: Talk, first: Place) -> None:
        self.behind, self.talk = console, talk
        self.trail = Trail(named(first, console.store.snapshot.scope.context))
        self.page = Page("")
        self.chosen: tuple[Target, ...] = ()
        self._fault: Exception | None = None
        self._free: Scope | None = None  # what it was about before an incident fixed it
        self._unanswered = frozenset[FactKey]()  # what was waited for in vain: once is enough
        self._news = threading.Event()
        console.store.listen(self._news.set)
        asker = LineAsker(talk, self.is_protected)
        person = LinePerson(talk, asker)
        console.person = lambda context: person
        self.asker = asker
        self.dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)
        self.dispatcher.how = TYPED.__getitem__

    def run(self) -> None:
        """Until quit, or the end of input. Raises then what nobody expected first: it was no success."""
        self._outlive(self.show)
        while not self.talk.is_over:
            line = self.talk.read()
            if line:
                self._outlive(partial(take, self, line))
        if self._fault is not None:
            raise self._fault

    def _outlive(self, act: Callable[[], None]) -> None:
        """Do it; whatever it raises is told, and ends nothing, but that nobody reads what is said, or that it
        is told to end."""
        try:
            act()
        except BrokenPipeError:
            raise
        except Exception as error:  # the border of the session: it is told, and goes on
            if isinstance(error, Interrupted) and error.is_to_end:
                raise
            if not isinstance(error, MaestroError):
                self._fault = self._fault or error
            said = told(error)
            self.talk.say(". ".join(one for one in (said.what, said.why, said.fix) if one))

    # Places

    @property
    def screen(self) -> Screen:
        return every_screen()[self.trail.here.screen]

    def now(self) -> datetime:
        return self.behind.clock.now()

    def go(self, place: Place) -> None:
        self.trail.go(named(place, self.behind.store.snapshot.scope.context))
        self.show()

    def back(self) -> None:
        """Take the filter away; from the past to now; then to the place before."""
        if self.trail.here.filter:
            self.filter("")
        elif self.behind.store.snapshot.replay_at is not None:
            self.behind.recorder.resume()
            self.show()
        elif self.trail.back():
            self.show()
        else:
            self.talk.say("this is the first place; quit leaves the console")

    def filter(self, text: str) -> None:
        """Raises UsageError for one that cannot be read, and where there is nothing to filter."""
        if not isinstance(self.screen, TableScreen) and self.screen.id != "logs":
            raise UsageError("there is nothing to filter here")
        parse_filter(text)
        self.trail.filtered(text)
        self.show()

    def rescope(self, scope: Scope) -> None:
        """Be about other contexts or another namespace, also when the incident that is open is left; a
        context that is left is disarmed."""
        free = replace(scope, incident="", since=None)
        is_fixing = any(one.screen == FIXING for one in self.trail.places)
        self._free = free if is_fixing else None
        self.disarm([name for name in self.behind.store.snapshot.armed if name not in scope.contexts])
        self.behind.store.dispatch(ScopeChanged(scope if is_fixing else free))
        self.show()

    def disarm(self, names: Sequence[str]) -> None:
        self.behind.store.dispatch(*map(ContextDisarmed, names))

    # Saying

    def show(self) -> None:
        """Read what the place shows, and say it; what was chosen is not any more, also where that fails."""
        self.page, self.chosen = Page(""), ()
        self._free_scope()
        self._await_facts()
        self.behind.leave_unused()
        place, screen, snapshot = self.trail.here, self.screen, self.behind.store.take()
        self.page = page_of(screen, place, snapshot, snapshot.shown_at(self.now()))
        self.chosen = self.page.about
        self.talk.say(self.page.text)
        if self.page.report is not None:
            self.talk.show(self.page.report)
        self._fix_scope()

    def _await_facts(self) -> None:
        """Want what the place shows, and wait, for WAIT_SECONDS at most, until each fact is known or has
        failed, and what is known says something."""
        place, store = self.trail.here, self.behind.store
        keys = keys_of(self.screen, place, store.snapshot.scope)
        self.behind.feeds.want(keys | self.behind.recorder.wanted(store.snapshot.scope))
        clock = self.behind.clock
        end = clock.monotonic() + WAIT_SECONDS
        while clock.monotonic() < end:
            self._news.clear()
            snapshot = store.take()
            facts = [(snapshot.against or snapshot.facts).get(key, UNREAD) for key in keys]
            is_past = snapshot.replay_at is not None and snapshot.against is None
            is_read = all(fact.is_known or fact.is_stale for fact in facts)
            is_enough = keys == self._unanswered or any(fact.is_stale for fact in facts)
            if is_past or (is_read and (is_enough or is_answered(self.screen, place, snapshot))):
                return
            self._news.wait(LOOK_SECONDS)
        self._unanswered = keys

    def _fix_scope(self) -> None:
        """An incident that is open fixes what every place is about that is reached from it."""
        for target in self.page.about if self.screen.id == FIXING else ():
            scope = self.behind.store.snapshot.scope
            self._free = self._free or scope
            self.behind.store.dispatch(ScopeChanged(fixed_scope(scope, target.item, target.context)))

    def _free_scope(self) -> None:
        if self._free is not None and all(one.screen != FIXING for one in self.trail.places):
            self.behind.store.dispatch(ScopeChanged(self._free))
            self._free = None

    # Choosing and doing

    @property
    def known(self) -> Known:
        """What can be named now."""
        snapshot = self.behind.store.snapshot
        return Known(screen_names(), self.behind.contexts(), (), seen_namespaces(snapshot))

    def is_protected(self, context: str) -> bool:
        return self.behind.policy(context).protected

    @property
    def chosen_context(self) -> str:
        return self.chosen[0].context if self.chosen else self.behind.store.snapshot.scope.context

    def choose(self, words: Sequence[str]) -> None:
        """Raises UsageError where a word names no row, or several."""
        self.chosen = chosen_rows(words, self.page.rows)
        self.talk.say(f"chosen: {', '.join(target.name for target in self.chosen)}")

    def open(self, words: Sequence[str]) -> None:
        """Where Enter leads from a row."""
        targets = chosen_rows(words, self.page.rows) if words else self.chosen
        opens = self.screen.opens if isinstance(self.screen, TableScreen) else None
        if opens is None or not isinstance(self.screen, TableScreen):
            raise UsageError("nothing opens from here", fix="actions tells what can be done")
        if len(targets) != 1:
            raise UsageError("choose one row to open", fix="open 1")
        place = opens(targets[0])
        if place is None:
            raise UsageError("nothing opens from here", why=self.screen.says(targets[0]))
        self.go(place)

    def tell_actions(self) -> None:
        """Each with its danger, and why it is refused now."""
        names = ", ".join(target.name for target in self.chosen)
        self.talk.say(f"on {names}:" if names else "nothing is chosen; say the number of a row")
        for action in self.screen.actions:
            refused = self.refusal(action, self.chosen) if self.chosen else ""
            now = f"; refused now: {refused}" if refused else ""
            danger = action.on(self.chosen).danger.value
            self.talk.say(f"{action.id}: {action.title}, {danger}; {action.tooltip}{now}")
        if not self.screen.actions:
            self.talk.say("nothing can be done here")

    def refusal(self, action: Action, targets: Sequence[Target]) -> str:
        """Why it is not even begun, and what to type; "" where it may be."""
        found = self.dispatcher.refusal(action, targets)
        if found is None:
            return ""
        if not targets:
            return "nothing is chosen; say the number of a row"
        if len(targets) > 1 and not action.is_bulk:
            return f"{action.title} is about one at a time"
        if self.behind.store.snapshot.replay_at is not None:
            return f"{found.why}; live returns to now"
        if any(action.refuses(target) for target in targets):
            return f"{found.why}; {found.fix}" if found.fix else found.why  # arming would not help
        return f"{found.why}; write 10 allows changes for ten minutes"

    def do(self, name: str, words: Sequence[str]) -> None:
        """An action on what is chosen, or on the rows that are named. Raises UsageError."""
        action = chosen_action(name, self.screen.actions)
        targets = chosen_rows(words, self.page.rows) if words else self.chosen
        if refused := self.refusal(action, targets):
            raise UsageError(refused)
        if action.opens is not None:
            context = self.chosen_context
            whole = [Target(context, "Context", "", context)] if action.is_of_context else []
            if not targets and not whole:
                raise UsageError("nothing is chosen", fix="say the number of a row")
            self.go(action.opens((*targets, *whole)[0]))
            return
        progress = SpokenProgress(self.talk.say)
        with self.behind.ending.child() as cancellation:

            def work() -> None:
                for target, ending in self.dispatcher.perform(action, targets, progress, cancellation):
                    self.talk.say(f"{action.title} {target.name}: {ending.outcome}")

            self.talk.serve(action.title, work, cancellation, self.behind.begin)
        self.behind.feeds.hurry()
