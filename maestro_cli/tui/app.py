"""The full screen: what is typed and what is done in its frame.

Invariant: actions go to the dispatcher, in a thread of their own. Nothing here waits for a backend.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from msgspec.structs import replace
from rich.cells import cell_len
from textual import on
from textual.command import Provider
from textual.widgets import Input

from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.acting.asking import DialogAsker
from maestro_cli.tui.acting.dialogs import ArmDialog, QuitDialog
from maestro_cli.tui.acting.dispatcher import Dispatcher
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.acting.person import ConsolePerson
from maestro_cli.tui.acting.progress import SpokenProgress
from maestro_cli.tui.announcing import News
from maestro_cli.tui.console import Console
from maestro_cli.tui.frame import Frame
from maestro_cli.tui.keys.bindings import ANSWER_KEYS, QUIT_KEYS
from maestro_cli.tui.keys.commands import Go, completions, parse_line
from maestro_cli.tui.keys.doing import do, known_now
from maestro_cli.tui.keys.help import HelpDialog, error_line, error_text, help_text, lines_of, words_text
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.keys.names import spoken_keys
from maestro_cli.tui.keys.remembered import Remembered, remember
from maestro_cli.tui.keys.tour import tour_text
from maestro_cli.tui.messages import ActionEnded, ActionRefused, Led
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.command_log import CommandLog
from maestro_cli.tui.widgets.prompt import Prompt
from maestro_cli.tui.widgets.status_line import StatusLine

Work = tuple[str, frozenset[tuple[str, str]]]  # an action, and what it is about

LONG_SECONDS = 10.0  # an action that took longer rings where nobody looked at it
LEASE_SECONDS = 25.0  # a run whose process was killed just now is known to be interrupted by then
FILTER_SECONDS = 0.1  # after the last letter of a filter, until it is applied


def palette() -> type[Provider]:
    """Imported when it is opened."""
    from maestro_cli.tui.keys.palette import ConsoleCommands

    return ConsoleCommands


class ConsoleApp(Frame):
    """maestro's console; what is `kept` of the session before makes it keep this one's too."""

    COMMANDS: ClassVar[Any] = {palette}

    def __init__(
        self,
        console: Console,
        first: Place | None = None,
        keymap: Keymap | None = None,
        kept: Remembered | None = None,
    ) -> None:
        super().__init__(console, first, keymap, kept)
        self.never_held = frozenset(self.chosen_keys.keys.get("console.quit", QUIT_KEYS).split(","))
        self._namespace_of_before = ""
        self.wanted_namespace = ""  # the newest that was asked for by its name
        self._works: set[Work] = set()  # what is at work
        self._told_first: list[tuple[str, MaestroError]] = []
        self.greeting: Callable[[], str] | None = None  # what is said first; asked in a thread
        self.asker = asker = DialogAsker(
            self, console.ending, self.is_protected, self.is_free, self._place, self._tell_waiting
        )
        console.person = lambda context: ConsolePerson(asker, context)
        self.dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)
        self.dispatcher.lead = asker.lead

    def tell_first(self, title: str, error: MaestroError) -> None:
        """Have an error be read whole as soon as the console is open; no reason not to open it."""
        self._told_first.append((title, error))

    def greet(self) -> None:
        """Say what was left over, once."""
        if self.greeting is not None and (words := self.greeting()):
            self.greeting = None
            self.remark(words)

    def on_ready(self) -> None:
        if self.is_ending:
            self.exit()
            return
        self.beside(self.greet)
        self.set_timer(LEASE_SECONDS, lambda: self.beside(self.greet))
        if self._kept is not None and not self._kept.has_seen_tour:
            self.show_tour()
        for title, error in self._told_first:
            self.push_screen(HelpDialog(error_text(title, error)))

    def show_tour(self) -> None:
        """The tour; it is not shown by itself again."""
        if self._kept is not None:
            self._kept = kept = replace(self._kept, has_seen_tour=True)
            self.beside(lambda: remember(kept))  # now: a console that is killed forgets it else
        self.push_screen(HelpDialog(tour_text(self.chosen_keys.keys)))

    def action_keys(self) -> None:
        """Every key that works here, now."""
        view = self.view
        if view is not None and len(self.screen_stack) == 1:
            active = lines_of((key, one.binding) for key, one in self.screen.active_bindings.items())
            self.push_screen(HelpDialog(help_text(view.spec, active)))

    def action_log(self) -> None:
        if not self.done.toggle():
            self._focus_view()

    @on(CommandLog.Copied)
    def copied(self, event: CommandLog.Copied) -> None:
        """To the clipboard of the terminal, as far as that lets programs write to it (OSC 52)."""
        if event.text:
            self.copy_to_clipboard(event.text)
        self.status.tell(f"copied: {event.text}" if event.text else "there is nothing to copy here")

    # Where it is about

    def action_namespaces(self) -> None:
        """All namespaces; in all of them, back to the one of before, else the context's own."""
        scope = self.behind.store.snapshot.scope
        if scope.namespace:
            self._namespace_of_before = scope.namespace
            self.rescope(dataclasses.replace(scope, namespace=""))
            return
        own = self._namespace_of_before or self.behind.own_namespace(scope.context)
        if own:
            self.rescope(dataclasses.replace(scope, namespace=own))
        else:
            self.status.tell(f"{scope.context} has no namespace of its own: :ns NAME")

    def action_side(self) -> None:
        self.run_line("side")

    def action_favourite(self, digit: str) -> None:
        """What keys.yaml pinned to the digit, else the screen that has it."""
        pinned = self.chosen_keys.favourites.get(digit)
        screen = next((one for one in every_screen().values() if one.digit == digit), None)
        if pinned is not None:
            self.run_line(pinned)
        elif screen is not None:
            self.go(Place(screen.id))
        else:
            self.status.tell(f"nothing is on {digit}; pin a place to it in keys.yaml")

    # Typing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`:` and `/` come before whatever has the focus, but where something is typed they are letters."""
        if action in ("command_line", "filter"):
            return len(self.screen_stack) == 1 and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    def action_command_line(self) -> None:
        known = known_now(self)
        self.prompt.open(":", "", lambda text: completions(text, known))

    def action_filter(self) -> None:
        if self.view is None or not self.view.can_filter:
            self.status.tell("there is nothing to filter here")
            return
        self.prompt.open("/", self._trail.here.filter, lambda text: ())

    @on(Prompt.Typed)
    def typed(self, event: Prompt.Typed) -> None:
        """Apply a filter while it is typed, a moment after the last letter."""
        if type(event) is Prompt.Typed and event.sign == "/":
            if self._typing is not None:
                self._typing.stop()
            self._typing = self.set_timer(FILTER_SECONDS, lambda: self._filter(event.text))

    @on(Prompt.Entered)
    def entered(self, event: Prompt.Entered) -> None:
        if event.sign == "/":
            done = self._filter(event.text)
        else:
            done = self.run_line(event.text)
        if done:
            self.prompt.close()
            self._focus_view()

    @on(Prompt.Left)
    def left_prompt(self, event: Prompt.Left) -> None:
        if event.sign == "/":
            self._filter("")
        self._focus_view()

    def run_line(self, text: str) -> bool:
        """Do what a line of the command line says; False, and why, where it cannot be read."""
        try:
            command = parse_line(text, known_now(self))
            if isinstance(command, Go):
                self.go(command.place)
            elif command is not None:
                do(self, command)
        except MaestroError as error:
            self.status.tell(error_line(error))
            if self.prompt.is_open:  # beside what is typed the part that mends it has room
                self.prompt.hint(error.why or error.fix or error.what, is_wrong=True)
            return False
        self.history.add(text)
        return True

    # Doing

    def _place(self) -> Place:
        """Where one is, whatever is filtered there."""
        return dataclasses.replace(self._trail.here, filter="")

    def _tell_waiting(self, waits: Sequence[str]) -> None:
        """What came while somebody had gone on, or types."""
        more = f" and {len(waits) - 1} more" if len(waits) > 1 else ""
        key = spoken_keys(self.chosen_keys.keys.get("console.answer", ANSWER_KEYS)).split()[0]
        self.status.wait(f"{waits[0]}{more} waits for you: {key} opens it" if waits else "")

    def action_answer(self) -> None:
        if not self.asker.call_first():
            self.status.tell("nothing waits for an answer")
        elif self.behind.store.snapshot.replay_at is not None:
            self.status.tell("the console shows the past; :live returns to now, where it is asked")

    @on(StatusLine.Chosen)
    def status_chosen(self) -> None:
        self.action_answer()

    def is_free(self) -> bool:
        """Whether a dialog can open: not over what somebody types or decides, nor over the past."""
        is_now = self.behind.store.snapshot.replay_at is None
        return is_now and not self.prompt.is_open and len(self.screen_stack) == 1

    def is_protected(self, context: str) -> bool:
        return self.behind.policy(context).protected

    @property
    def chosen_context(self) -> str:
        """The context of what is chosen, else of the place, else the first of the scope."""
        view, scope = self.view, self.behind.store.snapshot.scope
        if view is None:
            return scope.context
        targets = view.targets()
        return targets[0].context if targets else view.place.context or scope.context

    def action_arm(self) -> None:
        """Ask for how long; arming an armed context disarms it."""
        store, context = self.behind.store, self.chosen_context
        if store.snapshot.is_armed(context, self.now()):
            store.dispatch(ContextDisarmed(context))
        else:
            self.arm(context)

    def arm(self, context: str, minutes: str = "10") -> None:
        """Ask whether changes are allowed in a context, or say why they are not whatever is answered."""
        try:
            refused, protected = self.behind.why_not_armed(context), self.is_protected(context)
        except MaestroError as error:
            self.status.tell(error_line(error))
            return
        if refused:
            self.status.tell(refused)
            return

        def armed(answer: object) -> None:
            if isinstance(answer, int):
                until = self.now() + timedelta(minutes=answer)
                self.behind.store.dispatch(ContextArmed(context, until))

        self.push_screen(ArmDialog(context, minutes, protected=protected), armed)

    def action_hurry(self) -> None:
        self.behind.feeds.hurry()

    def action_copy_selected(self) -> None:
        """What is selected in the line that is typed in, else on the screen."""
        line = self.focused
        text = line.selected_text if isinstance(line, Input) else self.screen.get_selected_text()
        if text:
            self.copy_to_clipboard(text)
            self.status.tell(f"copied {len(text):,} characters")
        else:
            self.status.tell("select with the mouse to copy; ctrl+q leaves the console")

    async def action_quit(self) -> None:
        """End, at once unless something is being done; from a dialog too."""
        running = self.behind.at_work
        if isinstance(self.screen, QuitDialog):
            return  # it asks already
        if not running:
            self.exit()
            return

        def answered(agrees: object) -> None:
            if agrees:
                self.exit()

        self.push_screen(QuitDialog(running), answered)

    @on(View.Asked)
    def asked(self, event: View.Asked) -> None:
        self.act(event.action, event.targets)

    @on(View.MenuAsked)
    def menu_asked(self, event: View.MenuAsked) -> None:
        """Let one be chosen of what the screen can do, on what was chosen when it was asked for."""
        targets = event.targets
        actions = {action.id: action for action in event.spec.actions}
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
            self._begin(action, targets)

    def _begin(self, action: Action, targets: Sequence[Target]) -> None:
        """In a thread of its own; what is at work is not begun again, whatever a key repeats."""
        about = (action.id, frozenset((target.context, target.id) for target in targets))
        if about in self._works:
            self.post_message(
                ActionRefused(action.id, f"{action.title} is at work on it", "wait for its end")
            )
            return
        work = threading.Thread(
            target=self._work, args=(about, action, targets, self._place()), daemon=True, name=action.title
        )
        self._works.add(about)
        if action.asks:
            self.hold_for(about)  # what is typed now is meant for its dialog
        self.behind.begin(work)

    def _work(self, about: Work, action: Action, targets: Sequence[Target], place: Place) -> None:
        progress, began = SpokenProgress(self.remark), self.behind.clock.monotonic()
        let_go = partial(self.let_go, about)
        try:
            with self.asker.asked_at(place, let_go) as places:
                ended = self.dispatcher.perform(action, targets, progress, self.behind.ending)
        finally:
            self._works.discard(about)
            self.call_later(let_go)
        for target, ending in ended:
            seconds = self.behind.clock.monotonic() - began
            done, is_done = ending.action or action, ending.is_done
            self.post_message(
                ActionEnded(done, target, ending.outcome, is_done=is_done, place=places[-1], seconds=seconds)
            )

    @on(Led)
    def led(self, event: Led) -> None:
        if self.is_free() and event.origin == self._place():
            self.go(event.place)

    @on(ActionRefused)
    def refused(self, event: ActionRefused) -> None:
        self.status.tell(f"{event.why}; {event.fix}" if event.fix else event.why)

    def _tell_whole(self, event: ActionEnded, words: str) -> None:
        """Why it failed, where the line would cut it, to whoever is still where it was asked for."""
        is_cut = cell_len(words) > self.size.width - 10
        if is_cut and not event.is_done and self.is_free() and event.place == self._place():
            about = f"{event.action.title} {event.target.name}"
            self.push_screen(HelpDialog(words_text(about, event.outcome)))

    @on(ActionEnded)
    def ended(self, event: ActionEnded) -> None:
        words = f"{event.action.title} {event.target.name}: {event.outcome}"
        self.status.tell(words)
        self._tell_whole(event, words)
        is_seen = self.app_focus and event.place == self._place()
        if event.seconds >= LONG_SECONDS and not is_seen:
            self.herald.tell(News(f"{words} in {event.target.context}", is_grave=True))
        self.behind.feeds.hurry()
