"""The full screen: what is typed, and what is said first.

Invariant: nothing here waits for a backend. Dialogs are imported once the first view shows what it is about:
they are a tenth of the start.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar

from msgspec.structs import replace
from textual import on
from textual.command import Provider
from textual.widgets import Input

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.standstill import PROCESS
from maestro_cli.tui.console import Console
from maestro_cli.tui.desk import Desk
from maestro_cli.tui.keys.bindings import ABORT_KEYS, QUIT_KEYS
from maestro_cli.tui.keys.commands import Go, completions, parse_line
from maestro_cli.tui.keys.doing import do, known_now
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.keys.names import spoken_keys
from maestro_cli.tui.keys.remembered import Remembered, remember
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.widgets.command_log import CommandLog
from maestro_cli.tui.widgets.prompt import Prompt

LATER = tuple(f"maestro_cli.tui.{name}" for name in ("acting.menu", "acting.person", "keys.help"))
LEASE_SECONDS = 25.0  # a run whose process was killed just now is known to be interrupted by then
STILL_SECONDS = 1.0  # for what is read from files to come to its end
FILTER_SECONDS = 0.1  # after the last letter of a filter, until it is applied


def palette() -> type[Provider]:
    """Imported when it is opened."""
    from maestro_cli.tui.keys.palette import ConsoleCommands

    return ConsoleCommands


class ConsoleApp(Desk):
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
        keys = self.chosen_keys.keys
        passing = (keys.get("console.quit", QUIT_KEYS), keys.get("console.abort", ABORT_KEYS))
        self.never_held = frozenset(one for chosen in passing for one in chosen.split(","))
        self._namespace_of_before = ""
        self.wanted_namespace = ""  # the newest that was asked for by its name
        self._told_first: list[tuple[str, MaestroError]] = []
        self.greeting: Callable[[], str] | None = None  # what is said first; asked in a thread
        self.when_whole: Callable[[], None] | None = None  # called once, in a thread, after the greeting

    def tell_first(self, title: str, error: MaestroError) -> None:
        """Have an error be read whole as soon as the console is open; no reason not to open it."""
        self._told_first.append((title, error))

    def greet(self) -> None:
        """Say what was left over, once."""
        if self.greeting is not None and (words := self.greeting()):
            self.greeting = None
            self.remark(words, stays=True)

    def on_ready(self) -> None:
        if self.is_ending:
            self.exit()
            return
        self.set_timer(LEASE_SECONDS, lambda: self.beside(self.greet))
        if self._kept is not None and not self._kept.has_seen_tour:
            self._begin_with_tour()
        if self._told_first:
            from maestro_cli.tui.keys.help import HelpDialog, error_text

            for title, error in self._told_first:
                self.push_screen(HelpDialog(error_text(title, error)))

    def _begin_aside(self) -> None:
        super()._begin_aside()
        self.beside(self._become_whole)

    def _become_whole(self) -> None:
        """What was left for later, so that no key waits for it."""
        try:
            for name in LATER:
                import_module(name)
            self.greet()
        finally:
            if self.when_whole is not None:
                self.when_whole()

    def _begin_with_tour(self) -> None:
        """Not over what was typed already: that is done, and the tour comes at the next start."""
        if self.is_typed_ahead:
            self.remark(":tour shows ten keys to begin with", stays=True)
        else:
            self.show_tour()

    def show_tour(self) -> None:
        """The tour; it is not shown by itself again."""
        from maestro_cli.tui.keys.help import TourDialog
        from maestro_cli.tui.keys.tour import tour_text

        if self._kept is not None:
            self._kept = kept = replace(self._kept, has_seen_tour=True)
            self.beside(lambda: remember(kept))  # now: a console that is killed forgets it else
        self.push_screen(TourDialog(tour_text(self.chosen_keys.keys)))

    def action_keys(self) -> None:
        """Every key that works here, now."""
        from maestro_cli.tui.keys.help import HelpDialog, help_text, lines_of

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
        if action == "command_line" and self._is_in_tour:
            return True
        if action in ("command_line", "filter"):
            return len(self.screen_stack) == 1 and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    @property
    def _is_in_tour(self) -> bool:
        """Whether the tour is on top, which is imported for those who see it."""
        return len(self.screen_stack) > 1 and getattr(self.screen, "is_typed_over", False)

    def action_command_line(self) -> None:
        if self._is_in_tour:
            self.pop_screen()
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
            self._forget_typed()
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
            from maestro_cli.tui.keys.help import error_line

            self.status.tell(error_line(error))
            if self.prompt.is_open:  # beside what is typed the part that mends it has room
                self.prompt.hint(error.why or error.fix or error.what, is_wrong=True)
            return False
        self.history.add(text)
        return True

    def action_hurry(self) -> None:
        self.behind.feeds.hurry()

    @property
    def _way_out(self) -> str:
        """The key that leaves the console, as people name it."""
        return spoken_keys(self.chosen_keys.keys.get("console.quit", QUIT_KEYS)).split()[0]

    def action_copy_selected(self) -> None:
        """What is selected in the line that is typed in, else on the screen."""
        line = self.focused
        text = line.selected_text if isinstance(line, Input) else self.screen.get_selected_text()
        if text:
            self.copy_to_clipboard(text)
            self.status.tell(f"copied {len(text):,} characters")
        else:
            self.status.tell(f"select with the mouse to copy; {self._way_out} leaves the console")

    def action_to_shell(self) -> None:
        """Stop, as programs of a shell do; not while something is done here, which would stand still."""
        if self._driver is None or not self._driver.can_suspend:
            self.status.tell(f"there is no shell to go to here; {self._way_out} leaves the console")
        elif self.behind.at_work:
            self.status.tell(f"not to the shell: {', '.join(self.behind.at_work)} would stand still")
        else:
            self._stop()

    def _stop(self) -> None:
        """Stop the process, which goes on here; not while a file is read or written that others use."""
        with PROCESS.still(STILL_SECONDS) as is_still:
            if is_still:
                self.action_suspend_process()
        if not is_still:
            self.status.tell("not to the shell: the journal is in use; once more in a moment")

    async def action_quit(self) -> None:
        """End, at once unless something is being done; from a dialog too."""
        from maestro_cli.tui.acting.dialogs import QuitDialog

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
