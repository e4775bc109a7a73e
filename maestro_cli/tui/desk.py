"""What is done in the frame of the console, and who is asked before.

Invariant: actions go to the dispatcher, in a thread of their own, about what was chosen when they were asked
for. Nothing here waits for a backend.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on

from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.acting.progress import SpokenProgress
from maestro_cli.tui.announcing import News
from maestro_cli.tui.console import Console
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.frame import Frame
from maestro_cli.tui.keys.bindings import ANSWER_KEYS, ARM_KEYS
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.keys.names import spoken_keys
from maestro_cli.tui.keys.remembered import Remembered
from maestro_cli.tui.messages import ActionEnded, ActionRefused, Led, SeveralEnded
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from maestro_cli.services.person import Person
    from maestro_cli.tui.acting.asking import DialogAsker
    from maestro_cli.tui.acting.dispatcher import Dispatcher, Refusal

Work = tuple[str, frozenset[tuple[str, str]]]  # an action, and what it is about

LONG_SECONDS = 10.0  # an action that took longer rings where nobody looked at it


class Desk(Frame):
    """A frame in which things are done."""

    def __init__(
        self, console: Console, first: Place | None, keymap: Keymap | None, kept: Remembered | None
    ) -> None:
        super().__init__(console, first, keymap, kept)
        self._works: set[Work] = set()  # what is at work
        console.person = self._person

    @cached_property
    def asker(self) -> DialogAsker:
        from maestro_cli.tui.acting.asking import DialogAsker

        return DialogAsker(
            self, self.behind.ending, self.is_protected, self.is_free, self._place, self._tell_waiting
        )

    @cached_property
    def dispatcher(self) -> Dispatcher:
        from maestro_cli.tui.acting.dispatcher import Dispatcher
        from maestro_cli.tui.acting.wording import pressed

        console = self.behind
        made = Dispatcher(console.store, console.clock, self.asker, console.reading, console.acting)
        made.lead = self.asker.lead
        made.how = partial(pressed, chosen=self.chosen_keys.keys)
        return made

    def _person(self, context: str) -> Person:
        from maestro_cli.tui.acting.person import ConsolePerson

        return ConsolePerson(self.asker, context)

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
            words = "the console shows the past; :live returns to now, where it is asked"
            self.status.tell(words, is_true=self.is_past)

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
            from maestro_cli.tui.keys.help import error_line

            self.status.tell(error_line(error))
            return
        if refused:
            self.status.tell(refused, is_true=self.is_past if self.is_past() else None)
            return

        from maestro_cli.tui.acting.dialogs import ArmDialog

        def armed(answer: object) -> None:
            if isinstance(answer, int):
                until = self.now() + timedelta(minutes=answer)
                self.behind.store.dispatch(ContextArmed(context, until))
            else:
                key = spoken_keys(self.chosen_keys.keys.get("console.arm", ARM_KEYS)).split()[0]
                words = f"{context} is still read-only: {key}, then Tab to Arm and Enter, allows changes"
                self.status.tell(words, is_true=partial(self._is_unarmed, context))

        self.push_screen(ArmDialog(context, minutes, protected=protected), armed)

    def _is_unarmed(self, context: str) -> bool:
        return not self.behind.store.snapshot.is_armed(context, self.now())

    def action_abort_experiments(self) -> None:
        """End what is under way in each context that is shown, whatever else is at work, asked or shown."""
        from maestro_cli.tui.screens.experiment_actions import ABORT

        for context in self.behind.store.snapshot.scope.contexts:
            self._begin(ABORT, (Target(context, "Context", "", context),))

    @on(View.Asked)
    def asked(self, event: View.Asked) -> None:
        self.act(event.action, event.targets)

    @on(View.MenuAsked)
    def menu_asked(self, event: View.MenuAsked) -> None:
        """Let one be chosen of what the screen can do, on what was chosen when it was asked for."""
        from maestro_cli.tui.acting.menu import ActionMenu

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
            self._refuse(action, refusal)
        elif action.opens is not None:
            context = self.chosen_context
            whole = [Target(context, "Context", "", context)] if action.is_of_context else []
            for target in (*targets, *whole)[:1]:
                self.go(action.opens(target))
        else:
            self._begin(action, targets)

    def _refuse(self, action: Action, refusal: Refusal) -> None:
        """Say why; where words are asked for, in a dialog: what is typed for them is no command."""
        why, fix = refusal.why, refusal.fix
        self.post_message(ActionRefused(action.id, why, fix, refusal.unarmed, is_of_past=refusal.is_of_past))
        if action.asks:
            from maestro_cli.tui.acting.refusing import RefusedDialog

            dialog = RefusedDialog(action.title, why, fix)
            self.hold_for(dialog, however_late=True)
            self.push_screen(dialog)
            dialog.call_after_refresh(self.let_go, dialog)

    def _begin(self, action: Action, targets: Sequence[Target]) -> None:
        """In a thread of its own; what is at work is not begun again, whatever a key repeats."""
        about = (action.id, frozenset((target.context, target.id) for target in targets))
        if about in self._works:
            from maestro_cli.tui.acting.dispatcher import Refusal

            self._refuse(action, Refusal(f"{action.title} is at work on it", "wait for its end"))
            return
        work = threading.Thread(
            target=self._work, args=(about, action, targets, self._place()), daemon=True, name=action.title
        )
        self._works.add(about)
        if action.asks:
            self.hold_for(about, however_late=True)  # what is typed now is meant for its dialog
        self.behind.begin(work)

    def _work(self, about: Work, action: Action, targets: Sequence[Target], place: Place) -> None:
        progress, began = SpokenProgress(self.remark), self.behind.clock.monotonic()
        let_go = partial(self.let_go, about)
        try:
            with self.asker.asked_at(place, let_go) as places:
                ended = self.dispatcher.perform(action, targets, progress, self.behind.ending)
        except Exception as error:  # noqa: BLE001 - the border of the thread: a traceback would be on the screen
            self.remark(f"{action.title}: {told(error).line}", stays=True)
            return
        finally:
            self._works.discard(about)
            self.call_later(let_go)
        seconds = self.behind.clock.monotonic() - began
        if len(ended) > 1:
            from maestro_cli.tui.acting.outcomes import Outcomes

            outcomes = Outcomes(action.title, tuple(ended))
            self.post_message(SeveralEnded(outcomes, place=places[-1], seconds=seconds))
            return
        for target, ending in ended:
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
        words = f"{event.why}; {event.fix}" if event.fix else event.why
        is_true = partial(self._is_unarmed, event.unarmed) if event.unarmed else None
        self.status.tell(words, is_true=self.is_past if event.is_of_past else is_true)

    def _tell_whole(self, event: ActionEnded, words: str) -> None:
        """Why it failed, where the line would cut it, to whoever is still where it was asked for."""
        is_cut = cell_len(words) > self.size.width - 10 or "\n" in words.strip()
        if is_cut and not event.is_done and self.is_free() and event.place == self._place():
            from maestro_cli.tui.keys.help import HelpDialog, words_text

            about = f"{event.action.title} {event.target.name}"
            self.push_screen(HelpDialog(words_text(about, event.outcome)))

    @on(ActionEnded)
    def ended(self, event: ActionEnded) -> None:
        words = f"{event.action.title} {event.target.name}: {event.outcome}"
        self.status.tell(words, stays=True)
        self._tell_whole(event, words)
        if event.seconds >= LONG_SECONDS and not self._is_seen(event.place):
            self.herald.tell(News(f"{words} in {event.target.context}", is_grave=True))
        self.behind.feeds.hurry()

    def _is_seen(self, place: Place) -> bool:
        """Whether somebody looks at where it was asked for."""
        return self.app_focus and place == self._place()

    @on(SeveralEnded)
    def several_ended(self, event: SeveralEnded) -> None:
        """One line for all of them; where some have failed each whole, and a bell where nobody looks."""
        outcomes = event.outcomes
        self.status.tell(outcomes.line, stays=True)
        if outcomes.has_failed and self.is_free() and event.place == self._place():
            from maestro_cli.tui.keys.help import HelpDialog

            self.push_screen(HelpDialog(tuple(outcomes.lines())))
        if (outcomes.has_failed or event.seconds >= LONG_SECONDS) and not self._is_seen(event.place):
            self.herald.tell(News(f"{outcomes.line} in {outcomes.contexts}", is_grave=True))
        self.behind.feeds.hurry()
