"""The body of the console: one place, rendered.

Invariant: a view gets snapshots and posts messages; it calls no source, changes nothing, and keeps nothing
but what is chosen, filtered and scrolled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot

if TYPE_CHECKING:
    from maestro_cli.tui.screens.model import Place, Screen

NO_KEY = "no-key-"  # how the place of a key begins that an action has none of


class View(Vertical):
    """Base of all views. Subclasses override `keys`, `show`, `targets` and `set_filter`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "menu", "Actions", id="view.menu", tooltip="What can be done with what is chosen."),
    ]

    LAST_BINDINGS: ClassVar[list[BindingType]] = []  # of its own that stand behind those of the actions
    DEFAULT_CSS = "View { height: 1fr; }"

    class Opened(Message):
        """Enter on something: go there; `instead` of where one is, to which Escape leads back no more."""

        def __init__(self, place: Place, *, instead: bool = False) -> None:
            super().__init__()
            self.place, self.instead = place, instead

    class ScopeFixed(Message):
        """Every place that is reached from here is about this, until one leaves."""

        def __init__(self, view: View, scope: Scope) -> None:
            super().__init__()
            self.view, self.scope = view, scope

    class CountChanged(Message):
        """How many rows are shown of how many, for the line of the filter."""

        def __init__(self, shown: int, total: int) -> None:
            super().__init__()
            self.shown, self.total = shown, total

    class KeysChanged(Message):
        """It renders other facts from now on."""

    class Asked(Message):
        """A key of an action, with what was chosen at that moment."""

        def __init__(self, action: Action, targets: Sequence[Target]) -> None:
            super().__init__()
            self.action, self.targets = action, tuple(targets)

    class MenuAsked(Message):
        """What can be done with these, on the screen that asks?"""

        def __init__(self, spec: Screen, targets: Sequence[Target]) -> None:
            super().__init__()
            self.spec, self.targets = spec, tuple(targets)

    can_compare = False  # whether it shows `against` of a snapshot

    def __init__(self, screen_: Screen, place: Place) -> None:
        super().__init__()
        self.spec, self.place = screen_, place

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        """The facts that it renders; by default each feed of the screen, in each context of the place."""
        contexts = (self.place.context,) if self.place.context else scope.contexts
        return frozenset(
            feed.of(context, self.place.argument) for feed in self.spec.feeds for context in contexts
        )

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """Render; called when a fact it names has changed, and every few seconds for ages."""
        raise NotImplementedError

    def targets(self) -> tuple[Target, ...]:
        """What is marked, else what the cursor is on; empty when that is nothing."""
        return ()

    @property
    def home(self) -> Widget | None:
        """What takes the keys when nothing else has them; None while there is nothing yet."""
        return next((one for one in self.query("*") if one.focusable), None)

    @property
    def can_filter(self) -> bool:
        """Whether it has a filter of its own."""
        return type(self).set_filter is not View.set_filter

    def rest(self) -> object:
        """What is chosen, for the view that shows this place again."""
        return None

    def resume(self, rested: object) -> None:
        """Choose what was chosen when the place was left, once that is there."""

    def unmark(self) -> bool:
        """Take all marks away; False where there are none."""
        return False

    def set_filter(self, text: str) -> None:
        """Show what matches only; raises UsageError for a filter that cannot be read."""

    def action_menu(self) -> None:
        """Ask for the menu of what is chosen now."""
        self.post_message(self.MenuAsked(self.spec, self.targets()))

    def action_act(self, action_id: str) -> None:
        """Ask for an action of this screen on what is chosen now."""
        for action in self.spec.actions:
            if action.id == action_id:
                self.post_message(self.Asked(action, self.targets()))


@cache
def bound(view: type[View], actions: tuple[Action, ...]) -> type[View]:
    """The view with a binding for each action under its id; keys.yaml can give a key to each."""
    bindings = [
        Binding(
            one.key or f"{NO_KEY}{one.id}",
            f"act('{one.id}')",
            one.title,
            show=bool(one.key),
            id=one.id,
            tooltip=one.tooltip,
        )
        for one in actions
    ]
    return type(view.__name__, (view,), {"BINDINGS": [*bindings, *view.LAST_BINDINGS]})
